"""The row layout: the same partitions and order whatever the cores and the order of arrival."""

from __future__ import annotations

import pytest

from sqlml.run.ml.layout import Layout, choose_layout, lay_out, merged_at_driver


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (0, Layout(1, 2)),
        (50_000, Layout(1, 2)),
        (50_001, Layout(2, 2)),
        (100_001, Layout(6, 2)),
        (336_776, Layout(7, 2)),
        (420_000, Layout(10, 2)),
        (550_000, Layout(11, 2)),
        (600_000, Layout(18, 3)),
    ],
)
def test_partitions_grow_with_the_rows(rows, expected):
    assert choose_layout(rows) == expected


def test_sums_are_merged_by_two_at_most():
    for rows in (1, 10**5, 10**6, 2 * 10**6, 5 * 10**6, 10**7, 10**9):
        layout = choose_layout(rows)
        assert merged_at_driver(layout.partitions, layout.depth) <= 2
        assert layout.partitions <= 200


def test_a_depth_that_the_user_fixed_stays():
    assert choose_layout(10**9, depth=2) == Layout(11, 2)
    assert choose_layout(10**6, depth=3) == Layout(20, 3)


def partitions(rows):
    from pyspark.sql import functions as F

    placed = rows.withColumn("p", F.spark_partition_id()).withColumn("i", F.monotonically_increasing_id())
    return [tuple(row) for row in placed.select("p", "i", *rows.columns).collect()]


def test_the_layout_does_not_depend_on_order_nor_settings(spark, rows_of):
    rows = rows_of(200).selectExpr("id % 20 as k", "id", "colour", "array(id) as list")
    for keys in (("k",), ()):
        first = partitions(lay_out(rows, keys, 3))
        spark.conf.set("spark.sql.shuffle.partitions", "7")
        spark.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", "1g")
        try:
            shuffled = rows.repartition(5, "colour").sort("colour", "id", ascending=False)
            assert partitions(lay_out(shuffled, keys, 3)) == first
        finally:
            spark.conf.unset("spark.sql.shuffle.partitions")
            spark.conf.unset("spark.sql.adaptive.advisoryPartitionSizeInBytes")
        assert {row[0] for row in first} == {0, 1, 2}
