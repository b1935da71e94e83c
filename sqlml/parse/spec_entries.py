"""Checked entries: the entries of one YAML file in, what they declare out, with the errors of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from sqlml.errors import SqlmlError
from sqlml.ir.algorithms import AlgorithmRelation
from sqlml.ir.project import Source
from sqlml.parse.algorithms import ALGORITHM_SPECS, read_algorithm
from sqlml.parse.columns import read_columns
from sqlml.parse.data_tests import Relation
from sqlml.parse.declared import DeclaredMlModel, DeclaredRelation, Faults, FileEntries
from sqlml.parse.entries import RawEntry, read_raw_entries
from sqlml.parse.folder_rules import given_config
from sqlml.parse.ml_models import read_ml_model
from sqlml.parse.problems import validate
from sqlml.parse.relation_specs import SeedSpec, SourceSpec, SourceTableSpec, Spec, SqlModelSpec
from sqlml.parse.specs import MlModelSpec
from sqlml.parse.subject import Subject
from sqlml.parse.yaml_files import Entry, Render

ENTRY_SPECS: Mapping[str, type[Spec]] = MappingProxyType(
    {
        "sources": SourceSpec,
        "models": SqlModelSpec,
        "seeds": SeedSpec,
        "ml_models": MlModelSpec,
        "graphs": ALGORITHM_SPECS["graph"],
        "patterns": ALGORITHM_SPECS["pattern"],
    }
)
"""Key of a YAML file to what each entry below it is; the tables of a source are read apart."""


def read_file_entries(path: str, text: str, render: Render, errors: list[SqlmlError], faults: Faults) -> FileEntries:
    """Return what a YAML file declares.

    Args:
        errors: gets what is wrong whatever else there is.
        faults: gets what is wrong inside of entries of `models:`, `seeds:` and `ml_models:`.
    """
    raw: dict[str, list[RawEntry]] = {}
    for entry in read_raw_entries(path, text, render, errors):
        raw.setdefault(entry.kind, []).append(entry)
    return FileEntries(
        sources=tuple([source for entry in raw.get("sources", ()) for source in _read_source(entry, errors)]),
        models=tuple([_read_relation(entry, "models", faults) for entry in raw.get("models", ())]),
        seeds=tuple([_read_relation(entry, "seeds", faults) for entry in raw.get("seeds", ())]),
        ml_models=tuple([_read_ml_model(entry, faults) for entry in raw.get("ml_models", ())]),
        algorithms=tuple(_read_algorithms(raw, errors)),
    )


def _read_relation(raw: RawEntry, kind: Literal["models", "seeds"], faults: Faults) -> DeclaredRelation:
    places = raw.entry.places
    errors = faults.setdefault(places.whole, [])
    noun = "seed" if kind == "seeds" else "sql model"
    subject = Subject(raw.subject(noun), kind, places)
    spec_type: type[SeedSpec | SqlModelSpec] = SeedSpec if kind == "seeds" else SqlModelSpec
    spec = None if raw.entry.broken else validate(spec_type, raw.entry.value, subject, errors)
    if spec is None:
        return DeclaredRelation(kind, raw.name, places)
    columns, tests = read_columns(spec.columns, Relation(f"{noun} '{raw.name}'", places, errors))
    return DeclaredRelation(
        kind=kind,
        name=raw.name,
        places=places,
        columns=columns,
        tests=tests,
        description=spec.description,
        options=spec.options if isinstance(spec, SeedSpec) else {},
        config=given_config(spec.config),
    )


def _read_ml_model(raw: RawEntry, faults: Faults) -> DeclaredMlModel:
    places = raw.entry.places
    return read_ml_model(raw, faults.setdefault(places.whole, []))


def _read_algorithms(raw: Mapping[str, list[RawEntry]], errors: list[SqlmlError]) -> Iterator[AlgorithmRelation]:
    """Yield the entries of `graphs:` and `patterns:` that are enabled."""
    for kind in ALGORITHM_SPECS:
        for entry in raw.get(f"{kind}s", ()):
            found = read_algorithm(entry, kind, errors)
            if found is not None:
                yield found


def _read_source(raw: RawEntry, errors: list[SqlmlError]) -> Iterator[Source]:
    """Yield the tables of an entry of `sources:` that are enabled."""
    if raw.entry.broken:
        return
    subject = Subject(raw.subject("source"), "sources", raw.entry.places)
    head = validate(SourceSpec, raw.entry.value, subject, errors)
    if head is None or not head.enabled:
        return
    if not raw.tables:
        errors.append(subject.error("tables", "it has no tables", "add 'tables:' with a name and a path"))
    for entry in raw.tables:
        source = _read_table(head, entry, errors)
        if source is not None:
            yield source


def _read_table(head: SourceSpec, entry: Entry, errors: list[SqlmlError]) -> Source | None:
    name = entry.value.get("name") if isinstance(entry.value, dict) else None
    title = f"source '{head.name}.{name}'" if name else f"a table of source '{head.name}'"
    subject = Subject(title, "sources.tables", entry.places)
    spec = None if entry.broken else validate(SourceTableSpec, entry.value, subject, errors)
    if spec is None or not spec.enabled:
        return None
    columns, tests = read_columns(spec.columns, Relation(title, entry.places, errors))
    _check_repeats(spec.keys, "keys", subject, errors)
    return Source(
        source_name=head.name,
        name=spec.name,
        path=spec.path,
        format=spec.format or "",
        places=entry.places,
        options=spec.options,
        keys=tuple(spec.keys),
        columns=columns,
        tests=tests,
        description=spec.description,
        tags=tuple(dict.fromkeys([*head.tags, *spec.tags])),
    )


def _check_repeats(names: Sequence[str], key: str, subject: Subject, errors: list[SqlmlError]) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name.lower() in seen:
            errors.append(subject.error(f"{key}.{position}", f"column '{name}' stands twice in '{key}'", "remove one"))
        seen.add(name.lower())
