"""The projects under `valid/`, built on Spark: their seeds and sources in, the rows of every SQL model out.

`expected/<sql model>.csv` was written by hand: a header of `name type`, then the rows in any order, `null` for null.
Only what stands below an ML model is left out; `tests/spark/ml` has fits.
"""

from __future__ import annotations

import csv
import shutil
from datetime import date, datetime
from pathlib import Path

import pytest

from sqlml.build import Request, build, load_dag, open_engine, open_project_store
from sqlml.cli.progress import SilentProgress
from sqlml.ir.dag import MlNode, SqlNode
from sqlml.run.relations import Champions, Relations

VALID = Path(__file__).parent / "valid"
pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("warm")]


def read_expected(file: Path) -> tuple[list[str], list[list[str]]]:
    with file.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    return header, sorted(rows)


def text_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else str(value)


def read_relations(request: Request, names: list[str]) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Return the header and the rows of relations, as a command that comes after the build reads them."""
    dag = load_dag(request)
    snapshot = open_project_store(dag.project).snapshot()
    found = {}
    with open_engine(dag.project) as engine:
        relations = Relations(dag, snapshot, engine, Champions.of(snapshot))
        for name in names:
            node = dag.nodes[f"sql_model.{name}"]
            relations.define(node.id)
            columns, rows = engine.preview(node.relation, 1000)
            types = [data_type for _, data_type in engine.relation(node.relation).dtypes]
            header = [f"{column} {data_type}" for column, data_type in zip(columns, types, strict=True)]
            found[name] = header, sorted([text_of(value) for value in row] for row in rows)
    return found


@pytest.mark.parametrize("case", sorted(path.name for path in VALID.iterdir()))
def test_rows(case, tmp_path):
    project = tmp_path / case
    shutil.copytree(VALID / case, project)
    nodes = load_dag(Request(project)).nodes.values()
    without_fits = ("resource_type:ml_model+",) if any(isinstance(node, MlNode) for node in nodes) else ()
    request = Request(project, exclude=without_fits)
    results = build(request, SilentProgress()).results
    assert results.exit_code == 0, [result for result in results.results if result.error]
    built = {result.node_id for result in results.results}
    expected = {file.stem: read_expected(file) for file in (VALID / case / "expected").iterdir()}
    assert set(expected) == {node.name for node in nodes if isinstance(node, SqlNode) and node.id in built}
    assert read_relations(request, list(expected)) == expected
