"""Makes relations by an algorithm of Spark ML that is no estimator: a relation in, the rows of another out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError, SqlmlError, raise_all
from sqlml.ir.algorithms import ALGORITHMS, Algorithm, AlgorithmRelation
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.roles import Domain
from sqlml.ir.signatures import INTEGERS
from sqlml.run.ml.layout import lay_out, partition_count, persisted
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WRONG = {Domain.ID: "null", Domain.LIST: "null", Domain.NON_NEGATIVE: "null, negative or not finite"}


@dataclass(frozen=True, slots=True)
class _Work:
    """An entry with its algorithm, and the rows that it reads: a column for each role, under the role's name."""

    entry: AlgorithmRelation
    algorithm: Algorithm
    rows: DataFrame
    types: Mapping[str, str]
    stack: ExitStack

    def of_spark(self, **columns: str) -> Any:
        """Return Spark's class with the entry's params, reading the columns that it is told."""
        made = getattr(import_module(self.algorithm.module), self.algorithm.spark_class)()
        for name, value in {**self.entry.params, **columns}.items():
            made.set(made.getParam(name), value)
        return made


def run_algorithm(entry: AlgorithmRelation, read: DataFrame, stack: ExitStack) -> DataFrame:
    """Return the rows of a relation by an algorithm, lazily.

    Args:
        stack: frees what is kept, once the rows have been written.

    Raises:
        DataError, ErrorList: a column that cannot be read; it is named.
    """
    algorithm = ALGORITHMS[entry.algorithm]
    types = {column.name.lower(): column.type for column in columns_of(read.schema)}
    named = {role: types[column.lower()] for role, column in entry.columns_read.items()}
    rows = persisted(
        stack, read.selectExpr(*[f"{quote(column)} AS {role}" for role, column in entry.columns_read.items()])
    )
    count = _check(entry, algorithm, rows)
    laid_out = persisted(stack, lay_out(rows, [role for role in named if role != "sequence"], partition_count(count)))
    return _MAKERS[entry.algorithm](_Work(entry, algorithm, laid_out, named, stack))


def _check(entry: AlgorithmRelation, algorithm: Algorithm, rows: DataFrame) -> int:
    """Return how many rows there are.

    Raises:
        DataError, ErrorList: there is none, or a column holds what it may not.
    """
    measures = []
    for role in entry.columns_read:
        wrong = f"{role} IS NULL"
        if algorithm.roles[role].is_number:
            value = f"CAST({role} AS DOUBLE)"
            wrong += f" OR isnan({value}) OR {value} < 0 OR {value} = double('Infinity')"
        measures.append(f"count_if({wrong}) AS {role}")
    found = rows.selectExpr("count(*) AS n", *measures).collect()[0]
    errors: list[SqlmlError] = []
    if not found.n:
        what = f"{entry.kind} '{entry.name}' has no rows to read"
        errors.append(DataError(what, entry.places.value_of(algorithm.over), "it needs one at least"))
    for role, column in entry.columns_read.items():
        # Spark passes over a sequence that is null.
        if found[role] and role != "sequence":
            what = f"{role} '{column}' of {entry.kind} '{entry.name}' is {_WRONG[algorithm.roles[role]]} in "
            rows_text = f"{found[role]} row{'' if found[role] == 1 else 's'}"
            errors.append(DataError(what + rows_text, entry.places.value_of(role), "leave them out in the SQL"))
    raise_all(errors)
    return int(found.n)


def _cluster_graph(work: _Work) -> DataFrame:
    """Return `id` and `cluster` of each id; ids that are no integers go through an index of their texts."""
    from pyspark.ml.feature import IndexToString, StringIndexer

    weight = {"weightCol": "weight"} if "weight" in work.types else {}
    clustering = work.of_spark(srcCol="src", dstCol="dst", **weight)
    rows = work.rows
    if weight:
        rows = rows.withColumn("weight", rows["weight"].cast("double"))
    id_type = work.types["src"]
    if id_type in INTEGERS:
        found: DataFrame = clustering.assignClusters(rows.selectExpr(*weight.values(), *_AS_LONGS))
        return found.selectExpr(f"CAST(id AS {id_type}) AS id", "cluster")
    ends = [f"{INTERNAL_PREFIX}{end}" for end in ("src", "dst")]
    texts = rows.selectExpr("*", *[f"CAST({end} AS STRING) AS {INTERNAL_PREFIX}{end}" for end in ("src", "dst")])
    both = texts.selectExpr(f"{ends[0]} AS text").unionAll(texts.selectExpr(f"{ends[1]} AS text"))
    indexer: Any = StringIndexer(inputCol="text", outputCol="index", stringOrderType="alphabetAsc").fit(both)
    for end, text in zip(("src", "dst"), ends, strict=True):
        indexed = indexer.setInputCol(text).setOutputCol(f"{text}_index").transform(texts)
        texts = indexed.withColumn(end, indexed[f"{text}_index"].cast("bigint"))
    found = clustering.assignClusters(texts.select(*[*weight.values()], "src", "dst"))
    inverse: Any = IndexToString(inputCol="id", outputCol="name")
    # In Java from the one to the other: there may be millions.
    inverse._java_obj.setLabels(indexer._java_obj.labelsArray()[0])
    named: DataFrame = inverse.transform(found.withColumn("id", found["id"].cast("double")))
    return named.selectExpr(f"CAST(name AS {id_type}) AS id", "cluster")


def _find_sequences(work: _Work) -> DataFrame:
    """Return `sequence` and `freq`; in a set of items nulls and repeats are left out, and sets without any other."""
    data_type = work.types["sequence"]
    is_nested = data_type.startswith("array<array<")
    sets = "sequence" if is_nested else "transform(sequence, x -> array(x))"
    cleaned = f"transform({sets}, s -> array_distinct(array_compact(s)))"
    rows = work.rows.selectExpr(f"filter({cleaned}, s -> size(s) > 0) AS sequence")
    found: DataFrame = work.of_spark(sequenceCol="sequence").findFrequentSequentialPatterns(rows)
    shown = "transform(sequence, s -> array_sort(s))" if is_nested else "flatten(sequence)"
    return found.selectExpr(f"{shown} AS sequence", "freq")


_AS_LONGS = ("CAST(src AS BIGINT) AS src", "CAST(dst AS BIGINT) AS dst")
_MAKERS: Mapping[str, Callable[[_Work], DataFrame]] = {
    "power_iteration_clustering": _cluster_graph,
    "prefix_span": _find_sequences,
}
