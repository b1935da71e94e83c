"""Writes what Spark says of its own function examples and of the corpus: run it with a new Spark.

    python tests/compile/types/regenerate.py [examples] [corpus]

Both are analysed only, over empty typed views; no job runs.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from sqlml.run.session import SessionSettings, close, open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
CORPUS = {
    "held_out": HERE / "corpus" / "held_out.sql",
    "written": HERE / "corpus" / "written.sql",
    "fresh": HERE / "corpus" / "fresh.sql",
    "tune": HERE / "corpus" / "tune.sql",
    "features": HERE.parent / "feature_queries.sql",
}


def examples_of(description: str) -> list[str]:
    """Return the statements of the Examples section of a function's description."""
    found: list[str] = []
    current: str | None = None
    for line in description.splitlines():
        text = line.strip()
        if text.startswith("> "):
            current = text[2:]
        elif current is not None and text:
            current = f"{current}\n{text}"
        if current is not None and current.rstrip().endswith(";"):
            found.append(current.rstrip().rstrip(";"))
            current = None
    return found


def columns_of(session: SparkSession, sql: str) -> list[list[str]] | None:
    """Return [name, type] of each output column of `sql`; None if Spark refuses it."""
    try:
        schema = session.sql(sql).schema
    except (PySparkException, Py4JError):
        return None
    return [[field.name, field.dataType.simpleString()] for field in schema.fields]


def write_examples(session: SparkSession) -> Path:
    """Write Spark's function examples with the types that Spark gives them."""
    rows = []
    for row in session.sql("SHOW SYSTEM FUNCTIONS").collect():
        name = row[0]
        if not name.isidentifier():
            name = f"`{name}`"
        described = "\n".join(line[0] for line in session.sql(f"DESCRIBE FUNCTION EXTENDED {name}").collect())
        for sql in examples_of(described):
            columns = columns_of(session, sql) if sql.lstrip().lower().startswith(("select", "with", "(")) else None
            if columns is not None:
                rows.append({"sql": sql, "columns": columns})
    unique = {row["sql"]: row for row in rows}
    return write(f"function_examples_{version(session)}.json", [unique[sql] for sql in sorted(unique)])


def write_corpus(session: SparkSession) -> list[Path]:
    """Write the types of the queries of the corpus, whose views are in `corpus/tables.json`."""
    tables = json.loads((HERE / "corpus" / "tables.json").read_text(encoding="utf-8"))
    for name, columns in tables.items():
        parts = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in columns.items())
        session.sql(f"SELECT {parts} WHERE false").createOrReplaceTempView(name)
    written = [write_queries(session, name, file) for name, file in CORPUS.items()]
    return [*written, *[write_again(session, file) for file in DATA.glob("types_combinations_*.json")]]


def write_again(session: SparkSession, file: Path) -> Path:
    """Ask for the same queries as a file of another version has."""
    rows = [
        {"sql": row["sql"], "columns": columns_of(session, row["sql"])}
        for row in json.loads(file.read_text(encoding="utf-8"))
    ]
    return write(f"types_combinations_{version(session)}.json", [row for row in rows if row["columns"]])


def write_queries(session: SparkSession, name: str, file: Path) -> Path:
    """Write the types of the queries of one file; those that Spark refuses are left out, and named."""
    rows: list[dict[str, object]] = []
    lines = file.read_text(encoding="utf-8").splitlines()
    for sql in "\n".join(line for line in lines if not line.startswith("-- ")).split("\n---\n"):
        columns = columns_of(session, sql)
        if columns is None:
            sys.stderr.write(f"{file.name}: Spark refuses {sql.strip()}\n")
        else:
            rows.append({"sql": sql.strip(), "columns": columns})
    return write(f"types_{name}_{version(session)}.json", rows)


def version(session: SparkSession) -> str:
    """Return the minor version, as in `4.3`."""
    return ".".join(session.version.split(".")[:2])


def write(name: str, rows: list[dict[str, object]]) -> Path:
    """Write one row a line, so that a change is seen in a diff."""
    path = DATA / name
    DATA.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return path


def main(wanted: list[str]) -> None:
    """Write what is wanted, or all."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(SessionSettings(Path(folder), cores=1, memory="1g"))
        try:
            if not wanted or "examples" in wanted:
                write_examples(session)
            if not wanted or "corpus" in wanted:
                write_corpus(session)
        finally:
            close(session)


if __name__ == "__main__":
    main(sys.argv[1:])
