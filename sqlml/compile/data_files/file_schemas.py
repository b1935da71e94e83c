"""Finds the schema of a data file or folder: a path, a format and reader options in, its columns with types out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from sqlml.compile.data_files.csv_schemas import csv_columns
from sqlml.compile.data_files.json_schemas import json_columns
from sqlml.compile.data_files.text_files import Options
from sqlml.compile.types import SparkType
from sqlml.compile.types.arrow_types import orc_types, parquet_types
from sqlml.compile.types.spark_types import INT, STRING

FileColumns = Sequence[tuple[str, SparkType | None]]
"""The columns of a file in order, names as they stand in it, which may be those of several columns."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z_ ]*")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,8}")


def read_file_columns(
    path: Path, file_format: str, options: Mapping[str, str], declared: Collection[str] = ()
) -> FileColumns | None:
    """Return the columns of the file or folder at `path` as Spark's reader gives them; None: only Spark can tell.

    Args:
        options: of Spark's reader, as declared.
        declared: names (lower case) whose types are given, so that nothing need be read to learn them.

    Raises:
        OSError, ValueError, EOFError, csv.Error: it cannot be read.
    """
    files, partitions = _data_files(path)
    folded = {key.lower(): str(value) for key, value in options.items()}
    # A summary file would be read instead of the first data file.
    has_summary = path.is_dir() and any((path / name).exists() for name in ("_metadata", "_common_metadata"))
    if not files or folded.get("mergeschema", "").lower() == "true" or has_summary:
        return None
    read = _READERS.get(file_format)
    own = None if read is None else read(files, folded, declared)
    if own is None:
        return None
    # A partition's value is not in the file, and if it is, the folder's name is what counts.
    names = {name for name, _ in own}
    mixed = [(name, partitions.get(name, found)) for name, found in own]
    return mixed + [(name, found) for name, found in partitions.items() if name not in names]


def _data_files(path: Path) -> tuple[list[Path], dict[str, SparkType | None]]:
    """Return the data files at `path`, sorted, and the partition columns in the folders' names (`year=2013`)."""
    if path.is_file():
        return [path], {}
    files = []
    for file in sorted(path.rglob("*")):
        parts = file.relative_to(path).parts
        # Spark skips hidden files and folders, but for partition folders.
        if file.is_file() and not any(part.startswith((".", "_")) and "=" not in part for part in parts):
            files.append(file)
    values: dict[str, set[str]] = {}
    for folder in dict.fromkeys(file.parent for file in files):
        for part in folder.relative_to(path).parts:
            name, is_partition, value = part.partition("=")
            if is_partition:
                values.setdefault(name, set()).add(value)
    return files, {name: _partition_type(found) for name, found in values.items()}


def _partition_type(values: set[str]) -> SparkType | None:
    """Return the type that Spark infers for a partition column; None: not sure, it knows numbers, dates and more."""
    if all(_INTEGER.fullmatch(value) and abs(int(value)) < 2**31 for value in values):
        return INT
    is_text = any(_WORD.fullmatch(value) and value.lower() not in ("nan", "infinity") for value in values)
    return STRING if is_text and "__HIVE_DEFAULT_PARTITION__" not in values else None


def _parquet(files: list[Path], options: Options, declared: Collection[str]) -> FileColumns:
    return parquet_types(files[0])


def _orc(files: list[Path], options: Options, declared: Collection[str]) -> FileColumns:
    return orc_types(files[0])


_READERS: dict[str, Callable[[list[Path], Options, Collection[str]], FileColumns | None]] = {
    "parquet": _parquet,
    "orc": _orc,
    "csv": csv_columns,
    "json": json_columns,
}
