"""What Spark refuses is found before it starts, at its place; and Spark does refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from checks_corpus import OWN, problems, refused
from pyspark.errors import AnalysisException, ParseException

from sqlml.compile.checks.spark_table import spark_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize("case", refused(), ids=lambda case: case.sql)
def test_what_is_wrong_is_said_at_its_place(case):
    (found,) = problems(case.sql)
    assert found.what.startswith(case.said)
    assert found.span == (case.start, case.end)
    assert found.fix


@pytest.mark.spark
def test_spark_refuses_it_too(spark: SparkSession):
    for name, columns in OWN.items():
        parts = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in columns.items())
        spark.sql(f"select {parts} where false").createOrReplaceTempView(name)
    taken = []
    try:
        for case in refused():
            try:
                spark.sql(case.sql)
            except (AnalysisException, ParseException):
                continue
            taken.append(case.sql)
    finally:
        for name in OWN:
            spark.catalog.dropTempView(name)
    assert taken == []


@pytest.mark.spark
def test_the_table_has_the_functions_of_spark(spark: SparkSession):
    names = {row[0] for row in spark.sql("show system functions").collect()} - {"!=", "<>", "||", "case"}
    assert spark.version.startswith(spark_table().version)
    assert set(spark_table().functions) == names
    for name, count in (("round", 3), ("upper", 1), ("coalesce", 0), ("lpad", 2), ("concat", 9), ("nullif", 1)):
        try:
            spark.sql(f"select {name}({', '.join(['null'] * count)})")
        except AnalysisException as error:
            is_taken = "WRONG_NUM_ARGS" not in (error.getCondition() or "")
        else:
            is_taken = True
        assert spark_table().functions[name].takes(count) == is_taken, name
