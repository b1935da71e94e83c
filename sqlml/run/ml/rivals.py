"""Lets a fit meet another version on rows that neither has seen: rivals and held-out rows in, comparisons out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.errors import DataError, SqlmlError
from sqlml.ir.comparisons import Comparison, Rival
from sqlml.ir.estimators import Returns, estimator_of
from sqlml.ir.metrics import measured_name
from sqlml.ir.project import MlModel
from sqlml.ir.signatures import INTEGERS, find_misfit
from sqlml.ir.state import Column, Version
from sqlml.run.ml.artifact import FittedPart
from sqlml.run.ml.dispatch import is_scored_sql, load_parts, transform_parts
from sqlml.run.ml.estimator import LABEL, role_column
from sqlml.run.ml.evaluation.comparing import Contestant, Paired, compare_pair
from sqlml.run.ml.evaluation.regression import BUCKETS
from sqlml.run.ml.evaluation.rows import CARRIED, SLICES, WEIGHT
from sqlml.run.ml.labels import class_text
from sqlml.run.ml.recommend import Ids
from sqlml.run.ml.rival_rankings import Recommender, compare_rankings
from sqlml.run.ml.role_stages import ID_ROLES
from sqlml.run.ml.score import read_inputs
from sqlml.run.ml.seen_rows import SEEN, mark_seen, seen_by, seen_sql
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CENSOR = role_column("censor")
BUCKET = f"{CARRIED}bucket"
OURS = f"{CARRIED}prediction"

FEWEST_ROWS = 30
"""Of fewer rows no bootstrap tells anything."""


@dataclass(frozen=True, slots=True)
class Met:
    """A rival, and what each row is to carry for it.

    Attributes:
        sql: a struct of whether it was fitted on the row (`seen_rows.seen_sql`), and `row`, the columns that it reads.
        undecided: why it cannot be compared with; empty if it can.
        note: what is said where too few rows are left.
    """

    rival: Rival
    sql: str = ""
    undecided: str = ""
    note: str = ""


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
    seen = seen_by(rival, columns)
    if seen.undecided:
        return Met(rival, undecided=f"which rows {said} was fitted on cannot be told: {seen.undecided}")
    by_name = {column.name.lower(): column.name for column in columns}
    reads = [by_name[column.name.lower()] for column in (*signature.features, *signature.inputs)]
    row = f"struct({', '.join(quote(name) for name in dict.fromkeys(reads))})"
    fields = ", ".join([*seen_sql(seen), "'row'", row])
    return Met(rival, f"named_struct({fields})", note=seen.note)


def compare_with_rivals(
    met: Sequence[Met], score_rows: Callable[[], DataFrame], candidate: Contestant, recommender: Recommender | None
) -> list[Comparison]:
    """Return a comparison for each rival and each of the gates that name it.

    Args:
        score_rows: gives the rows held out, as the candidate scores them, and what they carry.
        recommender: the candidate, if it recommends.
    """
    if not met:
        return []
    whole = Candidate(candidate, score_rows(), recommender)
    return [entry for at, one in enumerate(met) for entry in _compare_with(one, f"{CARRIED}{at}", whole)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whose fit is compared, with the rows held out as it scores them; `recommender` if it recommends."""

    contestant: Contestant
    scored: DataFrame
    recommender: Recommender | None = None


def _compare_with(met: Met, carried: str, candidate: Candidate) -> list[Comparison]:
    rival = met.rival
    number = None if rival.version is None else rival.version.version
    gates = [gate for gate in candidate.contestant.ml_model.gates if gate.not_worse_than == rival.alias]
    asked = [
        Comparison(rival.alias, number, measured_name(gate.metric, gate.top, gate.k), gate.slice) for gate in gates
    ]
    if rival.version is None or met.undecided:
        return [replace(entry, undecided=met.undecided) for entry in asked]
    found: dict[bool, Mapping[str, Paired]] = {}
    try:
        parts = load_parts(candidate.scored.sparkSession, Path(rival.version.location))
        for of_places in {entry.is_of_places for entry in asked}:
            wanted = {entry.slice for entry in asked if entry.is_of_places is of_places}
            measure = _pair_rankings if of_places else _pair_scores
            found[of_places] = measure(rival, parts, carried, candidate, wanted)
    except SqlmlError as error:
        why = error.what if isinstance(error, _Unlike) else f"version {number} cannot score the rows: {error.what}"
        return [replace(entry, undecided=why) for entry in asked]
    return [_comparison(entry, found[entry.is_of_places], met.note) for entry in asked]


class _Unlike(DataError):
    """Two versions do not answer the same question."""


