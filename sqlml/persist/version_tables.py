"""The tables that explain a fitted model, from its folder; no JVM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sqlml.errors import StateError
from sqlml.ir.explanations import EXPLANATIONS, TABLES_FOLDER, Row
from sqlml.ir.state import Version


def read_tables(version: Version) -> Mapping[str, tuple[Row, ...]]:
    """Return the rows of each table that a version has, every row with all columns of its table.

    Raises:
        StateError: one of them cannot be read.
    """
    tables = {}
    for name, table in EXPLANATIONS.items():
        path = Path(version.location) / TABLES_FOLDER / f"{name}.jsonl"
        if path.exists():
            try:
                rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            except (OSError, ValueError) as error:
                raise StateError(f"'{path}' cannot be read: {error}", fix="fit again with --retrain") from error
            tables[name] = tuple({column.name: row.get(column.name) for column in table.columns} for row in rows)
    return tables
