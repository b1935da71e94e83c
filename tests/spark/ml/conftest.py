"""Tiny tables and specs for fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import MlModel

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Everything is made of hashes of the id, so that each run and each machine has the same rows.
ROWS_SQL = """
with noise as (
  select id,
         pmod(xxhash64(id, 1), 1000) / 100.0d as a, pmod(xxhash64(id, 2), 1000) / 100.0d as b,
         pmod(xxhash64(id, 3), 1000) / 1000.0d as u, pmod(xxhash64(id, 4), 100) as c
  from range(0, {rows})
)
select id,
       if(id % 11 = 0, null, a) as x,
       cast(b as int) as n,
       if(id % 17 = 0, null, id % 3 = 0) as flag,
       case when c < 5 then null when c < 8 then '' when c < 60 then 'red' when c < 85 then "it's green"
            when c < 93 then 'blue' else concat('rare ', c) end as colour,
       timestamp '2024-01-01' + make_dt_interval(0, id) as at,
       a + if(c < 60, 2, 0) + 6 * u > 10 as late,
       3 * a - b + if(c < 60, 5, 0) + u as amount,
       case when a + 3 * u < 4 then 'low' when a + 3 * u < 8 then 'mid' else 'top' end as grade,
       1 + pmod(id, 4) as weight
from noise
"""


@pytest.fixture(scope="session")
def rows_sql() -> str:
    """The SQL of the rows, for another process."""
    return ROWS_SQL


@pytest.fixture(scope="session")
def rows_of(spark: SparkSession):
    """Return a maker of tables of n rows: id, x, n, flag, colour, at, late, amount, grade, weight."""

    def rows_of(count: int) -> DataFrame:
        return spark.sql(ROWS_SQL.format(rows=count))

    return rows_of


@pytest.fixture(scope="session")
def rows(spark: SparkSession, rows_of, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    """Six hundred rows, in files."""
    path = str(tmp_path_factory.mktemp("rows") / "rows")
    rows_of(600).coalesce(2).write.parquet(path)
    return spark.read.parquet(path)


@pytest.fixture(scope="module")
def interpreted(spark: SparkSession):
    """Let no query be compiled to Java, which takes longer than to run it on few rows."""
    usual = spark.conf.get("spark.sql.codegen.wholeStage")
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    yield
    spark.conf.set("spark.sql.codegen.wholeStage", usual)


@pytest.fixture(scope="session")
def make_spec():
    """Return a maker of ML models on the columns x, n, flag, colour with the key id."""

    def spec(estimator: str = "LogisticRegression", **given) -> MlModel:
        places = Places(SourceLocation("m.yml", 1), {"label": SourceLocation("m.yml", 5)})
        usual = {"include": ("x", "n", "flag", "colour"), "keys": ("id",), "label": "late", "places": places}
        return MlModel(name="m", path="m.yml", training_data="", estimator=estimator, **(usual | given))

    return spec


@pytest.fixture
def spec(make_spec):
    """The same, by the name that most tests use."""
    return make_spec
