"""The Dag: the project's nodes and edges, each node after its parents (the resolve phase's product)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlml.ir.algorithms import AlgorithmRelation
from sqlml.ir.location import Places, SourceLocation, locate_span
from sqlml.ir.project import ColumnSpec, DataTest, Materialized, MlModel, MlOutput, Project, Seed, Source, SqlModel
from sqlml.ir.state import CHAMPION, Column, alias_key

NodeKind = Literal["source", "seed", "sql_model", "ml_model", "prediction", "ml_output", "graph", "pattern", "test"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of rendered text and where it came from.

    Attributes:
        start, end: offsets in the rendered text, end excluded.
        line: line in the template, from 1.
        offset: offset in the template of the stretch's first character when it was copied as it stands; None when
            an expression or a macro made it.
        made_by: offsets in the template of the expression that made it, braces included, end excluded; None when it
            was copied, or only the line is known.
    """

    start: int
    end: int
    line: int
    offset: int | None = None
    made_by: tuple[int, int] | None = None

    def reach(self, offset: int) -> tuple[int, int] | None:
        """Return the stretch of the template that the character at `offset` of the rendered text came from."""
        if self.offset is None:
            return self.made_by
        at = self.offset + offset - self.start
        return at, at + 1


@dataclass(frozen=True, slots=True)
class Rendered:
    """SQL after Jinja, with the way back to the user's file.

    Attributes:
        origin: the place of all of it, if sqlml itself wrote it for something that a user declared.
    """

    text: str
    path: str
    template: str
    segments: tuple[Segment, ...] = ()
    origin: SourceLocation | None = None

    def locate(self, start: int, end: int | None = None) -> SourceLocation:
        """Return the place in the user's file of the characters from `start` to `end` of `text`.

        Args:
            start: an offset in `text`.
            end: the offset behind the last of them; None: it is not known how far they reach.
        """
        if self.origin is not None:
            return self.origin
        first = self._segment(start)
        came_from = None if first is None else first.reach(start)
        if first is None or came_from is None:
            return SourceLocation(self.path, 1 if first is None else first.line)
        begin, stop = came_from
        if end is None:
            place = locate_span(self.path, self.template, begin, stop)
            return place if first.offset is None else SourceLocation(self.path, place.line, place.column)
        # The end may be in a stretch that stands before the start, as in the next round of a loop.
        for segment, last in ((self._segment(end - 1), end - 1), (first, min(end, first.end) - 1)):
            reached = None if segment is None else segment.reach(last)
            if reached is not None and reached[1] > begin:
                stop = reached[1]
                break
        return locate_span(self.path, self.template, begin, stop)

    def _segment(self, offset: int) -> Segment | None:
        return next((segment for segment in self.segments if segment.start <= offset < segment.end), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What all nodes have.

    Attributes:
        id: `source.<source>.<table>`, `seed.<name>`, `sql_model.<name>`, `ml_model.<name>`,
            `prediction.<ml model>.<relation>`, `ml_output.<name>`, `graph.<name>`, `pattern.<name>`, `test.<name>`.
        name: what a user calls it (`raw.flights` for a source).
        path: the file that declares it, relative to the root.
        parents: ids of the nodes it reads, without repeats.
        relation: the temp view that SQL reads it by, unquoted (`dev__flights`); empty for ML models and tests.
    """

    id: str
    name: str
    path: str
    places: Places
    tags: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    relation: str = ""

    @property
    def kind(self) -> NodeKind:
        """The word before the first dot of the id."""
        return self.id.partition(".")[0]  # type: ignore[return-value]

    @property
    def declared_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns that YAML declares for it."""
        return ()

    @property
    def data_tests(self) -> tuple[DataTest, ...]:
        """The generic data tests that YAML declares on it."""
        return ()

    @property
    def is_stored(self) -> bool:
        """Whether a build of it leaves an output."""
        return False

    @property
    def alias_read(self) -> str | None:
        """The `alias_key` of the version that makes its rows, of an ML model among its parents; None for most nodes."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNode(Node):
    """A source's table."""

    source: Source

    @property
    def declared_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns that YAML declares for it."""
        return self.source.columns

    @property
    def data_tests(self) -> tuple[DataTest, ...]:
        """The generic data tests that YAML declares on it."""
        return self.source.tests


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltNode(Node):
    """A relation that a build makes: a seed, a SQL model, an output of an ML model, a graph or pattern."""

    @property
    def is_stored(self) -> bool:
        """Whether a build of it leaves an output."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedNode(BuiltNode):
    """A seed, built as a table."""

    seed: Seed

    @property
    def declared_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns that YAML declares for it."""
        return self.seed.columns

    @property
    def data_tests(self) -> tuple[DataTest, ...]:
        """The generic data tests that YAML declares on it."""
        return self.seed.tests


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlNode(BuiltNode):
    """A SQL model, rendered.

    Attributes:
        config: the final config, `config()` calls included.
        contract: the columns it promises, with their types; None: it promises none, or it is not compiled yet.
    """

    sql_model: SqlModel
    sql: Rendered
    materialized: Materialized = "table"
    config: Mapping[str, Any] = field(default_factory=dict)
    contract: tuple[Column, ...] | None = None

    @property
    def has_contract(self) -> bool:
        """Whether it must return what YAML declares, and nothing else."""
        return bool(self.config.get("contract", {}).get("enforced"))

    def place_of(self, column: str | None) -> SourceLocation:
        """Return where YAML declares the type of a column; where its columns stand for one that it does not know."""
        places = self.sql_model.places
        names = [declared.name.lower() for declared in self.sql_model.columns]
        known = column is not None and column.lower() in names
        return places.of(f"columns.{names.index(column.lower())}.data_type" if column and known else "columns")

    @property
    def declared_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns that YAML declares for it."""
        return self.sql_model.columns

    @property
    def data_tests(self) -> tuple[DataTest, ...]:
        """The generic data tests that YAML declares on it."""
        return self.sql_model.tests

    @property
    def is_stored(self) -> bool:
        """Whether a build of it leaves an output."""
        return self.materialized != "ephemeral"


@dataclass(frozen=True, slots=True, kw_only=True)
class MlNode(Node):
    """An ML model; its only parent is its training relation."""

    ml_model: MlModel

    @property
    def training_relation(self) -> str:
        """Id of the node it is trained on."""
        return self.parents[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionNode(Node):
    """A `predict('ml model', relation)` call: a relation of its own, never stored.

    Attributes:
        ml_model: id of the ML model.
        scored: id of the relation that is scored.
        explain: how many features explain each row; None: rows are not explained.
    """

    ml_model: str
    scored: str
    explain: int | None = None

    @property
    def alias_read(self) -> str:
        """The `alias_key` of the version that makes its rows: a champion's."""
        return alias_key(self.ml_model.partition(".")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class MlOutputNode(BuiltNode):
    """A table made from the champion of an ML model: an entry of its `outputs:`, or what an `ml_table()` call reads.

    Attributes:
        ml_model: id of the ML model.
        over: the relation that says whom it is made for; None: all that the champion was fitted on.
        seen: the relation whose pairs are left out; None: none are.
        seen_where: SQL condition on the rows of `seen`.
        is_called: whether an `ml_table()` call made it; then the output's kind is the table's name.
        version: the number or the alias of the version that it is of.
        among: the relation in which rows are looked for; None: the kind looks for none.
        among_where: SQL condition on the rows of `among`.
        keys: the columns that tell the rows of `among` apart.
    """

    ml_model: str
    output: MlOutput
    is_called: bool = False
    version: int | str = CHAMPION
    over: str | None = None
    seen: str | None = None
    seen_where: str | None = None
    among: str | None = None
    among_where: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def declared_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns that YAML declares for it."""
        return self.output.columns

    @property
    def data_tests(self) -> tuple[DataTest, ...]:
        """The generic data tests that YAML declares on it."""
        return self.output.tests

    @property
    def alias_read(self) -> str | None:
        """The `alias_key` of the version that makes its rows; None if it is of one version for good."""
        name = self.ml_model.partition(".")[2]
        return None if isinstance(self.version, int) else alias_key(name, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmNode(BuiltNode):
    """A relation that an algorithm makes of another, its only parent, without a fitted model.

    Attributes:
        read: the relation that it reads, as one quoted name.
    """

    algorithm_relation: AlgorithmRelation
    read: str

    @property
    def declared_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns that YAML declares for it."""
        return self.algorithm_relation.columns

    @property
    def data_tests(self) -> tuple[DataTest, ...]:
        """The generic data tests that YAML declares on it."""
        return self.algorithm_relation.tests


@dataclass(frozen=True, slots=True, kw_only=True)
class TestNode(Node):
    """A data test.

    Attributes:
        test: as declared.
        owner: id of the last of its parents in DAG order, whose publication it blocks.
        sql: the SELECT that must return no rows.
        condition: what a failing row of the owner meets, for tests that one scan can answer together
            (`not_null`, `accepted_values`); None for the others.
    """

    # Not a pytest class, whatever its name says.
    __test__ = False

    test: DataTest
    owner: str
    sql: Rendered
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Dag:
    """The project's graph.

    Attributes:
        nodes: id to node, parents first.
        warnings: what the user should know though nothing is wrong (text, place).
    """

    project: Project
    nodes: Mapping[str, Node]
    warnings: tuple[tuple[str, SourceLocation], ...] = ()

    def children(self) -> dict[str, list[str]]:
        """Return for each id the ids that read it, in DAG order."""
        children: dict[str, list[str]] = {node_id: [] for node_id in self.nodes}
        for node in self.nodes.values():
            for parent in node.parents:
                children[parent].append(node.id)
        return children

    def tests_of(self, node_id: str) -> tuple[TestNode, ...]:
        """Return the data tests that `node_id` owns."""
        return tuple(node for node in self.nodes.values() if isinstance(node, TestNode) and node.owner == node_id)
