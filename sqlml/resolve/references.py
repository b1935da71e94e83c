"""The functions of one node's template: what it reads, what it configures and what is wrong with it, noted as they
are called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlml.errors import ResolveError, SqlmlError, suggest
from sqlml.ir.location import SourceLocation
from sqlml.ir.ml_tables import ml_table_names
from sqlml.ir.project import Target
from sqlml.ir.state import CHAMPION, is_alias
from sqlml.resolve.index import Entry, Index, Relation

NOT_YET = "not supported yet"
SQL_MODEL_KEYS = ("materialized", "tags", "enabled", "contract")
TEST_KEYS = ("severity", "tags", "enabled")
MATERIALIZED = ("table", "view", "ephemeral")
_LATER_MATERIALIZED = ("incremental", "materialized_view", "snapshot")
# fmt: off
_LATER_KEYS = frozenset({
    "alias", "buckets", "clustered_by", "database", "docs", "event_time", "file_format", "full_refresh",
    "grants", "group", "incremental_strategy", "limit", "meta", "on_schema_change", "partition_by", "persist_docs",
    "post_hook", "pre_hook", "schema", "store_failures", "unique_key", "where",
})
# fmt: on
"""dbt's config keys that may come later."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A `predict()` call: ids of the ML model and of the relation scored, and what the call gives.

    Attributes:
        explain: how many features explain each row; None: rows are not explained.
    """

    node_id: str
    name: str
    ml_model: str
    scored: str
    relation: str
    place: SourceLocation
    explain: int | None = None


@dataclass(frozen=True, slots=True)
class MlTableCall:
    """An `ml_table()` call: id of the ML model, the table's name, the number or alias of the version, what it gives."""

    node_id: str
    name: str
    ml_model: str
    table: str
    relation: str
    place: SourceLocation
    version: int | str = CHAMPION


@dataclass(frozen=True, slots=True)
class Read:
    """A reference: what it rendered as, where, and whether `predict()` took it."""

    relation: Relation
    place: SourceLocation
    is_scored: bool = False


