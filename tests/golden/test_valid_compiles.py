"""Valid projects are compiled without an error, and the columns of their SQL models are known with their types."""

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
    sql_models = [node.id for node in dag.nodes.values() if isinstance(node, SqlNode)]
    assert [node_id for node_id in sql_models if not compiled.columns[node_id]] == []
    assert [node_id for node_id in sql_models if None in compiled.types[node_id]] == []
