"""The folders of the warehouse: where tables and fitted models lie, the `current` links, what is on disk for good."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from sqlml.errors import StateError

WAREHOUSE = "warehouse"
"""The folder of a project in which all that must not be lost lies."""

STATE_FILE = "state.sqlite"
"""The database of the state, in the warehouse."""

CURRENT = "current"
"""Name of the link beside a table's builds that leads to the current one; for other tools, never read here."""


class Warehouse:
    """The folders below `root`.

    ```
    tables/<schema>/<name>/<build id>/    a table's files, never written twice
    tables/<schema>/<name>/current        relative link to the current build
    models/<schema>/<name>/<version>/     a fitted model
    ```
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def table(self, schema: str, name: str) -> Path:
        """Return the folder of a table's builds."""
        return self.root / "tables" / folder_name(schema) / folder_name(name)

    def new_build(self, schema: str, name: str) -> Path:
        """Return a folder's path for a new build of a table, its name the build id: UTC time and chance."""
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        return self.table(schema, name) / f"{time}-{secrets.token_hex(4)}"

    def versions(self, schema: str, ml_model: str) -> Path:
        """Return the folder of an ML model's versions."""
        return self.root / "models" / folder_name(schema) / folder_name(ml_model)

    def highest_version(self, schema: str, ml_model: str) -> int:
        """Return the highest version number that has a folder, 0 if none has."""
        folder = self.versions(schema, ml_model)
        numbers = [int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()] if folder.is_dir() else []
        return max(numbers, default=0)

    def relative(self, location: str | Path) -> str:
        """Return `location` relative to the warehouse, with forward slashes; as it stands if it lies outside."""
        path = Path(os.path.abspath(location))  # noqa: PTH100  (resolve() would follow the user's links)
        for root in (self.root, self.root.resolve()):
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return str(location)

    def absolute(self, location: str) -> Path:
        """Return the path of what `relative` gave."""
        return self.root.joinpath(*PurePosixPath(location).parts)

    def prepare(self, folder: Path) -> None:
        """Make all folders above `folder`.

        Raises:
            StateError: if they cannot be made.
        """
        with self.explained():
            folder.parent.mkdir(parents=True, exist_ok=True)

    def remove(self, folder: Path) -> bool:
        """Remove a build's or a version's folder; return whether it is gone."""
        parts = PurePosixPath(self.relative(folder)).parts
        if len(parts) < 4 or parts[0] not in ("tables", "models") or ".." in parts:
            raise ValueError(f"'{folder}' is no build and no version")
        # A folder that cannot be removed now is removed at the start of a later build.
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    def link_current(self, schema: str, name: str, build: Path | None) -> bool:
        """Make `current` lead to `build`, or remove it if None; return whether that changed anything.

        Readers see the old or the new link at every instant. Where links cannot be made, nothing happens.
        """
        link = self.table(schema, name) / CURRENT
        with suppress(OSError):
            if build is None:
                if link.is_symlink():
                    link.unlink()
                    return True
                return False
            if link.is_symlink() and str(link.readlink()) == build.name:
                return False
            new = link.with_name(f".{CURRENT}-{secrets.token_hex(4)}")
            new.symlink_to(build.name, target_is_directory=True)
            try:
                new.replace(link)
            except OSError:
                new.unlink()
                return False
            return True
        return False

    def is_of(self, schema: str, location: str) -> bool:
        """Tell whether what `relative` gave lies in a folder of a schema."""
        return PurePosixPath(location).parts[1:2] == (folder_name(schema),)

    def remove_half_made_links(self, schema: str) -> None:
        """Remove what a crash between making a link and putting it in place left of a schema."""
        for link in (self.root / "tables" / folder_name(schema)).glob(f"*/.{CURRENT}-*"):
            with suppress(OSError):
                link.unlink()

    def sync(self, folder: Path) -> None:
        """Wait until all files in `folder`, and its name, are on disk.

        Raises:
            StateError: if it is not there or cannot be read.
        """
        if not folder.is_dir():
            raise StateError(
                f"the data in '{folder}' is gone before it was published",
                fix="see what else changes the warehouse, then build again",
            )
        with self.explained():
            for parent, _, names in os.walk(folder):
                for name in names:
                    _sync_one(Path(parent) / name)
                _sync_one(Path(parent))
            for above in folder.parents:
                _sync_one(above)
                if above == self.root:
                    break

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn an `OSError` into a `StateError`."""
        try:
            yield
        except OSError as error:
            raise StateError(
                f"the warehouse '{self.root}' cannot be written: {error.strerror or error}: '{error.filename}'",
                fix=f"let this user read and write '{self.root}' and see that its disk has space",
            ) from error


def folder_name(name: str) -> str:
    """Return `name` as the name of a folder on any platform, different for different names.

    Letters of all scripts and spaces stay. `=` does not: Spark would read the folder as a partition.
    """
    quoted = re.sub(
        r"[\x00-\x1f\x7f-\x9f\ud800-\udfff%/\\:*?\"<>|=]|^\.|[. ]$",
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass")),
        name,
    )
    return quoted or "%"


def _sync_one(path: Path) -> None:
    is_folder = path.is_dir()
    if os.name == "nt":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        # A link that leads nowhere is no data.
        return
    try:
        os.fsync(descriptor)
    except OSError:
        # Some file systems cannot do it for folders.
        if not is_folder:
            raise
    finally:
        os.close(descriptor)
