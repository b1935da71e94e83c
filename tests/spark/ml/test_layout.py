"""The row layout: the same partitions and order whatever the cores and the order of arrival."""

from __future__ import annotations

import pytest

from sqlml.run.ml.layout import lay_out, partition_count


@pytest.mark.parametrize(
    ("rows", "expected"), [(0, 1), (1, 1), (50_000, 1), (50_001, 2), (336_776, 7), (10**7, 200), (10**9, 200)]
)
def test_partitions_grow_with_the_rows(rows, expected):
    assert partition_count(rows) == expected


def partitions(rows):
    from pyspark.sql import functions as sf

    placed = rows.withColumn("p", sf.spark_partition_id()).withColumn("i", sf.monotonically_increasing_id())
    return [tuple(row) for row in placed.select("p", "i", *rows.columns).collect()]


def test_the_layout_does_not_depend_on_order_nor_settings(spark, rows_of):
    rows = rows_of(200).selectExpr("id % 20 as k", "id", "colour", "array(id) as list")
    for keys in (("k",), ()):
        first = partitions(lay_out(rows, keys, 3))
        usual = spark.conf.get("spark.sql.shuffle.partitions")
        spark.conf.set("spark.sql.shuffle.partitions", "7")
        spark.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", "1g")
        try:
            shuffled = rows.repartition(5, "colour").sort("colour", "id", ascending=False)
            assert partitions(lay_out(shuffled, keys, 3)) == first
        finally:
            spark.conf.set("spark.sql.shuffle.partitions", usual)
            spark.conf.unset("spark.sql.adaptive.advisoryPartitionSizeInBytes")
        assert {row[0] for row in first} == {0, 1, 2}
