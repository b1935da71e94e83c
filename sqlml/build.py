"""sqlml build: parse, resolve, compile, run, persist — the phases in order. Read this page first.

    files --parse--> Project --resolve--> Dag --compile--> Compiled, Plan --run--> RunResults
                                                   |                        |
                                 persist: what exists (Snapshot)   persist: outputs, versions

No JVM starts before the run phase, and none at all when the plan has nothing to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import CommandError, suggest
from sqlml.ir.aids import Aids
from sqlml.ir.dag import Dag, SeedNode, SourceNode
from sqlml.ir.deferral import Deferral
from sqlml.ir.plan import Compiled, Plan, PlanRequest
from sqlml.ir.project import Project, Target
from sqlml.ir.results import Progress, RunResults
from sqlml.ir.state import Snapshot

if TYPE_CHECKING:
    from sqlml.persist.files import FileVersions
    from sqlml.persist.store import WarehouseStore
    from sqlml.run.engine import SparkEngine

Failpoint = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What a command was asked for.

    Attributes:
        project_dir: a folder at or below the project's root.
        target: name of a target; None for the project's default.
        variables: of `--vars`.
        select, exclude: selectors as typed.
        retrain: names of ML models to fit whatever their fingerprint says.
        threads: steps and fits at once; None for the target's, else 4 and 1.
        defer: name of another target that is read where this one has nothing.
    """

    project_dir: Path = field(default_factory=Path.cwd)
    target: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False
    retrain: tuple[str, ...] = ()
    no_retrain: bool = False
    threads: int | None = None
    is_fail_fast: bool = False
    defer: str | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """What a build was going to do, and what it did."""

    plan: Plan
    results: RunResults


def build(request: Request, progress: Progress, failpoint: Failpoint | None = None) -> Built:
    """Bring the selected nodes up to date and return how each step ended.

    Args:
        failpoint: called with the name of each point at which a crash must lose nothing; for tests.

    Raises:
        SqlmlError: the input is wrong (before Spark starts), or another build holds the lock.
    """
    with remember(request) as aids:
        dag = load_dag(request, aids)
        store = open_project_store(dag.project, failpoint, aids)
        with store.lock():
            store.recover()
            compiled = compile_project(dag, store, aids, with_lineage=True)
            plan = plan_build(compiled, store, request, open_deferral(dag, request, aids))
            write_artifacts(trace_lineage(plan.compiled, plan.snapshot), aids)
            results = execute(plan, store, progress, request, "build")
            if (now := store.snapshot()).aliases != plan.snapshot.aliases:
                # Another champion has slots of its own.
                now = replace(plan.snapshot, versions=now.versions, aliases=now.aliases)
                write_artifacts(trace_lineage(plan.compiled, now), aids)
    return Built(plan, results)


@contextmanager
def remember(request: Request) -> Iterator[Aids]:
    """Give what saves time with the project around `request.project_dir`; what was found out is kept at the end."""
    from sqlml.parse import find_project_root
    from sqlml.persist.cache import FileCache

    cache = FileCache(find_project_root(request.project_dir) / "target" / "cache")
    try:
        yield Aids(cache)
    finally:
        cache.save()


def load_dag(request: Request, aids: Aids | None = None) -> Dag:
    """Parse and resolve the project."""
    from sqlml.resolve import resolve_project

    if aids is None:
        with remember(request) as own:
            return load_dag(request, own)
    return resolve_project(load_project(request, aids), aids)


def load_project(request: Request, aids: Aids | None = None) -> Project:
    """Parse the project that holds `request.project_dir`."""
    from sqlml.parse import ParseRequest, find_project_root, parse_project

    root = find_project_root(request.project_dir)
    return parse_project(ParseRequest(root, request.target, request.variables, os.environ), aids)


def open_project_store(
    project: Project, failpoint: Failpoint | None = None, aids: Aids | None = None
) -> WarehouseStore:
    """Open the state of the project's target; nothing is made on disk before something is written."""
    from sqlml.persist import open_store

    cache = None if aids is None else aids.cache
    return open_store(project.root, project.target.schema, failpoint or (lambda name: None), cache=cache)


def open_file_versions(project: Project, aids: Aids) -> FileVersions:
    """Open what tells the versions of data files, for a command that needs no more of the state."""
    from sqlml.persist import open_file_versions

    return open_file_versions(project.root, project.target.schema, aids.cache)


def compile_project(
    dag: Dag, data: FileVersions | WarehouseStore, aids: Aids | None = None, *, with_lineage: bool = False
) -> Compiled:
    """Check every column, parameter and reference, and fingerprint every node; trace every column if asked to."""
    from sqlml.compile import compile_dag

    aids = aids or Aids()
    files = {node.id: node.source.path for node in dag.nodes.values() if isinstance(node, SourceNode)}
    files |= {node.id: node.seed.path for node in dag.nodes.values() if isinstance(node, SeedNode)}
    with aids.timing.measure("compile", "hash data files"):
        versions = {node_id: data.file_version(dag.project.root / path) for node_id, path in files.items()}
    return compile_dag(dag, versions, aids, with_lineage=with_lineage)


