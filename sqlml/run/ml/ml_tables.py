"""Reads what a fit left of a version: a table's name in, its rows out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.explanations import SLICE, TABLES_FOLDER
from sqlml.ir.location import SourceLocation
from sqlml.ir.ml_tables import VERSION, ml_table_columns
from sqlml.ir.state import Version
from sqlml.run.tables import NO_GLOB, ddl, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def ml_table_rows(spark: SparkSession, version: Version, table: str, place: SourceLocation) -> DataFrame:
    """Return the rows of a table of `version`, lazily.

    Raises:
        DataError: the version does not have it.
    """
    from pyspark.sql import functions as sf

    path = Path(version.location).absolute() / TABLES_FOLDER / f"{table}.jsonl"
    if not path.is_file():
        raise DataError(
            f"version {version.version} of '{version.ml_model}' has no table '{table}'",
            place,
            "it may be for two classes only, or need 'folds:', 'tune:' or 'backtest:'; if the version is older than "
            "this sqlml, fit again with --retrain",
        )
    columns = ml_table_columns(table)
    rows = spark.read.schema(ddl(columns[1:])).option(*NO_GLOB).json(str(path))
    # What is about all rows is stored without.
    own = {name: sf.col(quote(name)) for name in rows.columns}
    if SLICE.name in own:
        own[SLICE.name] = sf.coalesce(own[SLICE.name], sf.lit("")).alias(SLICE.name)
    return rows.select(sf.lit(version.version).alias(VERSION.name), *own.values())
