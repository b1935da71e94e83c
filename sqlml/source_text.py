"""The user's own files, line by line, for errors that show what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from sqlml.errors import SqlmlError


class SourceText:
    """Gives the lines of a project's files, by their paths as errors have them; each file is read once.

    Args:
        project_dir: a folder at or below the project's root.
    """

    def __init__(self, project_dir: Path) -> None:
        self._project_dir = project_dir
        self._lines: dict[str, Sequence[str] | None] = {}

    def __call__(self, path: str) -> Sequence[str] | None:
        """Return the lines of the file `path` without their ends; None: it cannot be read."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    @cached_property
    def _root(self) -> Path | None:
        from sqlml.parse import find_project_root

        try:
            return find_project_root(self._project_dir)
        except SqlmlError:
            return None

    def _read(self, path: str) -> Sequence[str] | None:
        from sqlml.parse.files import read_text

        # The file itself may be what is wrong: then its error says so, and there is nothing to show.
        text = None if self._root is None else read_text(self._root, path, [])
        return None if text is None else text.split("\n")
