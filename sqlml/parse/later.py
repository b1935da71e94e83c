"""What the grammar has and this version does not: a key path in, what it is out, so that a user is told so by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_CONFIG = {
    "freshness": "how old data may be",
    "meta": "free notes",
    "grants": "permissions",
}
_COLUMN = {"meta": "free notes", "constraints": "constraints in the table", "tags": "tags of a column"}
_DATA_TEST = {
    "quote": "values without quotes",
    "description": "a text for a data test",
    "meta": "free notes",
    "limit": "a limit on failing rows",
    "store_failures": "keeping the failing rows",
    "store_failures_as": "keeping the failing rows",
    "error_if": "a threshold on failing rows",
    "warn_if": "a threshold on failing rows",
    "fail_calc": "another count of failures",
}


def _below(path: str, keys: Mapping[str, str]) -> dict[str, str]:
    return {f"{path}.{key}": what for key, what in keys.items()}


LATER_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "unit_tests": "SQL models on given rows",
        "exposures": "who reads the outputs",
        "freshness": "how old data may be",
        "snapshots": "the history of a relation",
        "macros": "descriptions of macros",
        "analyses": "SQL that is compiled only",
        "groups": "owners",
        "metrics": "business metrics",
        "semantic_models": "business metrics",
        "ml_models.freshness": "how old data may be",
        "ml_models.config": "dbt's block of settings; here 'tags' and 'enabled' stand beside 'name'",
        "models.data_tests": "data tests of a whole relation",
        "models.tests": "data tests of a whole relation",
        "models.freshness": "how old data may be",
        "models.meta": "free notes",
        "models.docs": "settings of the page",
        "models.constraints": "constraints in the table",
        "models.versions": "versions of a relation",
        "models.access": "who may read a relation",
        "models.group": "owners",
        "seeds.data_tests": "data tests of a whole relation",
        "seeds.tests": "data tests of a whole relation",
        "seeds.meta": "free notes",
        "seeds.config.contract": "a checked schema",
        "models.config.contract.alias_types": "dbt's names of types that mean another",
        "seeds.config.column_types": "types of columns; here: 'data_type' of a column",
        "sources.freshness": "how old data may be",
        "sources.loaded_at_field": "how old data may be",
        "sources.meta": "free notes",
        "sources.config": "settings of a whole source",
        "sources.tables.freshness": "how old data may be",
        "sources.tables.loaded_at_field": "how old data may be",
        "sources.tables.meta": "free notes",
        "sources.tables.config": "dbt's block of settings",
        "sources.tables.data_tests": "data tests of a whole relation",
        "sources.tables.tests": "data tests of a whole relation",
        "project.snapshot-paths": "the history of a relation",
        "project.analysis-paths": "SQL that is compiled only",
        "project.docs-paths": "pages of documentation",
        "project.on-run-start": "SQL around a run",
        "project.on-run-end": "SQL around a run",
        "project.dispatch": "macros of packages",
        "project.exposures": "who reads the outputs",
        "project.snapshots": "the history of a relation",
        **_below("models.config", _CONFIG),
        **_below("seeds.config", _CONFIG),
        **_below("models.columns", _COLUMN),
        **_below("seeds.columns", _COLUMN),
        **_below("sources.tables.columns", _COLUMN),
        **_below("data_tests", _DATA_TEST),
    }
)
"""Path of a key, without positions, to what it is for."""

LATER_VALUES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ml_models.transforms.encode": {"embedding": "learnt vectors of categories"},
        "models.config.materialized": {
            "incremental": "only new rows",
            "materialized_view": "a view that others keep",
        },
        "sources.tables.format": {
            "delta": "Delta Lake",
            "iceberg": "Apache Iceberg",
            "avro": "Avro",
            "jdbc": "a database",
            "text": "lines of text",
            "xml": "XML",
        },
    }
)
"""Path of a key to those of its values that come later, and what they are."""

LATER_MAPPINGS: Mapping[str, str] = MappingProxyType(
    {
        "ml_models.features.include": "columns by type or by pattern; give their names",
        "ml_models.features.exclude": "columns by type or by pattern; give their names",
        "ml_models.weight": "weights by rule; give a column",
    }
)
"""Path of a key that takes a mapping later, and what that is."""
