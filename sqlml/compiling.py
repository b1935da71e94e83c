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
    read_champions,
    remember,
    select,
    trace_lineage,
    write_artifacts,
)
from sqlml.errors import CompileError, LinesOf, ParseError, ResolveError, SqlmlError, flatten
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
        compiled = trace_lineage(compiled, read_champions(dag, aids))
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


def diagnostic_documents(diagnostics: Iterable[Diagnostic], lines_of: LinesOf) -> list[dict[str, Any]]:
    """Return diagnostics as JSON-ready data, each with its range: lines and columns from 1, the end excluded."""
    from sqlml.persist.artifacts import diagnostic_document

    return [{**diagnostic_document(found), "range": _range(found.location, lines_of)} for found in diagnostics]


def _range(place: SourceLocation | None, lines_of: LinesOf) -> dict[str, dict[str, int]] | None:
    if place is None:
        return None
    if place.column is not None and place.end_line is not None and place.end_column is not None:
        start, end_line, end = place.column, place.end_line, place.end_column
    else:
        lines = lines_of(place.path) or ()
        text = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
        end_line = place.line
        start, end = place.columns_in(text)
    return {"start": {"line": place.line, "column": start}, "end": {"line": end_line, "column": end}}
