"""What exists, is current and was measured: a project's root and a schema go in, a `WarehouseStore` comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlml.ir.cache import Cache
    from sqlml.persist.files import FileVersions, Known
    from sqlml.persist.store import WarehouseStore


def has_state(root: Path) -> bool:
    """Tell whether anything was ever built in the project in `root`."""
    from sqlml.persist.warehouse import STATE_FILE, WAREHOUSE

    return (root / WAREHOUSE / STATE_FILE).is_file()


def open_store(
    root: Path,
    schema: str,
    failpoint: Callable[[str], None] = lambda name: None,
    url: str | None = None,
    cache: Cache | None = None,
) -> WarehouseStore:
    """Open the store of the project in `root`. Nothing is made or read before it is needed.

    Args:
        root: the project's folder; the warehouse is `warehouse` in it.
        schema: the target's schema, to which outputs, versions and aliases belong.
        failpoint: called with a name of `sqlml.persist.failpoints` at each instant at which a crash could hurt.
        url: a SQLAlchemy URL of another database for the state; default: SQLite in the warehouse.
        cache: knows the hashes of files before the state is asked.
    """
    # SQLAlchemy takes a quarter of a second, which a command without state need not pay.
    from sqlml.persist.store import WarehouseStore

    return WarehouseStore(root, schema, failpoint, url, cache)


def open_file_versions(root: Path, schema: str, cache: Cache) -> FileVersions:
    """Open what knows the versions of the project's files, for commands that need no more of the state."""
    from sqlml.persist.files import FileVersions

    def read_state() -> Mapping[str, Known]:
        return open_store(root, schema).known_files() if has_state(root) else {}

    return FileVersions(Path(root).absolute(), read_state, cache)
