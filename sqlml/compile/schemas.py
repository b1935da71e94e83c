"""Column names of data files without Spark: a source or seed in, its names out, or None where only Spark can tell."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.project import Seed, Source

# Spark reads every row of a JSON file to learn its names; up to this size we do the same.
_JSON_BYTES = 8_000_000
_REMOTE = "://"


def read_columns(declared: Source | Seed, title: str, root: Path, errors: list[SqlmlError]) -> tuple[str, ...] | None:
    """Return the column names of the files of `declared`; errors found on the way are appended to `errors`.

    Errors: the path does not exist, the file cannot be read, names that differ only in case, a name with a dot, and
    declared columns that the file lacks.
    """
    place = declared.places.of("path")
    if _REMOTE in declared.path:
        return _declared(declared)
    path = root / declared.path
    if not path.exists():
        errors.append(CompileError(f"{title} reads '{declared.path}', which does not exist", place))
        return None
    try:
        names = _file_columns(declared, path)
    except (OSError, ValueError, EOFError, csv.Error) as error:
        reason = str(error).partition("\n")[0]
        errors.append(CompileError(f"{title} cannot be read as {declared.format}: {reason}", place))
        return None
    if names is None:
        return _declared(declared)
    found = _check_names(declared, title, names)
    errors.extend(found)
    return None if found else tuple(names)


def _declared(declared: Source | Seed) -> tuple[str, ...] | None:
    """Return the declared names if they are complete: csv and json read what is declared with its type."""
    is_complete = declared.format in ("csv", "json") and declared.columns
    if is_complete and all(column.data_type for column in declared.columns):
        return tuple(column.name for column in declared.columns)
    return None


def _check_names(declared: Source | Seed, title: str, names: Sequence[str]) -> list[SqlmlError]:
    errors: list[SqlmlError] = []
    place = declared.places.of("path")
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            what = f"{title} has the columns '{seen[name.lower()]}' and '{name}', which are one name to Spark"
            errors.append(CompileError(what, place, "rename one of them in the file"))
        if "." in name:
            what = f"{title} has a column '{name}': a dot in a name is read as a field of a struct"
            errors.append(CompileError(what, place, f"rename it in the file, as in '{name.replace('.', '_')}'"))
        seen.setdefault(name.lower(), name)
    for column in declared.columns:
        if column.name.lower() not in seen:
            what = f"{title} declares column '{column.name}', which '{declared.path}' does not have"
            errors.append(CompileError(what, column.location, suggest(column.name, names)))
    return errors


def _file_columns(declared: Source | Seed, path: Path) -> list[str] | None:
    files, partitions = _data_files(path)
    options = {key.lower(): str(value) for key, value in declared.options.items()}
    if not files or options.get("mergeschema", "").lower() == "true":
        return None
    names = _READERS[declared.format](files, options) if declared.format in _READERS else None
    return None if names is None else names + [name for name in partitions if name not in names]


def _data_files(path: Path) -> tuple[list[Path], list[str]]:
    """Return the data files at `path`, sorted, and the partition columns in the folders' names (`year=2013`)."""
    if path.is_file():
        return [path], []
    files = []
    for file in sorted(path.rglob("*")):
        parts = file.relative_to(path).parts
        # Spark skips hidden files and folders, but for partition folders.
        if file.is_file() and not any(part.startswith((".", "_")) and "=" not in part for part in parts):
            files.append(file)
    folders = files[0].relative_to(path).parts[:-1] if files else ()
    return files, [folder.partition("=")[0] for folder in folders if "=" in folder]


def _parquet(files: list[Path], options: dict[str, str]) -> list[str] | None:
    import pyarrow.parquet as pq

    return list(pq.read_schema(files[0]).names)


def _orc(files: list[Path], options: dict[str, str]) -> list[str] | None:
    from pyarrow import orc

    return list(orc.ORCFile(str(files[0])).schema.names)


def _csv(files: list[Path], options: dict[str, str]) -> list[str] | None:
    separator = options.get("sep", options.get("delimiter", ",")).replace("\\t", "\t")
    quote = options.get("quote", '"')
    if len(separator) != 1 or len(quote) != 1:
        return None
    with _open_text(files[0], options) as file:
        row = next(csv.reader(file, delimiter=separator, quotechar=quote), [])
    if options.get("header", "true").lower() != "true":
        return [f"_c{at}" for at in range(len(row))]
    return [name or f"_c{at}" for at, name in enumerate(row)]


def _json(files: list[Path], options: dict[str, str]) -> list[str] | None:
    if sum(file.stat().st_size for file in files) > _JSON_BYTES:
        return None
    names: dict[str, None] = {}
    is_whole = options.get("multiline", "").lower() == "true"
    for file in files:
        with _open_text(file, options) as lines:
            texts = [lines.read()] if is_whole else [line for line in lines if line.strip()]
        for text in texts:
            value = json.loads(text)
            for row in value if isinstance(value, list) else [value]:
                if not isinstance(row, dict):
                    return None
                names.update(dict.fromkeys(row))
    # Spark sorts what it infers.
    return sorted(names)


def _open_text(file: Path, options: dict[str, str]) -> IO[str]:
    encoding = options.get("encoding", options.get("charset", "utf-8"))
    encoding = "utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding
    if file.suffix == ".gz":
        return cast(IO[str], gzip.open(file, "rt", encoding=encoding, newline=""))
    return file.open(encoding=encoding, newline="")


_READERS = {"parquet": _parquet, "orc": _orc, "csv": _csv, "json": _json}
