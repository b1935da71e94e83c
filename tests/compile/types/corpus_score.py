"""The corpus of queries with the types that Spark gives them, and how a corpus is scored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlml.compile.sql import parse_statement
from sqlml.compile.types import parse_type
from sqlml.compile.types.queries import ColumnsOf, type_query
from sqlml.errors import SqlmlError
from sqlml.ir.location import SourceLocation

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
TABLES = {
    name: {column: parse_type(kind) for column, kind in columns.items()}
    for name, columns in json.loads((HERE / "corpus" / "tables.json").read_text(encoding="utf-8")).items()
}


@dataclass
class Score:
    """How many columns' types are known, and which are wrong."""

    queries: int = 0
    columns: int = 0
    known: int = 0
    unknown: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def known_share(self) -> float:
        return self.known / self.columns

    def add(self, sql: str, columns: list[list[str]], columns_of: ColumnsOf) -> None:
        """Count a query whose columns are, as Spark says, `columns`."""
        typed = typed_columns(sql, columns_of)
        self.compare(sql, None if typed is None else [(found.name, found.type) for found in typed], columns)

    def compare(self, what: str, claimed: Sequence[tuple] | None, columns: Sequence[Sequence[str]]) -> None:
        """Count the names and types claimed of `what`, whose columns are, as Spark says, `columns`."""
        self.queries += 1
        self.columns += len(columns)
        if claimed is None:
            self.unknown += [f"{name} {kind} in {what}" for name, kind in columns]
            return
        if len(claimed) != len(columns):
            self.wrong.append(f"{len(claimed)} columns, not {len(columns)}, in {what}")
            return
        for (named, typed), (name, kind) in zip(claimed, columns, strict=True):
            if named not in (None, name):
                self.wrong.append(f"{named} is called {name} in {what}")
            elif typed is None:
                self.unknown.append(f"{name} {kind} in {what}")
            elif str(typed) != kind:
                self.wrong.append(f"{name} {typed} is {kind} in {what}")
            else:
                self.known += 1

    def __str__(self) -> str:
        shares = f"known {self.known_share:.1%}, unknown {len(self.unknown)}, wrong {len(self.wrong)}"
        return f"{self.queries} queries, {self.columns} columns: {shares}"


def typed_columns(sql, columns_of):
    """Return the columns of `sql`; None: they are not all known, or sqlglot cannot read it."""
    try:
        tree = parse_statement(sql, "sql", lambda start, end=None: SourceLocation("", start)).tree
    except SqlmlError:
        return None
    return type_query(tree, columns_of)


def read_rows(name: str) -> list[dict]:
    """Return the rows of a file that `regenerate.py` wrote."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))
