"""The tables that a fit left of a version, from its folder; no JVM."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlml.errors import StateError
from sqlml.ir.explanations import TABLES_FOLDER, Row
from sqlml.ir.ml_tables import card_tables, ml_table_columns
from sqlml.ir.state import Version


def read_tables(version: Version, names: Iterable[str] | None = None) -> Mapping[str, tuple[Row, ...]]:
    """Return the rows of tables of a version, as far as it has them; rows have all columns.

    Args:
        names: None: those that are shown with a version.

    Raises:
        StateError: one of them cannot be read.
    """
    tables = {}
    chosen = card_tables() if names is None else {name: ml_table_columns(name)[1:] for name in names}
    for name, columns in chosen.items():
        path = Path(version.location) / TABLES_FOLDER / f"{name}.jsonl"
        if path.exists():
            try:
                rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            except (OSError, ValueError) as error:
                raise StateError(f"'{path}' cannot be read: {error}", fix="fit again with --retrain") from error
            tables[name] = tuple({column.name: row.get(column.name) for column in columns} for row in rows)
    return tables
