"""What is found out about the nodes of a Dag while it is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlml.compile.types import SparkType, from_plain
from sqlml.ir.lineage import NodeLineage
from sqlml.ir.signatures import ExpectedSignature
from sqlml.ir.transforms import FeatureTransform


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known of the columns of a relation beside their types; names in lower case.

    Attributes:
        present: those that are never null.
        units: timestamp to the unit that it is cut off to, such as `day`.
        unique: those that together name a row; None: there are none for sure.
    """

    present: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)
    unique: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class SqlFacts:
    """What the SQL of a node says, given what it reads: the form in which it is kept from run to run.

    It is plain data and the same wherever the SQL stands: places are offsets in it. A new fact is one more field, found
    in `sqlml.compile.read_sql`.

    Attributes:
        length: of the statement: of the text without trailing semicolons.
        digest: of its tokens.
        columns: of what it returns, in the user's spelling; None: unknown. Data tests have none.
        types: each of `columns`, in order, as `to_plain` gives it; empty if `columns` are unknown.
        is_exact: whether all that it reads is known, so that it can be cut (see `slices`).
        lineage, of_columns: of a SQL model.
        foreign: relations outside of the project that it reads, with the offsets of their names, the end excluded.
        unstable: calls of functions whose value changes between two builds, in the same form.
        doubts: what may be wrong: code, what follows whose SQL it is, fix, and offsets, the end excluded.
    """

    length: int
    digest: str
    columns: tuple[str, ...] | None = None
    types: tuple[Any, ...] = ()
    is_exact: bool = False
    lineage: NodeLineage | None = None
    of_columns: ColumnFacts = field(default_factory=ColumnFacts)
    foreign: tuple[tuple[str, int, int], ...] = ()
    unstable: tuple[tuple[str, int, int], ...] = ()
    doubts: tuple[tuple[str, str, str | None, int, int], ...] = ()

    def typed(self) -> dict[str, SparkType | None] | None:
        """Return its columns with their types; None: unknown."""
        if self.columns is None:
            return None
        return dict(zip(self.columns, map(from_plain, self.types), strict=True))


@dataclass(frozen=True, slots=True)
class SqlSlice:
    """What some columns of a SQL model are made of.

    Attributes:
        digest: of the tokens that are left of its SQL.
        parents: node id to the names (lower case, sorted) of the columns that are read.
    """

    digest: str
    parents: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Condition:
    """A `where:` that was read.

    Attributes:
        digest: of its tokens.
        columns: what it reads, in lower case; None: not all of it is known.
    """

    digest: str
    columns: frozenset[str] | None


@dataclass(slots=True)
class Facts:
    """What was found out about the nodes of a Dag, by id.

    Attributes:
        sql: of SQL models and data tests.
        columns: of relations; None where unknown.
        types: of relations: each of `columns`, in order, to its type, None if that is unknown.
        features, conditions, signatures, transforms: of ML models.
        slice_columns: of ML models: what their slices read, in lower case; None: not all of it is known.
    """

    sql: dict[str, SqlFacts] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    types: dict[str, Mapping[str, SparkType | None]] = field(default_factory=dict)
    features: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    conditions: dict[str, Condition | None] = field(default_factory=dict)
    signatures: dict[str, ExpectedSignature] = field(default_factory=dict)
    transforms: dict[str, tuple[FeatureTransform, ...]] = field(default_factory=dict)
    slice_columns: dict[str, frozenset[str] | None] = field(default_factory=dict)

    def type_of(self, node_id: str, column: str) -> str:
        """Return the type of a column as its node spells it; empty if that is unknown."""
        return str(self.types.get(node_id, {}).get(column) or "")

    def condition_columns(self, node_id: str) -> frozenset[str]:
        """Return the columns (lower case) that the `where:` of an ML model reads, as far as they are known."""
        condition = self.conditions.get(node_id)
        return (condition.columns if condition is not None else None) or frozenset()