class References:
    """Gives a template its functions, and keeps what they were called with.

    A wrong call is noted in `errors`, and rendering goes on, so that all of a file's are found at once.

    Attributes:
        reads: references in the order of their calls; predictions too.
        config: keys of `config()` calls, the last one winning but for `tags`, which add up.
        warnings: messages of `log()`.
        found: what was looked up in the index (see `Index.find`), to the id of its node.
    """

    def __init__(
        self,
        index: Index,
        target: Target,
        start: SourceLocation,
        this: str | None = None,
        config_keys: Collection[str] = SQL_MODEL_KEYS,
    ) -> None:
        self.index = index
        self.start = start
        self.reads: list[Read] = []
        self.predictions: list[Prediction] = []
        self.ml_tables: list[MlTableCall] = []
        self.config: dict[str, Any] = {}
        self.errors: list[SqlmlError] = []
        self.warnings: list[tuple[str, SourceLocation]] = []
        self.found: dict[str, str] = {}
        self._config_keys = config_keys
        self.functions: dict[str, Any] = {
            "ref": self._noting(self.ref, Relation("")),
            "source": self._noting(self.source, Relation("")),
            "predict": self._noting(self.predict, Relation("")),
            "ml_table": self._noting(self.ml_table, Relation("")),
            "config": self._noting(self.configure, ""),
            "log": self.log,
            "target": {"name": target.name, "schema": target.schema},
        }
        if this is not None:
            self.functions["this"] = Relation(this)

    def _noting(self, function: Callable[..., Any], instead: str) -> Callable[..., Any]:
        def call(*values: Any, **named: Any) -> Any:
            try:
                return function(*values, **named)
            except ResolveError as error:
                error.location = self._place()
                self.errors.append(error)
                return instead

        return call

    def _place(self) -> SourceLocation:
        # Where a template is rendered, Jinja is loaded already.
        from sqlml.templating import place_of_call

        return place_of_call() or self.start

    def _read(self, lookup: str, entry: Entry) -> Relation:
        self.found[lookup] = entry.node_id
        relation = Relation.of(entry)
        self.reads.append(Read(relation, self._place()))
        return relation

    def ref(self, *names: Any, **options: Any) -> Relation:
        """Return the relation of a SQL model or a seed."""
        if options:
            raise ResolveError(f"ref() with '{next(iter(options))}' is {NOT_YET}", None, "write ref('name')")
        if len(names) != 1:
            reason = f"ref() of another project is {NOT_YET}" if len(names) == 2 else "ref() takes one name"
            raise ResolveError(reason, None, "write ref('name')")
        name = _name(names[0], "ref('name')")
        if name in self.index.relations:
            return self._read(f"ref:{name}", self.index.relations[name])
        other = self.index.where_is(name)
        if name in self.index.ml_models:
            raise ResolveError(f"ref('{name}'): '{name}' is an ML model, which is not a relation", None, other)
        fix = other or suggest(name, self.index.relations, "there are")
        raise ResolveError(f"ref('{name}'): there is no SQL model or seed '{name}'", None, fix)

    def source(self, source_name: Any, table_name: Any) -> Relation:
        """Return the relation of a source's table."""
        source = _name(source_name, "source('source', 'table')")
        table = _name(table_name, "source('source', 'table')")
        what = f"source('{source}', '{table}')"
        if source not in self.index.sources:
            raise ResolveError(f"{what}: there is no source '{source}'", None, self._suggest_source(source, table))
        tables = self.index.sources[source]
        if table not in tables:
            raise ResolveError(f"{what}: source '{source}' has no table '{table}'", None, suggest(table, tables))
        return self._read(f"source:{source}.{table}", tables[table])

    def _suggest_source(self, source: str, table: str) -> str:
        for name in (table, source):
            if name in self.index.relations:
                return f"it is not a source: write ref('{name}')"
        return suggest(source, self.index.sources, "there are")

    def predict(self, ml_model_name: Any, relation: Any, explain: Any = None) -> Relation:
        """Return the relation of an ML model's scores of `relation`, each row explained by `explain` features."""
        name = _name(ml_model_name, "predict('ml model', ref('relation'))")
        entry = self.index.ml_models.get(name)
        scored = self._scored(name, relation)
        if entry is None:
            is_other = "it is a relation; " if name in self.index.relations else ""
            fix = is_other + suggest(name, self.index.ml_models, "there are")
            raise ResolveError(f"predict('{name}', …): there is no ML model '{name}'", None, fix)
        if not scored.node_id:
            return Relation("")
        self.found[f"ml_model:{name}"] = entry.node_id
        name = f"{name}.{scored.node_name}" + ("" if explain is None else f".explain={_check_explain(name, explain)}")
        table = f"{self.index.schema}__predict__{name.replace('.', '__').replace('=', '_')}"
        node_id = f"prediction.{name}"
        call = Prediction(node_id, name, entry.node_id, scored.node_id, table, self._place(), explain)
        self.predictions.append(call)
        result = Relation(table, call.node_id, name)
        self.reads.append(Read(result, call.place))
        return result

    def _scored(self, ml_model: str, relation: object) -> Relation:
        """Return the reference among `reads` that `predict()` was given, now marked as taken."""
        for at, read in enumerate(self.reads):
            if read.relation is relation and not read.relation.node_id.startswith("prediction."):
                self.reads[at] = replace(read, is_scored=True)
                return read.relation
        if isinstance(relation, Relation) and relation == Relation(""):
            return relation  # a reference that was wrong, and noted as such
        text = str(relation)
        named = self.index.relations.get(text)
        fix = f"write predict('{ml_model}', ref('{text if named else '…'}'))"
        if isinstance(relation, Relation) and relation.node_id:
            fix = "put the inner predict() into a SQL model, and score that with ref('…')"
        raise ResolveError(f"predict('{ml_model}', …) scores what ref() or source() returns, not {text!r}", None, fix)

    def ml_table(self, ml_model_name: Any, table: Any, version: Any = CHAMPION) -> Relation:
        """Return the relation of what the fit of a version left: the champion, or one by its number or alias."""
        name = _name(ml_model_name, "ml_table('ml model', 'roc_curve')")
        table = _name(table, f"ml_table('{name}', 'roc_curve')")
        entry = self.index.ml_models.get(name)
        if entry is None:
            is_other = "it is a relation; " if name in self.index.relations else ""
            fix = is_other + suggest(name, self.index.ml_models, "there are")
            raise ResolveError(f"ml_table('{name}', …): there is no ML model '{name}'", None, fix)
        if table not in ml_table_names():
            fix = suggest(table, ml_table_names(), "there are")
            raise ResolveError(f"ml_table('{name}', '{table}'): there is no such table", None, fix)
        # A macro may hand on that nothing was said.
        version = CHAMPION if version is None else version
        self.found[f"ml_model:{name}"] = entry.node_id
        of = f"{name}__{table}{_version_suffix(name, table, version)}"
        relation = f"{self.index.schema}__{of}"
        call = MlTableCall(f"ml_output.{of}", of, entry.node_id, table, relation, self._place(), version)
        self.ml_tables.append(call)
        result = Relation(call.relation, call.node_id, of)
        self.reads.append(Read(result, call.place))
        return result

    def configure(self, *values: Any, **keys: Any) -> str:
        """Note configuration; it renders as nothing."""
        if values:
            raise ResolveError("config() takes keys, not values", None, "write config(materialized='view')")
        for key, value in keys.items():
            self._configure(key, value)
        return ""

    def _configure(self, key: str, value: Any) -> None:
        if key not in self._config_keys:
            if key in _LATER_KEYS or key in SQL_MODEL_KEYS or key in TEST_KEYS:
                fix = f"keys here: {', '.join(sorted(self._config_keys))}"
                raise ResolveError(
                    f"config key '{key}' is {NOT_YET if key in _LATER_KEYS else 'not known here'}", None, fix
                )
            raise ResolveError(f"config() has no key '{key}'", None, suggest(key, self._config_keys, "keys"))
        self.config[key] = [*self.config.get(key, ()), *check_tags(value)] if key == "tags" else _CHECKS[key](value)

    def log(self, message: Any, info: Any = False) -> str:
        """Note a message for the user; it renders as nothing."""
        self.warnings.append((str(message), self._place()))
        return ""

    def parents(self, text: str) -> Mapping[str, SourceLocation]:
        """Return the ids of what the rendered `text` reads, with the place of the first reference to each.

        What was only given to `predict()` is read by the prediction, unless its own name stands in the text too.
        """
        parents: dict[str, SourceLocation] = {}
        for read in self.reads:
            if not read.is_scored or read.relation in text:
                parents.setdefault(read.relation.node_id, read.place)
        return parents


