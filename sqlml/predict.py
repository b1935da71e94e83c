"""sqlml predict: score a file, or a node that was built, with a version of a fitted model; builds nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlml.build import Request, load_dag, open_deferral, open_engine, open_project_store
from sqlml.errors import CommandError, suggest
from sqlml.ir.dag import Dag, MlNode, TestNode
from sqlml.ir.deferral import defer
from sqlml.ir.state import CHAMPION, Snapshot, Version


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What is scored, with what, to where.

    Attributes:
        data: path of a csv, parquet, json or orc file or folder; if nothing is there, the name of a node.
        output: a file ending in `.csv`, `.json` or `.jsonl`, else a folder of Parquet files.
        version: a number or an alias; None for the champion.
        explain: how many features explain each row; None: rows are not explained.
    """

    ml_model: str
    data: str
    output: Path
    version: str | None = None
    is_overwrite: bool = False
    explain: int | None = None


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was scored; `unpredicted` of the rows have no prediction, because the version has none for such rows."""

    version: Version
    output: Path
    rows: int
    unpredicted: int = 0


def predict(request: Request, asked: PredictRequest) -> Predicted:
    """Write the input's rows with the predictions' columns to `asked.output`, whole or not at all.

    Raises:
        CommandError: no such ML model, version or input; the output exists.
        DataError: the input lacks a feature or has one of another type; the version cannot explain its predictions.
    """
    dag = load_dag(request)
    deferral = open_deferral(dag, request)
    snapshot = defer(open_project_store(dag.project).snapshot(), deferral, dag)
    version = find_version(dag, snapshot, asked.ml_model, asked.version)
    prefix = next((node.ml_model.output_prefix for node in _ml_nodes(dag) if node.name == asked.ml_model), "")
    source = find_input(dag, asked.data)
    path = source if isinstance(source, Path) else None
    _check_output(asked, path)
    from sqlml.run.files import reading_of, write_rows
    from sqlml.run.inputs import open_input

    with open_engine(dag.project) as engine:
        engine.start()
        data = open_input(engine, dag, snapshot, source, version.signature, deferral=deferral)
        reading = None if path is None else reading_of(path, version.signature)
        scored = engine.score(version, data, prefix, asked.explain)
        rows, without = write_rows(scored, asked.output, f"{prefix}{version.signature.outputs[0].name}", reading)
    return Predicted(version, asked.output, rows, without)


def find_input(dag: Dag, data: str) -> Path | str:
    """Return the path that `data` is, if something is there, else the id of the node that it names.

    Raises:
        CommandError: it is neither.
    """
    # Unlike Path.exists, it takes a name that no file can have.
    return Path(data) if os.path.exists(data) else _input_node(dag, data)  # noqa: PTH110


def _check_output(asked: PredictRequest, data: Path | None) -> None:
    from sqlml.run.files import is_written

    output = asked.output
    if not os.path.exists(output):  # noqa: PTH110
        return
    if not asked.is_overwrite:
        raise CommandError(f"'{output}' exists", fix="add --overwrite, or name another path")
    if data is not None and data.resolve().is_relative_to(output.resolve()):
        what = "is the input" if data.resolve() == output.resolve() else "holds the input"
        raise CommandError(f"'{output}' {what}", fix="name another path")
    if not is_written(output):
        raise CommandError(f"'{output}' is a folder with other files in it", fix="name another path")


def find_version(dag: Dag, snapshot: Snapshot, ml_model: str, asked: str | None) -> Version:
    """Return the version of `ml_model` with number or alias `asked`, None for the champion.

    Raises:
        CommandError: there is no such ML model, or it has no such version.
    """
    find_versions(dag, snapshot, ml_model)
    found = snapshot.find(ml_model, asked or CHAMPION)
    if found is not None:
        return found
    known = ", ".join(snapshot.known_versions(ml_model))
    if asked is None:
        raise CommandError(
            f"'{ml_model}' has no champion: no version has passed its gates",
            fix=f"name one with --version (there are: {known}), or: sqlml model promote {ml_model} NUMBER",
        )
    raise CommandError(f"'{ml_model}' has no version '{asked}'", fix=f"there are: {known}")


def find_versions(dag: Dag, snapshot: Snapshot, ml_model: str) -> tuple[Version, ...]:
    """Return the versions of `ml_model`, at least one.

    Raises:
        CommandError: there is no such ML model, or it was never fitted.
    """
    names = {node.name for node in _ml_nodes(dag)} | set(snapshot.versions)
    if ml_model not in names:
        raise CommandError(f"there is no ml model '{ml_model}'", fix=suggest(ml_model, names, "there are"))
    versions = snapshot.versions.get(ml_model, ())
    if not snapshot.is_fitted(ml_model):
        raise CommandError(f"'{ml_model}' has no version yet", fix=f"run: sqlml build --select +{ml_model}")
    return versions


def _ml_nodes(dag: Dag) -> list[MlNode]:
    return [node for node in dag.nodes.values() if isinstance(node, MlNode)]


def _input_node(dag: Dag, name: str) -> str:
    relations = {node.name: node.id for node in dag.nodes.values() if not isinstance(node, MlNode | TestNode)}
    if name not in relations:
        raise CommandError(
            f"'{name}' is neither a file nor a node of the project", fix=suggest(name, relations, "nodes")
        )
    return relations[name]
