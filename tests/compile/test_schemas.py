"""Column names of data files, and the errors of files that are not what the spec says."""

import gzip
import json

import pytest

from sqlml.compile.kept_schemas import SchemaReader
from sqlml.compile.schemas import read_columns
from sqlml.ir.cache import NoCache
from sqlml.ir.dag import SourceNode
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import Source

pa = pytest.importorskip("pyarrow")

SPEC = "version: 2\nsources:\n  - name: raw\n    tables:\n      - name: t\n        path: {path}\n{more}"


def columns(workshop, path, more=""):
    compiled = workshop.compile({"models/sources.yml": SPEC.format(path=path, more=more)})
    return compiled.columns["source.raw.t"]


@pytest.fixture
def data(workshop):
    (workshop.root / "data").mkdir(exist_ok=True)
    # A folder is hashed by persist; here its version does not matter.
    workshop.compile = lambda files=None: _compile(workshop, files)
    return workshop.root / "data"


def _compile(workshop, files):
    from sqlml.compile import compile_dag
    from sqlml.parse import ParseRequest, parse_project
    from sqlml.resolve import resolve_project

    workshop.write(files or {})
    return compile_dag(resolve_project(parse_project(ParseRequest(workshop.root))), {})


def test_csv(workshop, data):
    (data / "t.csv").write_bytes(b'\xef\xbb\xbfa,"b ""x""",,C\n1,2,3,4\n')
    assert columns(workshop, "data/t.csv") == ("a", 'b "x"', "_c2", "C")


def test_csv_options(workshop, data):
    (data / "t.csv").write_text("a|'b|c'\n")
    assert columns(workshop, "data/t.csv", "        options: {sep: '|', quote: \"'\"}\n") == ("a", "b|c")
    assert columns(workshop, "data/t.csv", "        options: {header: 'false', sep: '|'}\n") == ("_c0", "_c1", "_c2")


def test_csv_gz_and_folder(workshop, data):
    folder = data / "t" / "day=1"
    folder.mkdir(parents=True)
    (data / "t" / "_SUCCESS").write_text("")
    with gzip.open(folder / "part-0.csv.gz", "wt") as file:
        file.write("a,b\n1,2\n")
    assert columns(workshop, "data/t", "        format: csv\n") == ("a", "b", "day")


def test_parquet_and_orc(workshop, data):
    from pyarrow import orc
    from pyarrow import parquet as pq

    table = pa.table({"Id": [1], "s": [{"x": 1}]})
    pq.write_table(table, data / "t.parquet")
    orc.write_table(table, data / "t.orc")
    assert columns(workshop, "data/t.parquet") == ("Id", "s")
    assert columns(workshop, "data/t.orc") == ("Id", "s")


def test_json(workshop, data):
    (data / "t.json").write_text("\n".join(json.dumps(row) for row in ({"b": 1}, {"a": 2, "b": 1})))
    assert columns(workshop, "data/t.json") == ("a", "b")
    (data / "t.json").write_text('[{"z": 1},\n {"y": 1}]')
    assert columns(workshop, "data/t.json", "        options: {multiLine: 'true'}\n") == ("y", "z")


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        (
            "a,b\n",
            "        columns: [{name: a}, {name: bb}]\n",
            "column 'bb', which 'data/t.csv' does not have",
        ),
        ("a,A\n", "", "the columns 'a' and 'A', which are one name to Spark"),
        ("a.b\n", "", "a column 'a.b': a dot in a name"),
        ("\x00\xff", "        options: {encoding: utf-16}\n", "cannot be read as csv"),
    ],
)
def test_wrong_files(workshop, data, text, more, expected):
    (data / "t.csv").write_text(text, encoding="latin-1")
    assert expected in workshop.errors({"models/sources.yml": SPEC.format(path="data/t.csv", more=more)})


def test_missing_and_damaged_files(workshop, data):
    # The parse phase finds what is missing; a file may go between the two.
    errors = []
    places = Places(SourceLocation("models/sources.yml", 6))
    declared = Source("raw", "t", "data/nope.parquet", "parquet", places)
    node = SourceNode(id="source.raw.t", name="raw.t", path="models/sources.yml", places=places, source=declared)
    schemas = SchemaReader(workshop.root, {}, NoCache())
    assert read_columns(node, schemas, workshop.root, errors) is None
    assert [error.what for error in errors] == ["source 'raw.t' reads 'data/nope.parquet', which does not exist"]
    (data / "t.parquet").write_text("no parquet")
    text = workshop.errors({"models/sources.yml": SPEC.format(path="data/t.parquet", more="")})
    assert "source 'raw.t' cannot be read as parquet" in text
