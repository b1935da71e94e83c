"""sqlml ls: the nodes that a selection names, in DAG order."""

from __future__ import annotations

from sqlml.build import Request, load_dag, select
from sqlml.ir.dag import Node


def ls(request: Request) -> tuple[Node, ...]:
    """Return the selected nodes, parents first.

    Raises:
        SqlmlError: the project cannot be resolved, or a selector names nothing.
    """
    dag = load_dag(request)
    return tuple(dag.nodes[node_id] for node_id in select(dag, request))
