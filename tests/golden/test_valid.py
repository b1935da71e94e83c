"""Small whole projects: each folder under `valid/` in, its graph with SQL and columns as text out (`dag.txt`)."""

import os
from pathlib import Path

import pytest

from sqlml.compile import compile_dag
from sqlml.ir.dag import Dag, MlNode, Node, SqlNode, TestNode
from sqlml.ir.plan import Compiled
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project

VALID = Path(__file__).parent / "valid"


def show(compiled: Compiled) -> str:
    """Return the graph as text: one paragraph for each node, in order, then the warnings."""
    shown = [f"warning: {text}\n  --> {place}\n" for text, place in compiled.warnings]
    return "\n".join([*(show_node(node, compiled) for node in compiled.dag.nodes.values()), *shown])


def show_node(node: Node, compiled: Compiled) -> str:
    columns = compiled.columns.get(node.id, ())
    features = compiled.features.get(node.id, ())
    facts = {
        "file": node.path,
        "relation": node.relation,
        "materialized": node.materialized if isinstance(node, SqlNode) else "",
        "tags": ", ".join(node.tags),
        "reads": ", ".join(node.parents),
        "owner": node.owner if isinstance(node, TestNode) and node.parents != (node.owner,) else "",
        # Those of a test are known as a matter of course; `?` is what only Spark can tell.
        "columns": "" if isinstance(node, (TestNode, MlNode)) else "?" if columns is None else ", ".join(columns),
        "features": "?" if features is None else ", ".join(features),
        "severity": node.test.severity if isinstance(node, TestNode) and node.test.severity != "error" else "",
    }
    lines = [node.id, *(f"  {key}: {value}" for key, value in facts.items() if value)]
    if isinstance(node, (SqlNode, TestNode)):
        lines += [f"  | {line}".rstrip() for line in node.sql.text.rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n"


def dag_of(case: str) -> Dag:
    return resolve_project(parse_project(ParseRequest(VALID / case)))


CASES = sorted(path.name for path in VALID.iterdir())


@pytest.mark.parametrize("case", CASES)
def test_dag(case):
    text = show(compile_dag(dag_of(case), {}))
    expected = VALID / case / "dag.txt"
    if os.environ.get("GOLDEN_UPDATE") == "1":
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_every_literal_leads_back_to_its_file(case):
    for node in dag_of(case).nodes.values():
        if not isinstance(node, SqlNode):
            continue
        lines = (VALID / case / node.path).read_text(encoding="utf-8").split("\n")
        for offset, character in enumerate(node.sql.text):
            place = node.sql.locate(offset)
            assert place.path == node.path
            assert place.column is not None
            written = (lines[place.line - 1] + "\n")[place.column - 1 :]
            # What an expression made leads to its braces, and they have an end.
            assert written[0] == character or (written.startswith("{{") and place.end_column)
