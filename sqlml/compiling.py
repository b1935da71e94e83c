"""sqlml compile: check the whole project and write its SQL and manifest; no JVM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlml.build import (
    Request,
    compile_project,
    load_dag,
    open_file_versions,
    remember,
    select,
    write_artifacts,
)
from sqlml.errors import CompileError, ParseError, ResolveError, SqlmlError, flatten
from sqlml.ir.aids import Aids
from sqlml.ir.diagnostics import Diagnostic
from sqlml.ir.location import SourceLocation
from sqlml.ir.plan import Compiled


@dataclass(frozen=True, slots=True)
class CompiledProject:
    """A checked project, where its SQL was written, and how it was made."""

    compiled: Compiled
    folder: Path
    selected: tuple[str, ...]
    aids: Aids


def compile_only(request: Request) -> CompiledProject:
    """Check every node, whatever is selected, and write `target/compiled/` and `target/manifest.json`.

    Raises:
        SqlmlError: the input is wrong.
    """
    with remember(request) as aids:
        dag = load_dag(request, aids)
        selected = select(dag, request)
        compiled = compile_project(dag, open_file_versions(dag.project, aids), aids, with_lineage=True)
        write_artifacts(compiled, aids)
    return CompiledProject(compiled, dag.project.root / "target" / "compiled", selected, aids)


_CODES = ((ParseError, "E100"), (ResolveError, "E200"), (CompileError, "E300"))


def diagnostics_of(error: SqlmlError) -> tuple[Diagnostic, ...]:
    """Return the errors of a project that cannot be compiled as diagnostics."""
    found = []
    for single in flatten([error]):
        code = single.code or next((code for kind, code in _CODES if isinstance(single, kind)), "E900")
        found.append(Diagnostic(code, "error", single.what, single.location, single.fix))
    return tuple(found)


def diagnostic_documents(diagnostics: Iterable[Diagnostic], project_dir: Path) -> list[dict[str, Any]]:
    """Return diagnostics as JSON-ready data, each with its range: lines and columns from 1, the end excluded."""
    from sqlml.persist.artifacts import diagnostic_document

    lines: dict[str, list[str]] = {}
    documents = []
    for found in diagnostics:
        place = found.location
        if place is not None and place.path not in lines:
            lines[place.path] = _read_lines(project_dir, place.path)
        span = None if place is None else _range(place, lines[place.path])
        documents.append({**diagnostic_document(found), "range": span})
    return documents


def _read_lines(project_dir: Path, path: str) -> list[str]:
    from sqlml.parse import find_project_root

    try:
        return (find_project_root(project_dir) / path).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError, SqlmlError):
        # The file itself may be what is wrong.
        return []


def _range(place: SourceLocation, lines: list[str]) -> dict[str, dict[str, int]]:
    """Return the word at `place`, or the line's text if no column is known."""
    text = lines[place.line - 1].rstrip() if 0 < place.line <= len(lines) else ""
    start = place.column or len(text) - len(text.lstrip()) + 1
    end = start
    if place.column is None:
        end = len(text) + 1
    else:
        while end <= len(text) and (text[end - 1].isalnum() or text[end - 1] == "_"):
            end += 1
    return {
        "start": {"line": place.line, "column": start},
        "end": {"line": place.line, "column": max(end, start + 1)},
    }