def read_champions(dag: Dag, aids: Aids) -> Snapshot:
    """Return what exists if the project has ML models, for a command that needs no more of the state."""
    from sqlml.persist import has_state

    # To open the state takes longer than most of a compile.
    if has_state(dag.project.root) and any(node.kind == "ml_model" for node in dag.nodes.values()):
        return open_project_store(dag.project, aids=aids).snapshot()
    return Snapshot(dag.project.target.schema)


def trace_lineage(compiled: Compiled, snapshot: Snapshot) -> Compiled:
    """Follow columns through the slots of the fitted models that predictions use."""
    from sqlml.compile import trace_vectors

    return replace(compiled, lineage=trace_vectors(compiled, snapshot.champions()))


def open_deferral(dag: Dag, request: Request, aids: Aids | None = None) -> Deferral | None:
    """Return the target that `--defer` names, with what exists there; None if it names none.

    Raises:
        CommandError: there is no such target, nothing was built in it, or it is the target itself.
    """
    from sqlml.resolve import resolve_project

    if request.defer is None:
        return None
    project, name = dag.project, request.defer
    schema = project.schemas.get(name)
    if schema is None:
        fix = suggest(name, [other for other in project.schemas if other != project.target.name], "there are")
        raise CommandError(f"target '{name}' of --defer is not in the project file", fix=fix)
    if schema == project.target.schema:
        what = f"--defer names '{name}', whose schema '{schema}' is that of target '{project.target.name}' itself"
        raise CommandError(what, fix="name another target, or choose this one's with --target")
    there, snapshot = open_target(project, name, schema, aids)
    if not snapshot.outputs and not snapshot.versions:
        what = f"target '{name}' of --defer was never built"
        raise CommandError(what, fix=f"run: sqlml build --target {name}")
    return Deferral(name, resolve_project(there, aids), snapshot)


def open_target(project: Project, name: str, schema: str, aids: Aids | None = None) -> tuple[Project, Snapshot]:
    """Return the project as another target would have it, and what exists there.

    Of that target only names count: what it sets of Spark may need an environment that is not this one.
    """
    there = replace(project, target=Target(name, schema))
    return there, open_project_store(there, aids=aids).snapshot()


def plan_build(compiled: Compiled, store: WarehouseStore, request: Request, deferral: Deferral | None = None) -> Plan:
    """Compare the selected nodes with what exists."""
    from sqlml.compile import make_plan

    selected = select(compiled.dag, request)
    return make_plan(
        compiled,
        store.snapshot(),
        PlanRequest(
            selected=frozenset(selected),
            full_refresh=request.full_refresh,
            retrain=frozenset(request.retrain),
            no_retrain=request.no_retrain,
            now=datetime.now(UTC),
            deferral=deferral,
        ),
    )


def select(dag: Dag, request: Request) -> tuple[str, ...]:
    """Return the ids of the nodes that `--select` and `--exclude` leave, in DAG order."""
    from sqlml.resolve import select_nodes

    return select_nodes(dag, request.select, request.exclude)


def execute(plan: Plan, store: WarehouseStore, progress: Progress, request: Request, command: str) -> RunResults:
    """Run `plan`, record the run and write `target/run_results.json`."""
    from sqlml.persist.artifacts import write_run_results
    from sqlml.run.schedule import RunOptions, run_plan

    project = plan.compiled.dag.project
    run_id = store.start_run(command)
    status = "crashed"
    try:
        with open_engine(project) as engine:
            if plan.has_work:
                engine.start()
            options = RunOptions(run_id, request.threads or project.target.threads, request.is_fail_fast)
            results = run_plan(plan, engine, store, progress, options)
        status = "success" if results.exit_code == 0 else "failed"
    finally:
        store.finish_run(run_id, status)
    write_run_results(project.root / "target", plan, results)
    return results


def write_artifacts(compiled: Compiled, aids: Aids | None = None) -> None:
    """Write the compiled SQL and `target/manifest.json`."""
    from sqlml.persist.artifacts import write_compiled, write_manifest

    aids = aids or Aids()
    timing = aids.timing
    folder = compiled.dag.project.root / "target"
    with timing.measure("write", "compiled SQL"):
        write_compiled(folder, compiled, aids.cache)
    with timing.measure("write", "manifest"):
        write_manifest(folder, compiled)
    # Before Spark starts, which may take hours.
    with timing.measure("write", "cache"):
        aids.cache.save()


@contextmanager
def open_engine(project: Project) -> Iterator[SparkEngine]:
    """Give an engine whose session starts when it is first needed, and end it."""
    from sqlml.run.engine import SparkEngine
    from sqlml.run.session import SessionSettings

    settings = SessionSettings(
        log_folder=project.root / "target" / "logs",
        memory=project.target.memory,
        spark=project.target.spark,
        app_name=f"sqlml {project.name}",
    )
    with SparkEngine(project.root, settings) as engine:
        yield engine
