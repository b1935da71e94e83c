"""The algorithms that make a relation of another without a fitted model: an entry each, what it reads and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlml.ir.location import Places
from sqlml.ir.project import ColumnSpec, DataTest
from sqlml.ir.roles import Domain
from sqlml.ir.state import Column

AlgorithmKind = Literal["graph", "pattern"]


@dataclass(frozen=True, slots=True)
class AlgorithmRelation:
    """One entry of `graphs:` or `patterns:`.

    Attributes:
        kind: of the node that it is.
        algorithm: one of `ALGORITHMS`.
        over: the text of a `ref(...)` or `source(...)` call: what it reads.
        columns_read: role (of `Algorithm.roles`) to a column of that relation.
        params: Spark ML's own param names and values.
        places: of the entry and its keys.
    """

    name: str
    kind: AlgorithmKind
    algorithm: str
    path: str
    places: Places
    over: str
    columns_read: Mapping[str, str]
    params: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[ColumnSpec, ...] = ()
    tests: tuple[DataTest, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm of Spark ML that is no estimator.

    Attributes:
        name: as an entry names it.
        spark_class, module: what runs it; its params are the entry's.
        about: one line for the documentation.
        over: the key of an entry that names the relation.
        roles: key of an entry to what its column holds.
        columns: gives its columns, from the types of the columns that it reads (empty: not known).
    """

    name: str
    kind: AlgorithmKind
    spark_class: str
    module: str
    about: str
    over: str
    roles: Mapping[str, Domain]
    columns: Callable[[Mapping[str, str]], Sequence[Column]]


ALGORITHMS: dict[str, Algorithm] = {
    entry.name: entry
    for entry in (
        Algorithm(
            "power_iteration_clustering",
            "graph",
            "PowerIterationClustering",
            "pyspark.ml.clustering",
            "Clusters of what is alike: `k` groups of the ids of pairs with similarities.",
            "edges",
            {"src": Domain.ID, "dst": Domain.ID, "weight": Domain.NON_NEGATIVE},
            lambda types: (Column("id", types["src"]), Column("cluster", "int")),
        ),
        Algorithm(
            "prefix_span",
            "pattern",
            "PrefixSpan",
            "pyspark.ml.fpm",
            "What often comes after what, in sequences of items or of sets of items.",
            "rows",
            {"sequence": Domain.LIST},
            lambda types: (Column("sequence", types["sequence"]), Column("freq", "bigint")),
        ),
    )
}


def algorithms_of(kind: str) -> tuple[str, ...]:
    """Return the names of the algorithms of `graphs:` or of `patterns:`."""
    return tuple(name for name, entry in ALGORITHMS.items() if entry.kind == kind)
