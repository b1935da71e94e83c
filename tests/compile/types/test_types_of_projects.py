"""Types against Spark itself, over the example and the golden projects, and over the corpus: analysed, never run."""

from pathlib import Path

import pytest
from corpus_score import TABLES, Score, read_rows

from sqlml.build import Request, load_dag
from sqlml.compile.sql import parse_statement
from sqlml.compile.types import parse_type, type_query
from sqlml.ir.dag import SeedNode, SourceNode, SqlNode
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


@pytest.mark.parametrize("project", [ROOT, *sorted(GOLDEN.iterdir())], ids=lambda path: path.name)
def test_types_of_project(project, spark, views, report):
    score = Score()
    dag = load_dag(Request(project))
    typed = {}
    for node in dag.nodes.values():
        if isinstance(node, SourceNode | SeedNode):
            declared = node.source if isinstance(node, SourceNode) else node.seed
            frame = read_files(spark, declared, project)
            typed[node.relation.lower()] = {
                field.name: parse_type(field.dataType.simpleString()) for field in frame.schema.fields
            }
        elif isinstance(node, SqlNode) and all(dag.nodes[parent].relation.lower() in typed for parent in node.parents):
            statement = parse_statement(node.sql.text, node.name, node.sql.locate)
            frame = spark.sql(statement.text)
            columns = [[field.name, field.dataType.simpleString()] for field in frame.schema.fields]
            score.add(statement.text, columns, typed.get)
            found = type_query(statement.tree, typed.get)
            typed[node.relation.lower()] = found and {column.name: column.type for column in found}
        else:
            continue
        views(node.relation, frame)
    report(f"project {project.name}", score)
    assert score.wrong == []
    assert score.unknown == []


def test_corpus_is_what_spark_says(spark, views):
    for name, columns in TABLES.items():
        parts = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in columns.items())
        views(name, spark.sql(f"select {parts} where false"))
    for row in read_rows("types_held_out_4.3.json"):
        fields = spark.sql(row["sql"]).schema.fields
        assert [[field.name, field.dataType.simpleString()] for field in fields] == row["columns"], row["sql"]
