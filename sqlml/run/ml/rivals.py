"""Lets a fit meet another version on rows that neither has seen: rivals and held-out rows in, comparisons out.

A row is taken for one that the rival was fitted on if the rival's own split, applied to the row as it is now, puts it
among the training rows. Nothing of a fit's rows is kept for that, and a row that is doubtful is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError
from sqlml.ir.comparisons import Comparison, Rival
from sqlml.ir.estimators import Returns, estimator_of
from sqlml.ir.metrics import measured_name
from sqlml.ir.project import MlModel
from sqlml.ir.signatures import find_misfit
from sqlml.ir.splits import resolve_split
from sqlml.ir.state import Column, Version
from sqlml.run.ml.artifact import FittedPart
from sqlml.run.ml.dispatch import is_scored_sql, load_parts, transform_parts
from sqlml.run.ml.estimator import LABEL, role_column
from sqlml.run.ml.evaluation.comparing import Contestant, Paired, compare_pair
from sqlml.run.ml.evaluation.regression import BUCKETS
from sqlml.run.ml.evaluation.rows import CARRIED, SLICES, WEIGHT
from sqlml.run.ml.labels import class_text
from sqlml.run.ml.score import read_inputs
from sqlml.run.ml.split import by_column_sql, by_hash_sql, micros_sql
from sqlml.run.ml.sql_text import literal
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CENSOR = role_column("censor")
BUCKET = f"{CARRIED}bucket"

FEWEST_ROWS = 30
"""Of fewer rows no bootstrap tells anything."""


@dataclass(frozen=True, slots=True)
class Met:
    """A rival, and what each row is to carry for it.

    Attributes:
        sql: a struct of `seen`, whether it was fitted on the row, and `row`, the columns that it reads.
        undecided: why it cannot be compared with; empty if it can.
    """

    rival: Rival
    sql: str = ""
    undecided: str = ""


def meet_rivals(rivals: Sequence[Rival], ml_model: MlModel, columns: Sequence[Column]) -> tuple[Met, ...]:
    """Return the rivals with what the rows of the training relation, which has `columns`, are to carry."""
    return tuple(_meet(rival, ml_model, columns) for rival in rivals)


def carried_sql(met: Sequence[Met]) -> list[str]:
    """Return the SQL of the columns that rows carry."""
    return [f"{one.sql} AS {CARRIED}{at}" for at, one in enumerate(met) if one.sql]


def carried_columns(rows: DataFrame) -> list[str]:
    """Return the names of those columns."""
    return [name for name in rows.columns if name.startswith(CARRIED)]


def deal_out(rows: DataFrame) -> DataFrame:
    """Return rows that carry something with the bucket of each, in their order; others as they are."""
    from pyspark.sql import functions as sf

    if not carried_columns(rows):
        return rows
    return rows.withColumn(BUCKET, sf.expr(f"CAST(pmod(monotonically_increasing_id(), {BUCKETS}) AS INT)"))


def _meet(rival: Rival, ml_model: MlModel, columns: Sequence[Column]) -> Met:
    version, record = rival.version, rival.record
    if version is None:
        return Met(rival)
    said = f"version {version.version}"
    if record is None:
        return Met(rival, undecided=f"{said} was fitted by an older sqlml, which did not record how it split its rows")
    signature = version.signature
    if (signature.label or "").lower() != (ml_model.label or "").lower():
        return Met(rival, undecided=f"{said} predicts '{signature.label}', and this one '{ml_model.label}'")
    misfit = find_misfit(columns, (*signature.features, *signature.inputs))
    if misfit:
        return Met(rival, undecided=f"{said} cannot score the rows: the training data {misfit}")
    seen, why = _seen_sql(rival, columns)
    if why:
        return Met(rival, undecided=f"which rows {said} was fitted on cannot be told: {why}")
    by_name = {column.name.lower(): column.name for column in columns}
    reads = [by_name[column.name.lower()] for column in (*signature.features, *signature.inputs)]
    row = f"struct({', '.join(quote(name) for name in dict.fromkeys(reads))})"
    return Met(rival, f"named_struct('seen', coalesce({seen}, false), 'row', {row})")


def _seen_sql(rival: Rival, columns: Sequence[Column]) -> tuple[str, str]:
    """Return the condition of a row that a rival was fitted on, or why there is none."""
    assert rival.version is not None
    assert rival.record is not None
    spec, facts = rival.record.spec, rival.version.facts.get("split", {})
    split = resolve_split(spec)
    if split.by == "none" or split.within is not None:
        return "", "it held no rows out" if split.by == "none" else f"its split was within '{split.within}'"
    if spec.refit == "all":
        return "", "with 'refit: all' it has seen those held out as well"
    there = {column.name.lower(): column for column in columns}
    then = {column.name.lower(): column for column in rival.record.columns}
    names: Sequence[str] = facts.get("columns") or split.columns
    if missing := [name for name in names if name.lower() not in there]:
        return "", f"the training data has no '{missing[0]}' any more, by which it was split"
    if split.by == "hash":
        # A hash is one of a value of a type.
        values = [_as_then(quote(name), there[name.lower()], then.get(name.lower())) for name in names]
        return by_hash_sql(values, split)[0], ""
    name = names[0]
    if split.by == "column":
        return by_column_sql(name, then.get(name.lower(), there[name.lower()]).type, split)[0], ""
    cut = facts.get("holdout_from")
    if cut is None:
        return f"{quote(name)} IS NOT NULL", ""
    border = f"unix_micros(CAST({literal(str(cut))} AS TIMESTAMP)) - {split.gap_s * 1_000_000}"
    return f"{micros_sql(name)} < {border}", ""


def _as_then(sql: str, now: Column, then: Column | None) -> str:
    return sql if then is None or then.type == now.type else f"try_cast({sql} AS {then.type})"


def compare_with_rivals(
    met: Sequence[Met], score_rows: Callable[[], DataFrame], candidate: Contestant
) -> list[Comparison]:
    """Return a comparison for each rival and each of the gates that name it.

    Args:
        score_rows: gives the rows held out, as the candidate scores them, and what they carry.
    """
    if not met:
        return []
    scored = score_rows()
    return [entry for at, one in enumerate(met) for entry in _compare_with(one, f"{CARRIED}{at}", scored, candidate)]


def _compare_with(met: Met, carried: str, scored: DataFrame, candidate: Contestant) -> Iterator[Comparison]:
    rival = met.rival
    number = None if rival.version is None else rival.version.version
    asked = [gate for gate in candidate.ml_model.gates if gate.not_worse_than == rival.alias]
    wanted = [(gate.slice, measured_name(gate.metric, gate.top, gate.k)) for gate in asked]
    if rival.version is None or met.undecided:
        for part, metric in wanted:
            yield Comparison(rival.alias, number, metric, part, undecided=met.undecided)
        return
    unseen = scored.where(f"NOT {carried}.seen")
    try:
        parts = load_parts(unseen.sparkSession, Path(rival.version.location))
        unseen = unseen.where(is_scored_sql(parts, rival.version.signature, f"{carried}.row."))
        theirs = _score(rival.version, parts, unseen, carried)
        paired, why = _pair(rival, theirs, unseen, candidate, {part for part, _ in wanted})
    except SqlmlError as error:
        paired, why = {}, f"version {number} cannot score the rows: {error.what}"
    for part, metric in wanted:
        yield _comparison(Comparison(rival.alias, number, metric, part, undecided=why), paired)


def _score(version: Version, parts: Sequence[FittedPart], rows: DataFrame, carried: str) -> DataFrame:
    """Return the rows with what a rival predicts, in place of what the candidate does.

    Raises:
        DataError: it cannot read the rows.
    """
    kept = [name for name in (LABEL, WEIGHT, CENSOR, SLICES, BUCKET) if name in rows.columns]
    inputs = read_inputs(rows.select(f"{carried}.row.*"), version.signature)
    return transform_parts(parts, version.signature, rows.select(*kept, f"{carried}.row.*").select(*kept, *inputs))


def _pair(
    rival: Rival, theirs: DataFrame, ours: DataFrame, candidate: Contestant, parts: set[str]
) -> tuple[Mapping[str, Paired], str]:
    """Return what was measured of each slice, or why nothing could be."""
    assert rival.version is not None
    assert rival.record is not None
    signature, spec = rival.version.signature, rival.record.spec
    classes = tuple(class_text(value) for value in signature.classes)
    if classes != candidate.classes:
        shown = ", ".join(classes) or "no classes"
        return {}, f"version {rival.version.version} tells other classes apart: {shown}"
    entry = replace(estimator_of(spec), returns=Returns(signature.returns))
    if entry.problem is not candidate.entry.problem:
        return {}, f"version {rival.version.version} answers another question"
    return compare_pair((ours, candidate), (theirs, Contestant(spec, entry, classes)), BUCKET, parts), ""


def _comparison(asked: Comparison, paired: Mapping[str, Paired]) -> Comparison:
    if asked.undecided:
        return asked
    found = paired.get(asked.slice)
    rows = 0 if found is None else found.rows
    if found is None or rows < FEWEST_ROWS:
        why = f"{rows} held-out rows are left that it was not fitted on, and at least {FEWEST_ROWS} are needed"
        return replace(asked, rows=rows, undecided=why)
    now, was = found.now.get(asked.metric), found.was.get(asked.metric)
    low, high = found.gain(asked.metric)
    why = "" if low is not None else f"'{asked.metric}' cannot be measured on these {rows} rows"
    return replace(asked, rows=rows, now=now, was=was, gain_low=low, gain_high=high, undecided=why)
