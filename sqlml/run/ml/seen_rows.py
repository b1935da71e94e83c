"""Which rows another version was fitted on: what it recorded of its split in, SQL over the rows as they are now out.

A row is taken for seen if the version's own split, applied to the row as it is now, puts it among the training rows. No
row of a fit is kept for that; a split `within` a column keeps a border for each of its values, and `refit: all` the
latest time of the rows. A row that is doubtful is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.ir.comparisons import Rival
from sqlml.ir.splits import resolve_split
from sqlml.ir.state import Column
from sqlml.run.ml.checks import SIDE, TRAINING
from sqlml.run.ml.evaluation.rows import CARRIED
from sqlml.run.ml.split import SplitRule, by_column_sql, by_hash_sql, micros_sql, within_sql
from sqlml.run.ml.sql_text import literal
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BORDERS = "borders"
"""The folder of a version with what its split `within` a column learnt: `value` of the column, and its `border`."""

SEEN = f"{CARRIED}seen"
_VALUE, _BORDER = f"{CARRIED}value", f"{CARRIED}border"


@dataclass(frozen=True, slots=True)
class Seen:
    """How it is told which rows a version was fitted on.

    Attributes:
        sql: condition of such a row; with `group` it is not enough.
        group, place: SQL of the value within which a row was split, and of its place there; empty: there is none.
        undecided: why it cannot be told; empty if it can.
        note: what is said where too few rows are left.
    """

    sql: str = "false"
    group: str = ""
    place: str = ""
    undecided: str = ""
    note: str = ""


def keep_borders(sided: DataFrame, rule: SplitRule, folder: Path) -> None:
    """Write what a split `within` a column learnt into the folder of a version."""
    from pyspark.sql import functions as sf

    if rule.group:
        training = sided.where(f"{SIDE} = '{TRAINING}'").selectExpr(f"{rule.group} AS value", f"{rule.place} AS place")
        borders = training.groupBy("value").agg(sf.max("place").alias("border"))
        borders.write.parquet(_borders_uri(folder))


def seen_by(rival: Rival, columns: Sequence[Column]) -> Seen:
    """Return how it is told which rows of a relation with `columns` a version was fitted on."""
    assert rival.version is not None
    assert rival.record is not None
    spec, facts = rival.record.spec, rival.version.facts
    split, learnt = resolve_split(spec), facts.get("split", {})
    there = {column.name.lower(): column for column in columns}
    then = {column.name.lower(): column for column in rival.record.columns}
    if split.by == "none":
        return Seen(undecided="it held no rows out")
    if spec.refit == "all":
        return _seen_by_refit(facts.get("refit", {}), there)
    names: Sequence[str] = learnt.get("columns") or split.columns
    within = [split.within] if split.within is not None else []
    if missing := [name for name in (*names, *within) if name.lower() not in there]:
        return Seen(undecided=f"the training data has no '{missing[0]}' any more, by which it was split")
    # A hash is one of a value of a type.
    values = [_as_then(name, there, then) for name in names]
    if split.within is not None:
        if not (Path(rival.version.location) / BORDERS).exists():
            return Seen(undecided=f"it was split within '{split.within}' by an older sqlml, which kept no borders")
        return Seen(group=_as_then(split.within, there, then), place=within_sql(values, names[0], split))
    if split.by == "hash":
        return Seen(by_hash_sql(values, split)[0])
    name = names[0]
    if split.by == "column":
        return Seen(by_column_sql(name, then.get(name.lower(), there[name.lower()]).type, split)[0])
    cut = learnt.get("holdout_from")
    if cut is None:
        return Seen(f"{quote(name)} IS NOT NULL")
    return Seen(f"{micros_sql(name)} < {_micros_of(cut)} - {split.gap_s * 1_000_000}")


def _seen_by_refit(refit: dict[str, Any], there: dict[str, Column]) -> Seen:
    name, latest = refit.get("time"), refit.get("latest")
    if name is None or latest is None:
        return Seen(undecided="with 'refit: all' it has seen those held out as well, and no time tells later ones")
    if name.lower() not in there:
        return Seen(undecided=f"the training data has no '{name}' any more, the time up to which it has seen all rows")
    note = (
        f"with 'refit: all' it has seen every row up to {latest.partition('.')[0]}: wait for more rows after that, or "
        "write 'refit: none'"
    )
    return Seen(f"NOT coalesce({micros_sql(name)} > {_micros_of(latest)}, false)", note=note)


def mark_seen(rows: DataFrame, carried: str, folder: Path) -> DataFrame:
    """Return the rows with the column `SEEN`: whether a version was fitted on one.

    Args:
        carried: the column with the structs that `seen_sql` makes.
        folder: of the version.
    """
    if "group" not in rows.select(f"{carried}.*").columns:
        return rows.withColumn(SEEN, rows[carried]["seen"])
    from pyspark.sql import functions as sf

    borders = rows.sparkSession.read.parquet(_borders_uri(folder)).select(
        sf.col("value").alias(_VALUE), sf.col("border").alias(_BORDER)
    )
    joined = rows.join(borders, sf.expr(f"{carried}.group <=> {_VALUE}"), "left")
    # A row without a place was on neither side, and one of a value that was not there is new.
    return joined.withColumn(SEEN, sf.expr(f"coalesce({carried}.place <= {_BORDER}, false)")).drop(_VALUE, _BORDER)


def seen_sql(seen: Seen) -> list[str]:
    """Return the fields of a struct that says of a row whether it was seen, as names and values by turns."""
    fields = ["'seen'", f"coalesce({seen.sql}, false)"]
    return [*fields, "'group'", seen.group, "'place'", seen.place] if seen.group else fields


def _as_then(name: str, there: dict[str, Column], then: dict[str, Column]) -> str:
    now, was = there[name.lower()], then.get(name.lower())
    return quote(name) if was is None or was.type == now.type else f"try_cast({quote(name)} AS {was.type})"


def _borders_uri(folder: Path) -> str:
    return f"file://{(folder.absolute() / BORDERS).as_posix()}"


def _micros_of(instant: Any) -> str:
    return f"unix_micros(CAST({literal(str(instant))} AS TIMESTAMP))"
