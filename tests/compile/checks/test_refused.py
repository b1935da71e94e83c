"""What Spark refuses is found before it starts, at its place; and Spark does refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from checks_corpus import OWN, problems, refused

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
    from pyspark.errors import AnalysisException, ParseException

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
