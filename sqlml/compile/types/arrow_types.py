"""Types of data files without Spark: the footer of a Parquet or ORC file in, the types that Spark reads out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.compile.types.spark_types import (
    BIGINT,
    BINARY,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    MAX_PRECISION,
    SMALLINT,
    STRING,
    TIMESTAMP,
    TIMESTAMP_NTZ,
    TINYINT,
    DecimalType,
    SparkType,
    array_of,
    map_of,
    struct_of,
)

if TYPE_CHECKING:
    import pyarrow

# By Arrow's own names. A number without a sign takes the next larger type, which holds it.
_NAMES: dict[str, SparkType] = {
    "int8": TINYINT,
    "int16": SMALLINT,
    "int32": INT,
    "int64": BIGINT,
    "uint8": SMALLINT,
    "uint16": INT,
    "uint32": BIGINT,
    "uint64": DecimalType(20, 0),
    "float": FLOAT,
    "double": DOUBLE,
    "bool": BOOLEAN,
    "string": STRING,
    "large_string": STRING,
    "binary": BINARY,
    "large_binary": BINARY,
    "date32[day]": DATE,
    "date64[ms]": DATE,
}


def parquet_types(file: Path) -> list[tuple[str, SparkType | None]]:
    """Return the columns of a Parquet file in order, each with the type that Spark reads it as; None: unknown.

    Raises:
        OSError, ValueError: it cannot be read, or is no Parquet.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        columns = [opened.schema.column(at) for at in range(len(opened.schema))]
        # The old way to store a timestamp, which Arrow shows as one without a time zone, in nanoseconds.
        old = {column.path for column in columns if column.physical_type == "INT96"}
        return [
            (field.name, TIMESTAMP if field.name in old else arrow_type(field.type, _parquet_timestamp))
            for field in opened.schema_arrow
        ]


def orc_types(file: Path) -> list[tuple[str, SparkType | None]]:
    """Return the columns of an ORC file in order, each with the type that Spark reads it as; None: unknown.

    Raises:
        OSError, ValueError: it cannot be read, or is no ORC.
    """
    from pyarrow import orc

    opened = orc.ORCFile(str(file))
    # Spark stores what ORC does not know as a number or a timestamp, and says so where pyarrow does not look.
    may_hide = _WRITTEN_BY_SPARK in dict(opened.metadata or {})
    return [
        (field.name, None if may_hide and _may_hide(field.type) else arrow_type(field.type, _orc_timestamp))
        for field in opened.schema
    ]


_WRITTEN_BY_SPARK = b"org.apache.spark.version"


def _parquet_timestamp(given: pyarrow.TimestampType) -> SparkType | None:
    if given.unit == "ns":
        return None
    return TIMESTAMP_NTZ if given.tz is None else TIMESTAMP


def _orc_timestamp(given: pyarrow.TimestampType) -> SparkType | None:
    return TIMESTAMP if given.tz is None else None


def _may_hide(given: pyarrow.DataType) -> bool:
    """Return whether Spark may have stored something else as this type: an interval, or a time without a zone."""
    return any(f"{name}" in str(given) for name in ("int32", "int64", "timestamp"))


def arrow_type(
    given: pyarrow.DataType, timestamp_type: Callable[[pyarrow.TimestampType], SparkType | None]
) -> SparkType | None:
    """Return the type that Spark reads an Arrow type as; None: unknown.

    Args:
        timestamp_type: does the same for a timestamp, whose meaning depends on the format of the file.
    """
    from pyarrow import types

    def inner(part: pyarrow.DataType) -> SparkType | None:
        return arrow_type(part, timestamp_type)

    if str(given) in _NAMES:
        return _NAMES[str(given)]
    if types.is_timestamp(given):
        return timestamp_type(given)
    if types.is_decimal(given):
        return DecimalType(given.precision, given.scale) if given.precision <= MAX_PRECISION else None
    if types.is_dictionary(given):
        return inner(given.value_type)
    if types.is_map(given):
        return map_of(inner(given.key_type), inner(given.item_type))
    if types.is_list(given) or types.is_large_list(given):
        return array_of(inner(given.value_type))
    if types.is_struct(given):
        return struct_of(*[(field.name, inner(field.type)) for field in given])
    return None
