"""Column lineage of whole projects: those under `valid/` with a `lineage.txt` in, every edge as text out."""

import os
from pathlib import Path

import pytest

from sqlml.compile import compile_dag
from sqlml.ir.lineage import Edge, NodeLineage
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project

VALID = Path(__file__).parent / "valid"
CASES = sorted(path.parent.name for path in VALID.glob("*/lineage.txt"))


def show(node_id: str, lineage: NodeLineage) -> str:
    """Return a paragraph: the columns that decide the rows, then each column with its edges."""
    lines = [node_id, *(f"  rows: {'.'.join(ref)}" for ref in lineage.rows)]
    for column, edges in lineage.columns.items():
        lines += [f"  {column}", *(f"    {show_edge(edge)}" for edge in edges)]
    return "\n".join(lines) + "\n"


def show_edge(edge: Edge) -> str:
    return f"{'copy' if edge.is_copy else edge.kind.value} {'.'.join(edge.source)}"


@pytest.mark.parametrize("case", CASES)
def test_lineage(case):
    dag = resolve_project(parse_project(ParseRequest(VALID / case)))
    lineage = compile_dag(dag, {}, with_lineage=True).lineage
    nodes = {node_id: node for node_id, node in lineage.nodes.items() if dag.nodes[node_id].parents}
    text = "\n".join(show(node_id, node) for node_id, node in nodes.items())
    expected = VALID / case / "lineage.txt"
    if os.environ.get("GOLDEN_UPDATE") == "1":
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


def test_there_are_some():
    assert CASES
