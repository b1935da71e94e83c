"""The state's tables; each constant is one."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from sqlml.persist import codec

SCHEMA_VERSION: Final = 4
"""Raise it with every change of a table, and say in `database.py` how to come from the one before."""


class Json(TypeDecorator[Any]):
    """A structure as JSON text (`codec`), which every database can hold and a person can read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text to store."""
        return None if value is None else codec.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the structure that was stored."""
        return None if value is None else codec.loads(value)


METADATA: Final = MetaData()

META: Final = Table(
    "meta",
    METADATA,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

OUTPUTS: Final = Table(
    "outputs",
    METADATA,
    # Rises with every publication: the order of builds, whatever the clock says.
    Column("id", Integer, primary_key=True),
    Column("schema", String, nullable=False),
    # Seeds and SQL models share their names, so that one of a name can be current.
    Column("name", String, nullable=False),
    Column("node_id", String, nullable=False),
    Column("build_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("relation", String, nullable=False),
    Column("location", String),
    Column("sql", Text),
    Column("rows", BigInteger),
    Column("built_at", String, nullable=False),
    Column("fingerprint", Json, nullable=False),
    Column("columns", Json, nullable=False),
    Column("champions", Json, nullable=False),
    Column("parents", Json, nullable=False),
    Column("more", Json),
    Column("is_current", Boolean, nullable=False),
    # False once its folder has been removed.
    Column("is_kept", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
Index(
    "one_current_output",
    OUTPUTS.c["schema"],
    OUTPUTS.c["name"],
    unique=True,
    sqlite_where=OUTPUTS.c["is_current"],
    postgresql_where=OUTPUTS.c["is_current"],
)
Index("outputs_by_name", OUTPUTS.c["schema"], OUTPUTS.c["name"], OUTPUTS.c["is_kept"])

BEGUN: Final = Table(
    # Folders that someone is writing. What a crash leaves here is garbage, and only what is here.
    "begun",
    METADATA,
    Column("location", String, primary_key=True),
    Column("since", String, nullable=False),
)

VERSIONS: Final = Table(
    "versions",
    METADATA,
    Column("schema", String, primary_key=True),
    Column("ml_model", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("location", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("fingerprint", Json, nullable=False),
    Column("signature", Json, nullable=False),
    Column("gates", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("more", Json),
)


def _of_version() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["schema", "ml_model", "version"], ["versions.schema", "versions.ml_model", "versions.version"]
    )


METRICS: Final = Table(
    # Long: one row a version, dataset, slice and metric.
    "metrics",
    METADATA,
    Column("schema", String, primary_key=True),
    Column("ml_model", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("dataset", String, nullable=False),
    Column("slice", String, nullable=False),
    Column("metric", String, nullable=False),
    # Null is NaN, which SQLite cannot hold.
    Column("value", Float(53)),
    Column("rows", BigInteger),
    Column("low", Float(53)),
    Column("high", Float(53)),
    Column("baseline", Float(53)),
    Column("gain_low", Float(53)),
    Column("gain_high", Float(53)),
    _of_version(),
)

TRIALS: Final = Table(
    # Of searches that have not ended; those of an ML model are gone once it has a version of the search.
    "trials",
    METADATA,
    Column("schema", String, primary_key=True),
    Column("ml_model", String, primary_key=True),
    # A digest.
    Column("rows", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("search", Text, nullable=False),
    Column("trial", Json, nullable=False),
)

ALIASES: Final = Table(
    # A history: the current row of an alias says where it points, the others where it pointed.
    "aliases",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("schema", String, nullable=False),
    Column("ml_model", String, nullable=False),
    Column("alias", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_pinned", Boolean, nullable=False),
    Column("moved_at", String, nullable=False),
    Column("is_current", Boolean, nullable=False),
    _of_version(),
    sqlite_autoincrement=True,
)
Index(
    "one_current_alias",
    ALIASES.c["schema"],
    ALIASES.c["ml_model"],
    ALIASES.c["alias"],
    unique=True,
    sqlite_where=ALIASES.c["is_current"],
    postgresql_where=ALIASES.c["is_current"],
)

TESTS: Final = Table(
    "tests",
    METADATA,
    Column("schema", String, primary_key=True),
    Column("test_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("fingerprint", Json, nullable=False),
    Column("champions", Json, nullable=False),
    Column("more", Json),
)

RUNS: Final = Table(
    "runs",
    METADATA,
    Column("run_id", String, primary_key=True),
    Column("schema", String, nullable=False),
    Column("command", String, nullable=False),
    Column("status", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("finished_at", String),
)

STEPS: Final = Table(
    "steps",
    METADATA,
    Column("run_id", String, primary_key=True),
    Column("node_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("duration_s", Float(53), nullable=False),
    Column("rows", BigInteger),
    Column("message", Text, nullable=False),
    Column("error", Text),
    Column("metrics", Json, nullable=False),
    ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
)

FILES: Final = Table(
    "files",
    METADATA,
    Column("path", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("digest", String, nullable=False),
)

LOCK_HOLDER: Final = Table(
    "lock_holder",
    METADATA,
    Column("schema", String),
    Column("pid", Integer, nullable=False),
    Column("host", String, nullable=False),
    Column("user", String, nullable=False),
    Column("command", String, nullable=False),
    Column("since", String, nullable=False),
)

ADDED_COLUMNS: Final[dict[int, dict[Table, tuple[str, ...]]]] = {
    2: {METRICS: ("rows", "low", "high", "baseline", "gain_low", "gain_high")},
    3: {LOCK_HOLDER: ("schema",)},
}
"""Schema version to the columns, all of them nullable, that it has and the one before it had not; new tables are made
in any case."""
