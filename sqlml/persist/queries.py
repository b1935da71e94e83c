"""What the state says, read in one transaction: a connection goes in, `ir` types come out; and hashes of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select

from sqlml.ir.kept_trials import KeptTrial
from sqlml.ir.state import Alias, Metric, Output, Snapshot, TestOutcome, Version
from sqlml.persist import codec
from sqlml.persist.files import Known
from sqlml.persist.rows import from_row, metric_of, output_of, version_of
from sqlml.persist.tables import ALIASES, FILES, METRICS, OUTPUTS, TESTS, TRIALS, VERSIONS
from sqlml.persist.warehouse import Warehouse

_BATCH = 500


def read_snapshot(connection: Connection, schema: str, warehouse: Warehouse) -> Snapshot:
    """Return all that is current in `schema`, be the folders there or not."""
    tests = connection.execute(select(TESTS).where(TESTS.c["schema"] == schema).order_by(TESTS.c["test_id"]))
    return Snapshot(
        schema,
        outputs={output.node_id: output for output in _read_outputs(connection, schema, warehouse)},
        versions=read_versions(connection, schema, warehouse),
        aliases=_read_aliases(connection, schema),
        tests={row["test_id"]: from_row(TestOutcome, row) for row in tests.mappings()},
    )


def read_versions(
    connection: Connection, schema: str, warehouse: Warehouse, ml_model: str | None = None
) -> dict[str, tuple[Version, ...]]:
    """Return the versions of all ML models, or of one, oldest first."""
    metrics: dict[tuple[str, int], list[Metric]] = {}
    query = select(METRICS).where(METRICS.c["schema"] == schema).order_by(METRICS.c["position"])
    for row in _of(connection, query, METRICS.c["ml_model"], ml_model):
        metrics.setdefault((row["ml_model"], row["version"]), []).append(metric_of(row))
    versions: dict[str, tuple[Version, ...]] = {}
    query = select(VERSIONS).where(VERSIONS.c["schema"] == schema).order_by(VERSIONS.c["version"])
    for row in _of(connection, query, VERSIONS.c["ml_model"], ml_model):
        own = tuple(metrics.get((row["ml_model"], row["version"]), ()))
        version = version_of(row, warehouse, own)
        versions[version.ml_model] = (*versions.get(version.ml_model, ()), version)
    return versions


def read_alias_moves(connection: Connection, schema: str, ml_model: str, alias: str) -> tuple[tuple[Alias, str], ...]:
    """Return where an alias has pointed and since when (ISO 8601, UTC), the newest first."""
    query = (
        select(ALIASES)
        .where(ALIASES.c["schema"] == schema, ALIASES.c["ml_model"] == ml_model, ALIASES.c["alias"] == alias)
        .order_by(ALIASES.c["id"].desc())
    )
    return tuple((from_row(Alias, row), row["moved_at"]) for row in connection.execute(query).mappings())


def read_trials(connection: Connection, schema: str, ml_model: str, rows: str) -> tuple[KeptTrial, ...]:
    """Return the trials that are kept of an ML model's search on some rows, by their numbers."""
    mine = (TRIALS.c["schema"] == schema, TRIALS.c["ml_model"] == ml_model, TRIALS.c["rows"] == rows)
    query = select(TRIALS.c["trial"]).where(*mine).order_by(TRIALS.c["number"])
    return tuple(codec.restore(KeptTrial, trial) for trial in connection.scalars(query))


def missing_outputs(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """Return the ids and build ids of the tables whose folder is not there."""
    return frozenset(
        (output.node_id, output.build_id)
        for output in snapshot.outputs.values()
        if output.location is not None and not Path(output.location).is_dir()
    )


def read_output(connection: Connection, node_id: str, build_id: str, warehouse: Warehouse) -> Output | None:
    """Return one build of a node, whatever its schema, since no id is used twice; None if it was never published."""
    mine = (OUTPUTS.c["node_id"] == node_id, OUTPUTS.c["build_id"] == build_id, OUTPUTS.c["kind"] == "table")
    row = connection.execute(select(OUTPUTS).where(*mine)).mappings().first()
    return None if row is None else output_of(row, warehouse)


def _read_outputs(connection: Connection, schema: str, warehouse: Warehouse) -> list[Output]:
    query = select(OUTPUTS).where(OUTPUTS.c["schema"] == schema, OUTPUTS.c["is_current"]).order_by(OUTPUTS.c["id"])
    return [output_of(row, warehouse) for row in connection.execute(query).mappings()]


def _read_aliases(connection: Connection, schema: str) -> Mapping[str, tuple[Alias, ...]]:
    query = select(ALIASES).where(ALIASES.c["schema"] == schema, ALIASES.c["is_current"]).order_by(ALIASES.c["alias"])
    aliases: dict[str, tuple[Alias, ...]] = {}
    for row in connection.execute(query).mappings():
        aliases[row["ml_model"]] = (*aliases.get(row["ml_model"], ()), from_row(Alias, row))
    return aliases


def _of(connection: Connection, query: Select[Any], column: Any, ml_model: str | None) -> list[RowMapping]:
    narrowed = query if ml_model is None else query.where(column == ml_model)
    return list(connection.execute(narrowed).mappings())


def read_known_files(connection: Connection) -> dict[str, Known]:
    """Return the hashes of files by path."""
    return {row.path: Known(row.size, row.mtime_ns, row.digest) for row in connection.execute(select(FILES))}


def write_known_files(connection: Connection, known: Mapping[str, Known]) -> None:
    """Keep hashes of files by path, in the place of those that were kept before."""
    paths = list(known)
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        connection.execute(delete(FILES).where(FILES.c["path"].in_(batch)))
        connection.execute(insert(FILES), [{"path": path, **known[path]._asdict()} for path in batch])
