"""Says what in a csv file is not of its type: a file that Spark refused in, an error with column and value out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.location import SourceLocation
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A reader that refuses would refuse again.
_REFUSING = ("mode", "enforceschema", "inferschema")


@dataclass(frozen=True, slots=True)
class Reading:
    """How csv files were read.

    Attributes:
        title: begins the error (`source 'raw.flights'`).
        path: a file or a folder.
        types: name of a column in small letters to its Spark type.
    """

    title: str
    path: Path
    options: Mapping[str, str]
    types: Mapping[str, str]
    location: SourceLocation | None = None
    fix: str = "correct the file, or declare the column with another 'data_type:'"


def explain_misfit(spark: SparkSession, reading: Reading, file: Path) -> DataError | None:
    """Return an error that names each column of `file` with a value that is not of its type, and the value.

    None if the file is not one of `reading`, or if its values are not what is wrong with it.
    """
    if not file.is_relative_to(os.path.abspath(reading.path)):  # noqa: PTH100  (Spark does not follow links either)
        return None
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    reader = spark.read.option("__globPaths__", "false")
    for option, value in reading.options.items():
        if option.lower() not in _REFUSING:
            reader = reader.option(option, value)
    texts = reader.csv(str(file))
    typed = [(name, reading.types[name.lower()]) for name in texts.columns if name.lower() in reading.types]
    typed = [(name, data_type) for name, data_type in typed if not data_type.startswith("string")]
    wrong = [
        f"min(case when try_cast({quote(name)} as {data_type}) is null then {quote(name)} end) as m{number}"
        for number, (name, data_type) in enumerate(typed)
    ]
    row = None
    # A file that cannot be read at all has no misfit to tell of.
    with suppress(PySparkException, Py4JError):
        row = texts.selectExpr(*wrong).first() if wrong else None
    found = [
        f"'{value}' in column '{name}', which is of type {data_type}"
        for (name, data_type), value in zip(typed, row or (), strict=False)
        if value is not None
    ]
    if not found:
        return None
    return DataError(f"{reading.title} has {', and '.join(found)}", reading.location, reading.fix)
