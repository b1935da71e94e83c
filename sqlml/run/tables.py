"""Reads sources and seeds, writes and reads tables: declarations in, DataFrames and Parquet folders out."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.engine import Written
from sqlml.ir.location import Places
from sqlml.ir.project import Seed, Source
from sqlml.ir.state import Column
from sqlml.ir.storable import find_unstorable, find_untyped

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameReader, SparkSession
    from pyspark.sql.types import DataType, StructType

# Doubled quotes inside a quoted field are what other programs write; a row that does not fit its declared types
# is an error and not a row of nulls.
_CSV_DEFAULTS = {"header": "true", "escape": '"', "mode": "FAILFAST", "enforceSchema": "false"}
READ_DEFAULTS = {"csv": _CSV_DEFAULTS, "json": {"mode": "FAILFAST"}}
# Spark would read a folder named `a[b]` as a pattern.
NO_GLOB = ("__globPaths__", "false")


def read_files(spark: SparkSession, declared: Source | Seed, root: Path) -> DataFrame:
    """Return the rows of a source or a seed with its declared types; undeclared csv and json columns are inferred.

    Raises:
        DataError: there is no file.
    """
    path = root / declared.path
    if not path.exists():
        raise DataError(
            f"'{declared.name}' reads '{declared.path}', which does not exist", declared.places.value_of("path")
        )
    reader = spark.read.format(declared.format)
    for option, value in read_options(declared).items():
        reader = reader.option(option, value)
    if declared.format in READ_DEFAULTS:
        reader = _with_schema(reader, declared, path)
    return reader.option(*NO_GLOB).load(str(path))


def read_options(declared: Source | Seed) -> dict[str, str]:
    """Return the options of Spark's reader: ours, then those that are declared."""
    return {**READ_DEFAULTS.get(declared.format, {}), **declared.options}


def _with_schema(reader: DataFrameReader, declared: Source | Seed, path: Path) -> DataFrameReader:
    from pyspark.sql.types import StructField, StructType

    types = {column.name.lower(): column.data_type for column in declared.columns if column.data_type}
    names = _header(declared, path)
    if names and all(name.lower() in types for name in names):
        # Every type is declared: the file need not be read to guess them.
        return reader.schema(ddl([Column(name, types[name.lower()] or "string") for name in names]))
    inferred = reader.option("inferSchema", "true").option(*NO_GLOB).load(str(path)).schema
    fields = [
        StructField(field.name, _data_type(types.get(field.name.lower())) or field.dataType) for field in inferred
    ]
    return reader.schema(StructType(fields))


def _header(declared: Source | Seed, path: Path) -> list[str]:
    """Return the names in the first line of a plain CSV file; empty where Spark has to look itself.

    That is a folder, a file without a header, and whatever is encoded, compressed or quoted in another way.
    """
    options = {key.lower(): value for key, value in declared.options.items()}
    is_plain = options.keys().isdisjoint(("encoding", "charset", "quote", "comment")) and path.suffix == ".csv"
    if declared.format != "csv" or path.is_dir() or not is_plain or options.get("header", "true").lower() != "true":
        return []
    separator = options.get("sep", options.get("delimiter", ","))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file, delimiter=separator), []) if len(separator) == 1 else []
    except (OSError, UnicodeDecodeError, csv.Error):
        # Spark says what is wrong with it.
        return []


def _data_type(name: str | None) -> DataType | None:
    from pyspark.sql.types import DataType

    return DataType.fromDDL(name) if name else None


def ddl(columns: Sequence[Column]) -> str:
    """Return columns as the text of a Spark schema."""
    return ", ".join(f"{quote(column.name)} {column.type}" for column in columns)


def literal_rows(spark: SparkSession, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> DataFrame:
    """Return a few rows that Python has, values by column; entries of a map keep their order."""
    from pyspark.sql import functions as sf

    # As text, so that no worker of Python's is started for them.
    parsed = sf.from_json(sf.lit(json.dumps(rows)), f"array<struct<{ddl(columns)}>>")
    return spark.range(1).select(sf.inline(parsed))


def quote(name: str) -> str:
    """Return `name` as a back-quoted SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def columns_of(schema: StructType) -> tuple[Column, ...]:
    """Return the columns of a Spark schema as data."""
    return tuple(Column(field.name, field.dataType.simpleString(), field.nullable) for field in schema)


def union_all(frames: Iterable[DataFrame]) -> DataFrame:
    """Return the rows of all of one or more frames, whose columns are the same by place."""
    return reduce(lambda one, other: one.unionAll(other), frames)


def check_storable(columns: Sequence[Column], name: str, places: Places, *, is_table: bool = True) -> None:
    """Raise a DataError for columns that no relation, or no table, can have.

    Raises:
        DataError: two names differ only in case; a column is `void` (an untyped null), or of a type that Parquet lacks.
    """
    seen: dict[str, str] = {}
    for column in columns:
        if column.name.lower() in seen:
            raise DataError(
                f"'{name}' has the columns '{seen[column.name.lower()]}' and '{column.name}', which are the same name",
                places.whole,
                "give one of them another name",
            )
        seen[column.name.lower()] = column.name
        wrong = find_untyped(column, name) or (find_unstorable(column, name) if is_table else None)
        if wrong is not None:
            raise DataError(wrong[0], places.whole, wrong[1])


def write_parquet(rows: DataFrame, folder: Path) -> Written:
    """Write `rows` as Parquet files into `folder`, which must not exist; the row count comes from their footers."""
    rows.write.mode("errorifexists").parquet(str(folder))
    return Written(count_rows(folder), columns_of(rows.schema))


def count_rows(folder: Path) -> int:
    """Return the number of rows in a folder of Parquet files, from their footers alone."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet"))


def read_parquet(spark: SparkSession, folder: Path, columns: Sequence[Column]) -> DataFrame:
    """Return the rows of a table that `write_parquet` wrote with these columns."""
    reader = spark.read.option(*NO_GLOB)
    if not any("vector" in column.type or "matrix" in column.type for column in columns):
        # A known schema saves Spark a job that reads footers; vectors have no name in a schema's text.
        reader = reader.schema(ddl(columns))
    return reader.parquet(str(folder))
