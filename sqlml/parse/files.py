"""Which files a project has: the paths of the project file in, files by kind out, each with its text on demand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlml.errors import CommandError, ParseError, SqlmlError
from sqlml.ir.location import SourceLocation

PROJECT_FILE = "sqlml_project.yml"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the project.

    Attributes:
        path: relative to the root, with forward slashes.
        folders: the folders between the path setting and the file.
        stem: the name without the ending.
        ending: with its dot, in small letters.
    """

    path: str
    folders: tuple[str, ...]
    stem: str
    ending: str

    @property
    def place(self) -> SourceLocation:
        """The file's first line."""
        return SourceLocation(self.path, 1)


@dataclass(frozen=True, slots=True)
class SearchPath:
    """A folder to look in.

    Attributes:
        path: relative to the root, as written.
        place: where it is written; None for a default, which need not exist.
    """

    path: str
    place: SourceLocation | None


def find_project_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that holds `sqlml_project.yml`; an absolute path.

    Raises:
        CommandError: if there is none.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise no_project(start)


def no_project(folder: Path) -> CommandError:
    """Return the error for a folder in which, and above which, there is no project."""
    fix = "run sqlml in a project, give --project-dir, or make one with 'sqlml init DIR'"
    for name in ("sqlml_project.yaml", "dbt_project.yml"):
        if (folder / name).is_file():
            fix = f"there is '{name}': the file must be called '{PROJECT_FILE}'"
    return CommandError(f"no '{PROJECT_FILE}' in '{folder}' or in a folder above it", None, fix)


def find_files(root: Path, paths: Iterable[SearchPath], errors: list[SqlmlError]) -> list[FoundFile]:
    """Return the files below `paths`, sorted by path, each once; hidden files and folders are not looked at."""
    found: dict[str, FoundFile] = {}
    for search in paths:
        folder = Path(os.path.normpath(root / search.path))
        fault = _check_folder(root, folder, search)
        if fault is not None:
            errors.append(fault)
            continue
        for file in _walk(root, folder):
            found.setdefault(file.path, file)
    return [found[path] for path in sorted(found)]


def _check_folder(root: Path, folder: Path, search: SearchPath) -> ParseError | None:
    if folder == root or not folder.is_relative_to(root):
        return ParseError(
            f"path '{search.path}' is not a folder below the project", search.place, "name a folder of the project"
        )
    # Unlike Path.is_dir, it takes a name that no folder can have.
    if search.place is not None and not os.path.isdir(folder):  # noqa: PTH112
        return ParseError(
            f"path '{search.path}' is not a folder", search.place, "make the folder, or remove it from the list"
        )
    return None


def _walk(root: Path, folder: Path) -> Iterator[FoundFile]:
    base = folder.relative_to(root).as_posix()
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = tuple(Path(directory).relative_to(folder).parts)
        start = "/".join((base, *below))
        for name in names:
            stem, ending = os.path.splitext(name)  # noqa: PTH122 (a Path for each file costs more than reading it)
            if not name.startswith("."):
                yield FoundFile(f"{start}/{name}", below, stem, ending.lower())


def read_text(root: Path, path: str, errors: list[SqlmlError]) -> str | None:
    """Return the text of a file of the project; if it cannot be read, add the reason to `errors` and return None."""
    place = SourceLocation(path, 1)
    try:
        content = (root / path).read_bytes()
    except OSError as error:
        errors.append(
            ParseError(f"file '{path}' cannot be read: {error.strerror or error}", place, "see its permissions")
        )
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"file '{path}' is not UTF-8 text"
        errors.append(ParseError(what, SourceLocation(path, line), "save it as UTF-8"))
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        what = f"file '{path}' is not text: it holds a NUL character"
        errors.append(ParseError(what, SourceLocation(path, line), "save it as UTF-8"))
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
