"""Tells whether two fits are the same: signatures, saved stages, tables and predictions of both in, differences out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlml.ir.explanations import TABLES_FOLDER
from sqlml.ir.reproduction import Part
from sqlml.ir.state import Signature, Version
from sqlml.run.engine import SparkEngine
from sqlml.run.ml.artifact import PIPELINE, part_folders
from sqlml.run.ml.prediction_diff import NOW, WAS, score_both
from sqlml.run.tables import quote

# Spark names each stage by its class and chance.
_UID = re.compile(r"_[0-9a-f]{12}(?![0-9a-f])")
# Defaults are those of this pyspark, but for the seed's, which Python makes anew in each process.
_CHANGING = ("timestamp", "uid", "sparkVersion", "defaultParamMap")


# Of trials and windows: how long they took, and which an interrupted build had fitted before.
_GOING = ("seconds", "is_kept")


def compare_signatures(was: Signature, now: Signature) -> Part:
    """Compare what two versions read and return."""
    before, after = asdict(was), asdict(now)
    return Part("signature", len(before), tuple(key for key in before if before[key] != after[key]))


def compare_files(was: Path, now: Path) -> tuple[Part, ...]:
    """Compare the saved stages of two versions' folders, coefficients and trees in them, and the tables beside them."""
    before, after = (dict(_all_stages(folder)) for folder in (was, now))
    tables = [{path.stem: _table(path) for path in (folder / TABLES_FOLDER).glob("*.jsonl")} for folder in (was, now)]
    return (
        Part("fitted stages", len(before), _other(before, after)),
        Part("tables", len(tables[0]), _other(tables[0], tables[1])),
    )


def _table(path: Path) -> list[str]:
    """Return the rows of a table, without how the fit went."""
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    # As text, where a NaN is what it is.
    return [json.dumps({name: value for name, value in row.items() if name not in _GOING}) for row in rows]


def _other(was: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in {**was, **now} if was.get(name) != now.get(name))


def _all_stages(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield what each folder of each saved pipeline of a version holds."""
    for value, own in part_folders(folder).items():
        for name, rows in _stages(own / PIPELINE):
            yield (name if value is None else f"{value}: {name}"), rows


def _stages(pipeline: Path) -> Iterator[tuple[str, Any]]:
    """Yield what each folder of a saved pipeline holds, under its name without what is chance in it."""
    import pyarrow.parquet

    folders: dict[str, list[str]] = {}
    for path in sorted(pipeline.rglob("part-*")):
        name = _UID.sub("", path.parent.relative_to(pipeline).as_posix())
        if path.name.endswith(".parquet"):
            # Rows of one folder may lie in any order.
            rows = [_row(row) for row in pyarrow.parquet.read_table(path).to_pylist()]
        else:
            rows = [_metadata(line) for line in path.read_text("utf-8").splitlines()]
        folders.setdefault(name, []).extend(rows)
    for name, rows in folders.items():
        yield name, sorted(rows)


def _row(row: Mapping[str, Any]) -> str:
    # An ensemble keeps the metadata of its trees in a column.
    return repr([_metadata(cell) if str(cell).startswith('{"class":') else cell for cell in row.values()])


def _metadata(line: str) -> str:
    found = {key: value for key, value in json.loads(line).items() if key not in _CHANGING}
    return _UID.sub("", json.dumps(found, sort_keys=True))


def compare_predictions(engine: SparkEngine, rows: Any, was: Version, now: Version) -> Part:
    """Compare what two versions predict of each row."""
    names = [column.name for column in was.signature.outputs]
    scored = score_both(engine, rows, was, now)
    # Maps cannot be compared, their texts can.
    same = [f"{_text(WAS + name)} <=> {_text(NOW + name)}" for name in names]
    counts = ["count(1)", *[f"count_if(NOT ({condition}))" for condition in same]]
    total, *other = scored.selectExpr(*counts).collect()[0]
    said = [f"{name} in {count} rows" for name, count in zip(names, other, strict=True) if count]
    return Part("predictions", total, tuple(said))


def _text(name: str) -> str:
    return f"CAST({quote(name)} AS STRING)"
