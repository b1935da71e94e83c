"""The tables that are shown with a version, from its folder; no JVM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sqlml.errors import StateError
from sqlml.ir.explanations import TABLES_FOLDER, Row
from sqlml.ir.ml_tables import card_tables
from sqlml.ir.state import Version


def read_tables(version: Version) -> Mapping[str, tuple[Row, ...]]:
    """Return the rows of each table that is shown with a version, as far as it has it; rows have all columns.

    Raises:
        StateError: one of them cannot be read.
    """
    tables = {}
    for name, columns in card_tables().items():
        path = Path(version.location) / TABLES_FOLDER / f"{name}.jsonl"
        if path.exists():
            try:
                rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            except (OSError, ValueError) as error:
                raise StateError(f"'{path}' cannot be read: {error}", fix="fit again with --retrain") from error
            tables[name] = tuple({column.name: row.get(column.name) for column in columns} for row in rows)
    return tables
