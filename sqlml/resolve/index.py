"""What `ref()`, `source()` and `predict()` can name: the Project in, ids and relation names out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlml.errors import ResolveError, SqlmlError
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Project


class Relation(str):
    """The back-quoted name that a reference renders as, knowing its node.

    Attributes:
        node_id: the node's id; empty where the reference was wrong and rendering goes on to find more errors.
        node_name: the node's name.
    """

    __slots__ = ("node_id", "node_name")
    node_id: str
    node_name: str

    def __new__(cls, name: str, node_id: str = "", node_name: str = "") -> Relation:
        """Return the quoted form of the relation `name`."""
        relation = super().__new__(cls, quoted(name))
        relation.node_id = node_id
        relation.node_name = node_name
        return relation

    @classmethod
    def of(cls, entry: Entry) -> Relation:
        """Return what a reference to `entry` renders as."""
        return cls(entry.relation, entry.node_id, entry.node_id.partition(".")[2])


def quoted(name: str) -> str:
    """Return `name` as one Spark identifier, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True, slots=True)
class Entry:
    """A node that a template can name: its id, the unquoted relation (empty for ML models) and its place."""

    node_id: str
    relation: str
    place: SourceLocation


@dataclass(frozen=True, slots=True)
class Index:
    """All names of a project.

    Attributes:
        relations: what `ref()` can name.
        sources: source name to table name to entry.
        ml_models: what `predict()` can name.
    """

    project_name: str
    schema: str
    relations: Mapping[str, Entry]
    sources: Mapping[str, Mapping[str, Entry]]
    ml_models: Mapping[str, Entry]

    def find(self, lookup: str) -> Entry | None:
        """Return the entry of `ref:NAME`, `source:SOURCE.TABLE` or `ml_model:NAME`; None if there is none."""
        kind, _, name = lookup.partition(":")
        if kind == "source":
            source, _, table = name.partition(".")
            return self.sources.get(source, {}).get(table)
        return (self.relations if kind == "ref" else self.ml_models).get(name)

    def where_is(self, name: str) -> str | None:
        """Return how to name what is called `name` if it is not a relation that `ref()` reads, else None."""
        if name in self.ml_models:
            return f"predict('{name}', ref('…')) gives its scores, ml_table('{name}', '…') what its evaluation left"
        for source, tables in self.sources.items():
            for table in tables:
                if name in (table, f"{source}.{table}"):
                    return f"it is a source: write source('{source}', '{table}')"
        return None


def index_project(project: Project, errors: list[SqlmlError]) -> Index:
    """Return the names of `project`; append an error for each that is taken twice."""
    schema = project.target.schema
    relations: dict[str, Entry] = {}
    ml_models: dict[str, Entry] = {}
    sources: dict[str, dict[str, Entry]] = {}
    for kind, name, place in _declared(project):
        entry = Entry(f"{kind}.{name}", f"{schema}__{name}" if kind != "ml_model" else "", place)
        before = relations.get(name) or ml_models.get(name)
        if before is not None:
            errors.append(_taken(f"'{name}' is the name of two nodes", before, entry))
            continue
        (ml_models if kind == "ml_model" else relations)[name] = entry
    for source in sorted(
        project.sources, key=lambda source: (source.source_name, source.name, source.places.whole.line)
    ):
        name = f"{source.source_name}.{source.name}"
        entry = Entry(f"source.{name}", f"source__{source.source_name}__{source.name}", source.places.whole)
        tables = sources.setdefault(source.source_name, {})
        if source.name in tables:
            errors.append(_taken(f"source '{name}' is declared twice", tables[source.name], entry))
        tables.setdefault(source.name, entry)
    return Index(project.name, schema, relations, sources, ml_models)


def _declared(project: Project) -> Iterator[tuple[str, str, SourceLocation]]:
    for seed in sorted(project.seeds, key=lambda seed: (seed.name, seed.path)):
        yield "seed", seed.name, seed.places.whole
    for sql_model in sorted(project.sql_models, key=lambda sql_model: (sql_model.name, sql_model.path)):
        yield "sql_model", sql_model.name, SourceLocation(sql_model.path, 1)
    for ml_model in sorted(project.ml_models, key=lambda ml_model: (ml_model.name, ml_model.path)):
        yield "ml_model", ml_model.name, ml_model.places.whole
        for output in ml_model.outputs:
            yield "ml_output", output.name, output.places.whole
    for entry in sorted(project.algorithms, key=lambda entry: (entry.name, entry.path)):
        yield entry.kind, entry.name, entry.places.whole


def _taken(what: str, before: Entry, entry: Entry) -> ResolveError:
    return ResolveError(f"{what}: {before.place} and {entry.place}", entry.place, "rename one of the two")


def check_relations(relations: Mapping[str, tuple[str, SourceLocation]], errors: list[SqlmlError]) -> None:
    """Append an error for each two nodes that would be one temp view in Spark, whose names ignore case.

    Args:
        relations: node id to its relation and place.
        errors: the list to append to.
    """
    seen: dict[str, str] = {}
    for node_id in sorted(relations):
        relation, place = relations[node_id]
        other = seen.setdefault(relation.lower(), node_id)
        if other != node_id:
            what = f"'{node_id}' and '{other}' would both be the relation '{relation}' in Spark"
            errors.append(ResolveError(what, place, f"rename one of the two; the other is at {relations[other][1]}"))