def _pair_rankings(
    rival: Rival, parts: Sequence[FittedPart], carried: str, candidate: Candidate, slices: set[str]
) -> Mapping[str, Paired]:
    """Return what was measured of what both recommend, for each slice."""
    version, recommender = _version(rival), candidate.recommender
    assert recommender is not None
    _check_alike(rival, candidate.contestant)
    now, then = (
        _ids(columns_of(recommender.held_out.schema), recommender.ml_model.role_columns),
        _ids(version.signature.inputs, version.signature.roles),
    )
    if now != then:
        raise _Unlike(f"version {version.version} knows users and items by {' and '.join(map(' '.join, then))}")
    held_out = mark_seen(recommender.held_out, carried, Path(version.location))
    return compare_rankings(replace(recommender, held_out=held_out), Ids.of(parts[0].pipeline), slices)


def _ids(columns: Sequence[Column], roles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the columns of users and of items with their types; integers are written alike, whatever their width."""
    types = {column.name.lower(): column.type for column in columns}
    names = [roles[role].lower() for role in ID_ROLES]
    return [(name, "integer" if types[name] in INTEGERS else types[name]) for name in names]


def _pair_scores(
    rival: Rival, parts: Sequence[FittedPart], carried: str, candidate: Candidate, slices: set[str]
) -> Mapping[str, Paired]:
    """Return what was measured of each slice of the rows that the rival was not fitted on.

    Raises:
        DataError: the rival cannot read the rows, or does not answer the same question.
    """
    version, contestant = _version(rival), candidate.contestant
    theirs = _check_alike(rival, contestant)
    unseen = mark_seen(candidate.scored, carried, Path(version.location)).where(f"NOT {SEEN}")
    unseen = unseen.where(is_scored_sql(parts, version.signature, f"{carried}.row."))
    scored = _score(version, parts, unseen, carried)
    if contestant.entry.returns is Returns.RATING:
        # Of who or what one of the two has not seen there is nothing to compare.
        scored = scored.where(f"NOT isnan(prediction) AND NOT isnan({OURS})")
        unseen = scored.withColumn("prediction", scored[OURS])
    return compare_pair((unseen, contestant), (scored, theirs), BUCKET, slices)


def _version(rival: Rival) -> Version:
    assert rival.version is not None
    return rival.version


def _check_alike(rival: Rival, candidate: Contestant) -> Contestant:
    """Return the rival as one whose predictions are measured.

    Raises:
        DataError: it does not answer the same question.
    """
    version = _version(rival)
    assert rival.record is not None
    signature, spec = version.signature, rival.record.spec
    classes = tuple(class_text(value) for value in signature.classes)
    if classes != candidate.classes:
        raise _Unlike(f"version {version.version} tells other classes apart: {', '.join(classes) or 'no classes'}")
    entry = replace(estimator_of(spec), returns=Returns(signature.returns))
    if entry.problem is not candidate.entry.problem:
        raise _Unlike(f"version {version.version} answers another question")
    return Contestant(spec, entry, classes)


def _score(version: Version, parts: Sequence[FittedPart], rows: DataFrame, carried: str) -> DataFrame:
    """Return the rows with what a rival predicts, the candidate's prediction beside it as `OURS`.

    Raises:
        DataError: it cannot read the rows.
    """
    kept = [name for name in (LABEL, WEIGHT, CENSOR, SLICES, BUCKET) if name in rows.columns]
    ours = f"prediction AS {OURS}"
    inputs = read_inputs(rows.select(f"{carried}.row.*"), version.signature)
    own = rows.selectExpr(*kept, ours, f"{carried}.row.*").select(*kept, OURS, *inputs)
    return transform_parts(parts, version.signature, own)


def _comparison(asked: Comparison, paired: Mapping[str, Paired], note: str) -> Comparison:
    found = paired.get(asked.slice)
    rows = 0 if found is None else found.rows
    if found is None or rows < FEWEST_ROWS:
        asked = replace(asked, rows=rows)
        kept = "users with held-out rows" if asked.is_of_places else "held-out rows"
        why = f"{rows} {kept} are left that it was not fitted on, and at least {FEWEST_ROWS} are needed"
        return replace(asked, undecided=f"{why}; {note}" if note else why)
    now, was = found.now.get(asked.metric), found.was.get(asked.metric)
    low, high = found.gain(asked.metric)
    asked = replace(asked, rows=rows)
    why = "" if low is not None else f"'{asked.metric}' cannot be measured on these {asked.of_what}"
    return replace(asked, now=now, was=was, gain_low=low, gain_high=high, undecided=why)