def _name(value: Any, example: str) -> str:
    if not isinstance(value, str):
        # An undefined name given as an argument fails when it is made text, by the name.
        raise ResolveError(f"a name in quotes is needed, not {str(value)!r}", None, f"write {example}")
    return value


def _version_suffix(ml_model: str, table: str, version: Any) -> str:
    """Return what tells the table of a version from those of others in names of relations; empty for the champion."""
    if version == CHAMPION:
        return ""
    if isinstance(version, int) and not isinstance(version, bool) and version > 0:
        return f"__v{version}"
    if isinstance(version, str) and is_alias(version):
        # Names of relations have neither case nor signs. What looks like a sign written so is written so too.
        return "__at_" + re.sub(r"[^a-z0-9_]|_(?=[0-9a-f]+[^a-z0-9])", lambda sign: f"_{ord(sign[0]):x}_", version)
    fix = f"write ml_table('{ml_model}', '{table}', version=3) or version='stable'; without one it is the champion's"
    what = f"ml_table('{ml_model}', …): version takes a version's number or alias, not {version!r}"
    raise ResolveError(what, None, fix)


def _check_explain(ml_model: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    what = f"predict('{ml_model}', …) is explained by a whole number of features from 1, not {str(value)!r}"
    raise ResolveError(what, None, "write explain=5")


def check_tags(value: Any) -> tuple[str, ...]:
    """Return the tags in a config value, a name or a list of names; raise ResolveError for others."""
    tags = (value,) if isinstance(value, str) else value
    if not isinstance(tags, (list, tuple)) or not all(isinstance(tag, str) for tag in tags):
        raise ResolveError(f"config key 'tags' takes a name or a list of names, not {str(value)!r}")
    return tuple(tags)


def check_materialized(value: Any) -> str:
    """Return how a SQL model is materialized; raise ResolveError for what is unknown."""
    if value in MATERIALIZED:
        return str(value)
    if value in _LATER_MATERIALIZED:
        raise ResolveError(f"materialized='{value}' is {NOT_YET}", None, f"it is one of: {', '.join(MATERIALIZED)}")
    fix = suggest(str(value), MATERIALIZED, "it is one of")
    raise ResolveError(f"a SQL model cannot be materialized as {str(value)!r}", None, fix)


def _check_enabled(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ResolveError(f"config key 'enabled' takes true or false, not {str(value)!r}")


def _check_severity(value: Any) -> str:
    if str(value).lower() in ("error", "warn"):
        return str(value).lower()
    raise ResolveError(f"config key 'severity' takes 'error' or 'warn', not {str(value)!r}")


def _check_contract(value: Any) -> dict[str, bool]:
    if isinstance(value, dict) and set(value) <= {"enforced"} and isinstance(value.get("enforced", False), bool):
        return {"enforced": value.get("enforced", False)}
    raise ResolveError(
        f"config key 'contract' takes {{'enforced': true}}, not {str(value)!r}",
        None,
        "write config(contract={'enforced': true})",
    )


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "materialized": check_materialized,
    "enabled": _check_enabled,
    "severity": _check_severity,
    "contract": _check_contract,
}
