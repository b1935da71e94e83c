"""Types against Spark itself, over the example and the golden projects, and over the corpus: analysed, never run."""

from pathlib import Path

import pytest
from corpus_score import TABLES, Score, read_rows

from sqlml.build import Request, load_dag
from sqlml.compile import compile_dag
from sqlml.ir.aids import Aids
from sqlml.ir.dag import AlgorithmNode, PredictionNode, SourceNode, SqlNode
from sqlml.run.tables import read_files

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "valid"

pytestmark = pytest.mark.spark


@pytest.fixture
def views(spark):
    """Return a function that makes a view, of which nothing is left after the test."""
    made = []

    def make(name, frame):
        frame.createOrReplaceTempView(name)
        made.append(name)

    yield make
    for name in made:
        spark.catalog.dropTempView(name)


PROJECTS = [ROOT, ROOT / "sqlml" / "starter", *sorted(GOLDEN.iterdir())]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_types_of_project(project, spark, views, report):
    # Aids of its own keep nothing: a cache would stand in the project's folder.
    dag = load_dag(Request(project), Aids())
    compiled = compile_dag(dag, {})
    score = Score()
    missing = set()
    for node in dag.nodes.values():
        names, types = compiled.columns.get(node.id), compiled.types.get(node.id)
        if not node.relation or missing.intersection(node.parents):
            missing.add(node.id)
        elif isinstance(node, PredictionNode | AlgorithmNode):
            # Nothing is fitted or run here; that the columns are these is tested where it is.
            assert names is not None, node.id
            assert None not in types, node.id
            parts = [f"cast(null as {kind}) as `{name}`" for name, kind in zip(names, types, strict=True)]
            views(node.relation, spark.sql(f"select {', '.join(parts)} where false"))
        else:
            frame = read_node(spark, node, project)
            views(node.relation, frame)
            fields = [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]
            score.compare(node.id, None if names is None else list(zip(names, types, strict=True)), fields)
    report(f"project {project.name}", score)
    assert score.wrong == []
    # What is inferred from a value that may be taken for several types is left to Spark.
    assert score.unknown == []


def read_node(spark, node, project):
    """Return what Spark makes of a source, a seed or a SQL model, analysed and not run."""
    if isinstance(node, SqlNode):
        return spark.sql(node.sql.text.rstrip().rstrip(";"))
    return read_files(spark, node.source if isinstance(node, SourceNode) else node.seed, project)


def test_corpus_is_what_spark_says(spark, views):
    for name, columns in TABLES.items():
        parts = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in columns.items())
        views(name, spark.sql(f"select {parts} where false"))
    for row in read_rows("types_held_out_4.3.json"):
        fields = spark.sql(row["sql"]).schema.fields
        assert [[field.name, field.dataType.simpleString()] for field in fields] == row["columns"], row["sql"]
