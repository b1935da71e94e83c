"""Types of data files without Spark: a Parquet footer or an Arrow schema in, the types that Spark reads out."""

from __future__ import annotations

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


def parquet_types(file: Path) -> dict[str, SparkType | None]:
    """Return the columns of a Parquet file, each with the type that Spark reads it as; None: unknown.

    Raises:
        OSError, ValueError: it cannot be read, or is no Parquet.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        found = {field.name: arrow_type(field.type) for field in opened.schema_arrow}
        for at in range(len(opened.schema)):
            column = opened.schema.column(at)
            # The old way to store a timestamp, which Arrow shows as one without a time zone, in nanoseconds.
            if column.physical_type == "INT96" and column.path in found:
                found[column.path] = TIMESTAMP
    return found


def arrow_type(given: pyarrow.DataType) -> SparkType | None:
    """Return the type that Spark reads an Arrow type from Parquet as; None: unknown."""
    from pyarrow import types

    if str(given) in _NAMES:
        return _NAMES[str(given)]
    if types.is_timestamp(given):
        if given.unit == "ns":
            return None
        return TIMESTAMP_NTZ if given.tz is None else TIMESTAMP
    if types.is_decimal(given):
        return DecimalType(given.precision, given.scale) if given.precision <= MAX_PRECISION else None
    if types.is_dictionary(given):
        return arrow_type(given.value_type)
    if types.is_map(given):
        return map_of(arrow_type(given.key_type), arrow_type(given.item_type))
    if types.is_list(given) or types.is_large_list(given):
        return array_of(arrow_type(given.value_type))
    if types.is_struct(given):
        return struct_of(*[(field.name, arrow_type(field.type)) for field in given])
    return None
