"""How two versions of an ML model differ: versions, records and tables in, what changed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlml.ir.drift import Drift, find_drift
from sqlml.ir.explanations import Row
from sqlml.ir.prediction_differences import PredictionDifference
from sqlml.ir.records import VersionRecord
from sqlml.ir.state import Metric, Version

# Told apart by what they mean: params and training data have parts of their own, the others mean nothing to a fit.
_NOT_SPEC = ("name", "path", "places", "params", "outputs", "description", "tags", "location")
_NOTHING: tuple[Any, ...] = (None, "", (), [], {}, False)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was; None where it was not there or is not there now."""

    what: str
    was: Any
    now: Any


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric of two versions, each on its own rows; None where it was not measured.

    Attributes:
        is_apart: whether the two 95 % intervals do not meet; None where one has none.
    """

    dataset: str
    slice: str
    metric: str
    was: Metric | None
    now: Metric | None

    @property
    def is_apart(self) -> bool | None:
        """Whether the intervals do not meet."""
        if self.was is None or self.now is None:
            return None
        ends = (self.was.low, self.was.high, self.now.low, self.now.high)
        if any(end is None for end in ends):
            return None
        low, high, new_low, new_high = (float(end or 0.0) for end in ends)
        return new_low > high or low > new_high


@dataclass(frozen=True, slots=True)
class Weighed:
    """A version with what it was made of and what its fit left.

    Attributes:
        tables: those of `ml_table()` that are compared, by name.
    """

    version: Version
    record: VersionRecord | None
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """All that differs between two versions; what is the same in both is left out.

    Attributes:
        was, now: numbers of the versions.
        sql: rendered SQL of the relations behind the training data.
        data: digests of sources and seeds, and numbers of rows and of each class.
        params: given, added and default ones.
        circumstances: software, session settings, commit.
        metrics: those of all rows and of slices, equal ones too.
        importances: feature to its weight, largest change first; `weighed_by` is the table that has it.
        drift: of features in the training rows.
        predictions: None: they were not compared.
        notes: what could not be compared, and why.
    """

    ml_model: str
    was: int
    now: int
    spec: tuple[Change, ...] = ()
    sql: tuple[Change, ...] = ()
    data: tuple[Change, ...] = ()
    params: tuple[Change, ...] = ()
    features: tuple[Change, ...] = ()
    circumstances: tuple[Change, ...] = ()
    metrics: tuple[MetricDifference, ...] = ()
    weighed_by: str = ""
    importances: tuple[Change, ...] = ()
    drift: tuple[Drift, ...] = ()
    predictions: PredictionDifference | None = None
    notes: tuple[str, ...] = ()


def compare_versions(was: Weighed, now: Weighed) -> VersionDifference:
    """Return what differs between two versions, without their predictions."""
    before, after = was.record, now.record
    notes = [
        f"version {entry.version.version} has no record of what it was made of: an older sqlml fitted it"
        for entry in (was, now)
        if entry.record is None
    ]
    weighed_by, importances = _importances(was, now)
    tables = [entry.tables.get("feature_statistics", ()) for entry in (was, now)]
    if not all(tables) and any(tables):
        notes.append("only one of the versions has statistics of its features")
    is_whole = before is not None and after is not None
    return VersionDifference(
        was.version.ml_model,
        was.version.version,
        now.version.version,
        spec=_changes(_spec(before), _spec(after)) if is_whole else (),
        sql=_changes(_sql(before), _sql(after)) if is_whole else (),
        data=(*(_changes(_data(before), _data(after)) if is_whole else ()), *_changes(_counts(was), _counts(now))),
        params=_changes(_params(was), _params(now)),
        features=_changes(_features(was.version), _features(now.version)),
        circumstances=_changes(_circumstances(before), _circumstances(after)) if is_whole else (),
        metrics=_metrics(was.version, now.version),
        weighed_by=weighed_by,
        importances=importances,
        drift=find_drift(tables[0], tables[1]) if all(tables) else (),
        notes=tuple(notes),
    )


def _changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(what, was.get(what), now.get(what)) for what in {**was, **now} if was.get(what) != now.get(what)
    )


def _spec(record: VersionRecord | None) -> dict[str, Any]:
    return {} if record is None else dict(_plain(asdict(record.spec)))


def _plain(value: Any) -> Any:
    """Return data without places and without what is not given, tuples as lists."""
    if isinstance(value, Mapping):
        parts = {str(key): _plain(part) for key, part in value.items() if key not in _NOT_SPEC}
        return {key: part for key, part in parts.items() if part not in _NOTHING}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _sql(record: VersionRecord | None) -> dict[str, str]:
    relations = () if record is None else record.relations
    return {entry.name: entry.sql for entry in relations if entry.sql is not None}


def _data(record: VersionRecord | None) -> dict[str, str | None]:
    relations = () if record is None else record.relations
    found = {entry.name: entry.files.version for entry in relations if entry.files is not None}
    scored = {
        f"predictions of {entry.ml_model}": None if entry.version is None else f"version {entry.version}"
        for entry in relations
        if entry.ml_model is not None
    }
    return found | scored


def _counts(entry: Weighed) -> dict[str, Any]:
    facts = entry.version.facts
    counts = {f"rows: {side}": count for side, count in facts.get("rows", {}).items()}
    for side, classes in facts.get("classes", {}).items():
        counts |= {f"rows: {side}, class {name}": count for name, count in classes.items()}
    parts = facts.get("for_each", {})
    for value, of_part in parts.get("values", {}).items():
        counts |= {f"rows: {side}, {parts['column']}={value}": count for side, count in of_part["rows"].items()}
    return counts


def _params(entry: Weighed) -> dict[str, Any]:
    defaults = {} if entry.record is None else dict(entry.record.defaults)
    facts = entry.version.facts
    of_values = {
        f"{facts['for_each']['column']}={value}: {name}": param
        for value, own in facts.get("for_each", {}).get("values", {}).items()
        for name, param in own.get("params", {}).items()
    }
    return defaults | dict(facts.get("params", {})) | of_values


def _features(version: Version) -> dict[str, str]:
    return {column.name: column.type for column in version.signature.features}


def _circumstances(record: VersionRecord | None) -> dict[str, Any]:
    if record is None:
        return {}
    commit = record.commit
    said = {} if commit is None else {"commit": commit.commit + (" and changes" if commit.is_dirty else "")}
    return said | dict(record.software) | dict(record.settings)


def _metrics(was: Version, now: Version) -> tuple[MetricDifference, ...]:
    before, after = (
        {(entry.dataset, entry.slice, entry.metric): entry for entry in version.metrics} for version in (was, now)
    )
    keys = sorted({**after, **before}, key=lambda key: (key[0] != "holdout", key[1]))
    return tuple(MetricDifference(*key, before.get(key), after.get(key)) for key in keys)


_WEIGHTS = (("importances", "importance"), ("permutation_importances", "importance"), ("coefficients", "coefficient"))


def _importances(was: Weighed, now: Weighed) -> tuple[str, tuple[Change, ...]]:
    """Return the table that both have, and how the weight of each of its slots or features changed."""
    for table, column in _WEIGHTS:
        if was.tables.get(table) and now.tables.get(table):
            before, after = (_weights(entry.tables[table], column) for entry in (was, now))
            changes = _changes(before, after)
            return table, tuple(sorted(changes, key=lambda change: -abs((change.now or 0) - (change.was or 0))))
    return "", ()


def _weights(rows: Sequence[Row], column: str) -> dict[str, float]:
    names = [str(row.get("slot") or row["feature"]) for row in rows]
    classes = [f" ({row['class']})" if row.get("class") is not None else "" for row in rows]
    parts = [f"{row['slice']}: " if row.get("slice") else "" for row in rows]
    return {f"{part}{name}{of}": row[column] for part, name, of, row in zip(parts, names, classes, rows, strict=True)}
