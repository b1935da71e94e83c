"""Valid projects are compiled without an error, and the columns of their SQL models are known."""

from pathlib import Path

import pytest

from sqlml.compile import compile_dag
from sqlml.ir.dag import SqlNode
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project

ROOT = Path(__file__).parents[2]
VALID = Path(__file__).parent / "valid"
PROJECTS = [ROOT, ROOT / "sqlml" / "starter", *sorted(VALID.iterdir())]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_valid_project_compiles(project):
    dag = resolve_project(parse_project(ParseRequest(project)))
    compiled = compile_dag(dag, {})
    assert set(compiled.fingerprints) == set(dag.nodes)
    unknown = [node for node in dag.nodes.values() if isinstance(node, SqlNode) and not compiled.columns[node.id]]
    # What a pivot makes is left to Spark.
    assert [node.id for node in unknown if "pivot" not in node.sql.text] == []
