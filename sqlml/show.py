"""sqlml show: the first rows of a node, from its files where it has some, else through Spark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlml.build import Request, load_dag, open_deferral, open_engine, open_project_store
from sqlml.errors import CommandError, DataError, suggest
from sqlml.ir.dag import Dag, MlNode, Node, TestNode
from sqlml.ir.deferral import defer


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a relation."""

    node_id: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def show(request: Request, name: str, limit: int) -> Rows:
    """Return up to `limit` rows of the node called `name`, as last built.

    Raises:
        CommandError: there is no such node, or it has no rows.
        DataError: it was never built, or its files are damaged or gone.
    """
    dag = load_dag(request)
    node = find_node(dag, name)
    if isinstance(node, MlNode | TestNode):
        verb = f"sqlml model show {node.name}" if isinstance(node, MlNode) else f"sqlml test --select {node.name}"
        raise CommandError(f"'{node.name}' is not a relation and has no rows", node.places.whole, f"run: {verb}")
    deferral = open_deferral(dag, request)
    snapshot = defer(open_project_store(dag.project).snapshot(), deferral, dag)
    output = snapshot.outputs.get(node.id)
    if output is not None and output.location is not None:
        return _read_files(node, output.location, limit)
    from sqlml.run.relations import Champions, Relations

    with open_engine(dag.project) as engine:
        Relations(dag, snapshot, engine, Champions.of(snapshot), deferral).define(node.id)
        columns, rows = engine.preview(node.relation, limit)
    return Rows(node.id, columns, tuple(rows))


def find_node(dag: Dag, name: str) -> Node:
    """Return the node with this id or name.

    Raises:
        CommandError: there is none.
    """
    for node in dag.nodes.values():
        if name in (node.id, node.name):
            return node
    raise CommandError(
        f"there is no node '{name}'", fix=suggest(name, [node.name for node in dag.nodes.values()], "there are")
    )


def _read_files(node: Node, location: str, limit: int) -> Rows:
    from pyarrow import ArrowException, dataset

    files = sorted(str(file) for file in Path(location).glob("*.parquet"))
    fix = f"run: sqlml build --full-refresh --select {node.name}"
    if not files:
        raise DataError(f"'{node.name}' has no files in '{location}'", node.places.whole, fix)
    try:
        table = dataset.dataset(files, format="parquet").head(limit)
    except (ArrowException, OSError) as error:
        raise DataError(
            f"'{node.name}' cannot be read: a file in '{location}' is damaged", node.places.whole, fix
        ) from error
    columns = [table.column(number).to_pylist() for number in range(table.num_columns)]
    rows = tuple(zip(*columns, strict=True)) if columns else ()
    return Rows(node.id, tuple(table.column_names), rows)
