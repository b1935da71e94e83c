"""Schemas of data files, from the cache where the same files were read before: a declaration in, columns out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.compile.types import from_plain, to_plain
from sqlml.ir.cache import Cache, dump, key_of
from sqlml.ir.project import Seed, Source

if TYPE_CHECKING:
    from sqlml.compile.data_files import FileColumns

# They hold no rows, so that the version of the data does not count them, and yet Spark reads them.
_SUMMARIES = ("_metadata", "_common_metadata")


@dataclass(frozen=True, slots=True)
class _Schema:
    """Names with their types as plain data; None: only Spark can tell."""

    columns: tuple[tuple[str, Any], ...] | None


class SchemaReader:
    """Reads the schemas of the data files of one project.

    Args:
        versions: id of each source and seed to the version of its data; what has none is read again each time.
    """

    def __init__(self, root: Path, versions: Mapping[str, str | None], cache: Cache) -> None:
        self._root = root
        self._versions = versions
        self._cache = cache

    def read(self, node_id: str, declared: Source | Seed, given: Collection[str]) -> FileColumns | None:
        """Return the columns of the files of `declared` (see `read_file_columns`).

        Args:
            given: names (lower case) whose types are declared.

        Raises:
            OSError, ValueError, EOFError, csv.Error: they cannot be read.
        """
        path = self._root / declared.path
        version = self._versions.get(node_id)
        summaries = [name for name in _SUMMARIES if (path / name).exists()]
        options = dump([declared.format, dict(declared.options), sorted(given), summaries])
        key = key_of(version or "", declared.path, options)
        kept = None if version is None else self._cache.get("data files", key, _Schema)
        if kept is not None:
            return None if kept.columns is None else [(name, from_plain(plain)) for name, plain in kept.columns]
        # What reads Parquet takes longer to load than a project without changes takes to compile.
        from sqlml.compile.data_files import read_file_columns

        found = read_file_columns(path, declared.format, declared.options, given)
        if version is not None:
            plain = None if found is None else tuple([(name, to_plain(spark_type)) for name, spark_type in found])
            self._cache.put("data files", key, _Schema(plain))
        return found
