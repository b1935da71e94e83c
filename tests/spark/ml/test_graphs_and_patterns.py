"""Relations by an algorithm, against what Spark's own examples print and against Spark ML by hand."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from sqlml.errors import SqlmlError, format_error
from sqlml.ir.algorithms import AlgorithmRelation
from sqlml.ir.location import Places, SourceLocation
from sqlml.run.ml.algorithms import run_algorithm

pytestmark = pytest.mark.spark

PLACES = Places(SourceLocation("g.yml", 3), {"weight": SourceLocation("g.yml", 7)})


def run(kind, algorithm, rows, columns, **params):
    entry = AlgorithmRelation("r", kind, algorithm, "g.yml", PLACES, "", columns, params)
    with ExitStack() as stack:
        made = run_algorithm(entry, rows, stack)
        return made.dtypes, made.collect()


def clusters(spark, sql, **given):
    columns = {"src": "one", "dst": "Other", "weight": "alike"}
    types, rows = run("graph", "power_iteration_clustering", spark.sql(sql), columns, **{"initMode": "degree", **given})
    groups = {}
    for row in rows:
        groups.setdefault(row.cluster, set()).add(row.id)
    return types, sorted(groups.values(), key=str)


def test_clusters_are_those_of_spark_ml_by_hand(spark):
    from pyspark.ml.clustering import PowerIterationClustering

    """Texts and Spark's own example are in `golden/valid/graphs`."""
    ends = "cast(id as smallint) one, cast(pmod(id * id + 3, 17) as smallint) other"
    sql = f"select {ends}, 1 + pmod(id, 3) alike from range(40)"
    by_hand = PowerIterationClustering(
        srcCol="one", dstCol="other", weightCol="alike", k=3, maxIter=3, initMode="degree"
    )
    types, found = clusters(spark, sql, k=3, maxIter=3)
    assert types == [("id", "smallint"), ("cluster", "int")]
    expected = {}
    for row in by_hand.assignClusters(
        spark.sql(sql).selectExpr("int(one) one", "int(other) other", "alike").coalesce(1)
    ).collect():
        expected.setdefault(row.cluster, set()).add(row.id)
    assert len(expected) == 3
    assert found == sorted(expected.values(), key=str)


def test_a_column_that_cannot_be_read_is_named(spark):
    sql = "select * from values (0, 1, 1.0), (null, 2, -1.0), (3, null, null) as t(one, other, alike)"
    with pytest.raises(SqlmlError) as failure:
        clusters(spark, sql)
    text = format_error(failure.value)
    assert "src 'one' of graph 'r' is null in 1 row\n" in text
    assert "dst 'Other' of graph 'r' is null in 1 row\n" in text
    assert "weight 'alike' of graph 'r' is null, negative or not finite in 2 rows\n  --> g.yml:7" in text
    with pytest.raises(SqlmlError, match="has no rows to read"):
        clusters(spark, "select 1 one, 2 other, 3 alike where false")


def sequences(spark, values, **params):
    rows = spark.sql(f"select * from values {values} as t(steps)")
    types, found = run("pattern", "prefix_span", rows, {"sequence": "steps"}, **params)
    return types, sorted((row.sequence, row.freq) for row in found)


def test_sequences_are_those_of_sparks_example(spark):
    """Repeats and nulls in a set change nothing, and neither does a row without a sequence."""
    values = "(array(array(1, 2), array(3))), (array(array(1), array(3, 2, 3), array(1, 2, null))), "
    values += "(array(array(1, 2), array(), array(5))), (array(array(6)))"
    expected = [([[1]], 3), ([[1], [3]], 2), ([[1, 2]], 3), ([[2]], 3), ([[3]], 2)]
    found = sequences(spark, values, minSupport=0.5, maxPatternLength=5)
    assert found == ([("sequence", "array<array<int>>"), ("freq", "bigint")], expected)
    assert sequences(spark, f"{values}, (null)", minSupport=0.4, maxPatternLength=5)[1] == expected


def test_items_one_after_another(spark):
    values = "(array('a', 'b', 'c')), (array('a', 'c')), (array('c', null, 'a'))"
    types, found = sequences(spark, values, minSupport=0.6, maxPatternLength=2)
    assert types == [("sequence", "array<string>"), ("freq", "bigint")]
    assert found == [(["a"], 3), (["a", "c"], 2), (["c"], 3)]
