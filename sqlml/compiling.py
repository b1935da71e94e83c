"""sqlml compile: check the whole project and write its SQL and manifest; no JVM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlml.build import Request, compile_project, load_dag, open_project_store, select
from sqlml.ir.plan import Compiled


@dataclass(frozen=True, slots=True)
class CompiledProject:
    """A checked project and where its SQL was written."""

    compiled: Compiled
    folder: Path
    selected: tuple[str, ...]


def compile_only(request: Request) -> CompiledProject:
    """Check every node, whatever is selected, and write `target/compiled/` and `target/manifest.json`.

    Raises:
        SqlmlError: the input is wrong.
    """
    from sqlml.persist.artifacts import write_compiled, write_manifest

    dag = load_dag(request)
    selected = select(dag, request)
    compiled = compile_project(dag, open_project_store(dag.project))
    target = dag.project.root / "target"
    write_compiled(target, compiled)
    write_manifest(target, compiled)
    return CompiledProject(compiled, target / "compiled", selected)
