"""What an ML model is measured by: the specs of gates, slices and thresholds in, what they declare and errors out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlml.errors import SqlmlError, suggest
from sqlml.ir.estimators import Estimator, Problem, Returns, find_estimator
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.measuring import Gate, Slice, ThresholdRule
from sqlml.ir.metrics import METRICS, known_metrics
from sqlml.parse.evaluation_specs import SliceEntry
from sqlml.parse.specs import GateSpec, MlModelSpec
from sqlml.parse.subject import Subject

_BASELINES = {
    Problem.CLASSIFICATION: ("majority",),
    Problem.REGRESSION: ("mean", "median"),
}
_COMPARED = (*_BASELINES, Problem.RECOMMENDATION)
_SLICED = (*_COMPARED, Problem.CLUSTERING)


def to_gate(spec: GateSpec, location: SourceLocation) -> Gate:
    """Return the gate that an entry of `gates:` declares."""
    return Gate(
        spec.metric,
        location,
        at_least=spec.at_least,
        at_most=spec.at_most,
        better_than=spec.better_than,
        by=spec.by or 0.0,
        dataset=spec.dataset,
        slice=spec.slice or "",
        top=spec.top,
        is_sure=spec.surely,
        k=spec.k,
        not_worse_than=spec.not_worse_than,
        tolerance=spec.tolerance or 0.0,
    )


def to_slices(spec: MlModelSpec, places: Places) -> tuple[Slice, ...]:
    """Return the slices of an ML model; what is fitted for each value of a column is measured for each as well."""
    return tuple(
        Slice(entry.name or entry.column or "", places.value_of(key), entry.where)
        for key, entry in _slice_entries(spec)
    )


def _slice_entries(spec: MlModelSpec) -> list[tuple[str, SliceEntry]]:
    """Return the slices with the keys where they are declared; the column of `for_each:` is the first of them."""
    given = [
        (f"slices.{position}" + (".where" if entry.where is not None else ""), entry)
        for position, entry in enumerate(spec.slices)
    ]
    if spec.for_each is None:
        return given
    column = spec.for_each.column
    others = [(key, entry) for key, entry in given if (entry.column or "").lower() != column.lower()]
    return [("for_each", SliceEntry(column=column)), *others]


def to_threshold_rule(value: Any) -> ThresholdRule | None:
    """Return how a threshold is learnt; None: it is given, or there is none."""
    if not isinstance(value, dict):
        return None
    if "maximize" in value:
        return ThresholdRule(maximize=value["maximize"])
    costs = value["cost"]
    return ThresholdRule(None, float(costs["false_positive"]), float(costs["false_negative"]))


def check_evaluation(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    """Yield what is wrong with how an ML model is measured, as far as it is known without its columns."""
    for position, gate in enumerate(spec.gates):
        yield from _check_gate(gate, f"gates.{position}", spec, subject)
    for position, entry in enumerate(spec.slices):
        yield from _check_slice(entry, f"slices.{position}", subject)
    yield from _check_slice_names(spec, subject)
    estimator = find_estimator(spec.estimator, spec.params, spec.problem, spec.family)
    if estimator is not None:
        yield from _check_for_estimator(spec, estimator, subject)
    if spec.refit == "all" and spec.split.by == "none":
        yield subject.error("refit", "'refit: all' means nothing where no rows are held out", "remove 'refit:'")


def _check_gate(gate: GateSpec, path: str, spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    limits = (gate.at_least, gate.at_most, gate.better_than, gate.not_worse_than)
    if all(limit is None for limit in limits):
        yield subject.error(
            path,
            f"the gate on '{gate.metric}' has no limit",
            "add at_least:, at_most:, better_than: baseline or not_worse_than: champion",
        )
    elif gate.at_least is not None and gate.at_most is not None and gate.at_least > gate.at_most:
        what = f"the gate on '{gate.metric}' can never pass: at_least is above at_most"
        yield subject.error(path, what, "swap the two, or remove one")
    if gate.by is not None and gate.better_than is None:
        yield subject.error(f"{path}.by", "'by' means nothing without 'better_than' (in 'gates')", "remove 'by:'")
    if gate.by is not None and gate.by < 0:
        yield subject.value_error(
            f"{path}.by", "'by' must be 0 or more (in 'gates')", "write how much better it must be"
        )
    yield from _check_rival(gate, path, spec, subject)
    yield from check_measured(gate.metric, {"top": gate.top, "k": gate.k}, path, subject)
    if gate.dataset == "holdout" and spec.split.by == "none":
        what = "the gate is about the hold-out, and with 'split: {by: none}' there is none"
        yield subject.error(f"{path}.dataset", what, "remove 'dataset:', or hold rows out")
    slices = [entry for _, entry in _slice_entries(spec)]
    if gate.slice is not None and not any(_may_name(entry, gate.slice) for entry in slices):
        names = [f"{entry.column}=…" if entry.where is None else str(entry.name) for entry in slices]
        fix = suggest(gate.slice, names, "'slices:' has") if names else "add it to 'slices:'"
        yield subject.error(f"{path}.slice", f"the gate is about '{gate.slice}', which is no slice", fix)


def check_measured(metric: str | None, given: Mapping[str, Any], path: str, subject: Subject) -> Iterator[SqlmlError]:
    """Yield what is given of a metric that does not take it.

    Args:
        metric: None: the first that is measured, which takes nothing.
        given: `top` and `k` to what is said of them.
    """
    area = path.partition(".")[0]
    for key, value in given.items():
        takers = [name for name, kind in METRICS.items() if (kind.takes_top if key == "top" else kind.takes_k)]
        if value is None or metric in takers or (metric is not None and metric not in METRICS):
            continue
        what = f"'{key}' means nothing " + (f"to the metric '{metric}'" if metric else "without 'metric'")
        yield subject.error(f"{path}.{key}", f"{what} (in '{area}')", f"remove it; it goes with {', '.join(takers)}")


def _check_rival(gate: GateSpec, path: str, spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    if gate.not_worse_than is None:
        if gate.tolerance is not None:
            what = "'tolerance' means nothing without 'not_worse_than' (in 'gates')"
            yield subject.error(f"{path}.tolerance", what, "remove 'tolerance:'")
        return
    if gate.tolerance is not None and gate.tolerance < 0:
        what = "'tolerance' must be 0 or more (in 'gates')"
        yield subject.value_error(f"{path}.tolerance", what, "write how much worse it may be, such as 0.005")
    if not gate.not_worse_than[:1].isalpha():
        what = f"'{gate.not_worse_than}' is no alias of a version"
        yield subject.value_error(
            f"{path}.not_worse_than", what, "write champion, or an alias given by sqlml model tag"
        )
    # What would leave no row that both have not seen, or hide which those are.
    problem, fix = "", "give at_least: or at_most:, or change what is named"
    if spec.split.by == "none":
        problem = "with 'split: {by: none}' there are none"
    elif gate.dataset == "training":
        problem = "those of 'dataset: training' are not"
    elif spec.refit == "all" and spec.event_time is None and spec.split.by != "time":
        problem = "with 'refit: all' the champion has seen every row, and no time tells which came later"
        fix = "name the time of a row with event_time:, or write 'refit: none'"
    if problem:
        what = f"two versions are compared on rows that neither was fitted on, and {problem}"
        yield subject.error(f"{path}.not_worse_than", what, fix)


def _may_name(entry: SliceEntry, name: str) -> bool:
    return name == entry.name if entry.where is not None else name.startswith(f"{entry.column}=")


def _check_slice(entry: SliceEntry, path: str, subject: Subject) -> Iterator[SqlmlError]:
    if entry.column is not None and (entry.name is not None or entry.where is not None):
        fix = "keep 'column:', or 'name:' with 'where:'"
        yield subject.error(path, "a slice is a column or a condition, not both", fix)
    elif entry.column is None and (entry.name is None or entry.where is None):
        what = "a slice by a condition needs 'name:' and 'where:'"
        yield subject.error(path, what, 'write a column, or {name: winter, where: "month in (12, 1, 2)"}')


def _check_slice_names(spec: MlModelSpec, subject: Subject) -> Iterator[SqlmlError]:
    seen: set[str] = set()
    for position, entry in enumerate(spec.slices):
        name = (entry.name or entry.column or "").lower()
        if spec.for_each is not None and entry.where is not None and name == spec.for_each.column.lower():
            what = f"slice '{entry.name}' is named like the column of 'for_each:', each of whose values is a slice"
            yield subject.error(f"slices.{position}.name", what, "give it another name")
        elif name and name in seen:
            yield subject.error(
                f"slices.{position}", f"slice '{entry.name or entry.column}' is there twice", "remove one"
            )
        seen.add(name)


def _check_for_estimator(spec: MlModelSpec, estimator: Estimator, subject: Subject) -> Iterator[SqlmlError]:
    name, problem = spec.estimator, estimator.problem
    if spec.class_weights is not None:
        if problem is not Problem.CLASSIFICATION:
            yield subject.error("class_weights", f"'class_weights' is for classifiers, and {name} is none", "remove it")
        elif "weight" not in estimator.roles:
            what = f"{name} takes no weights, by which 'class_weights' would count"
            yield subject.error("class_weights", what, "remove it, or take another estimator")
    if spec.slices and (problem not in _SLICED or estimator.returns is Returns.TOPICS):
        what = "'slices' is for classifiers, regressions, recommendations and clusterings other than LDA"
        yield subject.error("slices", f"{what}, and {name} is none of them", "remove it")
    if spec.permutation_importances and (problem not in _BASELINES or spec.split.by == "none"):
        why = f"{name} is neither" if problem not in _BASELINES else "no rows are held out"
        what = f"'permutation_importances' is for classifiers and regressions with a hold-out, and {why}"
        yield subject.error("permutation_importances", what, "remove it")
    # A rating is a number as well; of what was done only rankings are measured.
    rated = _BASELINES[Problem.REGRESSION] if estimator.returns is Returns.RATING else ()
    allowed = _BASELINES.get(problem, rated)
    if spec.baseline is not None and spec.baseline not in allowed:
        what = f"'baseline: {spec.baseline}' is no trivial model for {name}"
        fix = f"it is {' or '.join(allowed)}" if allowed else "remove 'baseline:'"
        yield subject.value_error("baseline", what, fix)
    for position, gate in enumerate(spec.gates):
        yield from _check_comparison(gate, f"gates.{position}", spec, estimator, subject)
        if gate.not_worse_than is not None and problem is Problem.CLUSTERING:
            what = "no label tells which of two clusterings is better: each is measured in a space of its own features"
            yield subject.error(f"gates.{position}.not_worse_than", what, "give at_least: or at_most:")
    yield from _check_learnt_threshold(spec, estimator, subject)


def _check_comparison(
    gate: GateSpec, path: str, spec: MlModelSpec, estimator: Estimator, subject: Subject
) -> Iterator[SqlmlError]:
    kind = METRICS.get(gate.metric)
    if gate.better_than is not None and estimator.problem not in _COMPARED:
        what = f"there is no trivial model to compare {spec.estimator} with"
        yield subject.error(f"{path}.better_than", what, "give at_least: or at_most:")
    elif gate.better_than is not None and kind is not None and not kind.is_compared:
        what = f"'{gate.metric}' has no interval, by which it would be compared with the trivial model"
        yield subject.error(f"{path}.better_than", what, "give at_least: or at_most:")
    if gate.not_worse_than is not None and kind is not None and not kind.is_compared:
        what = f"'{gate.metric}' has no interval, by which it would be compared with another version"
        yield subject.error(f"{path}.not_worse_than", what, "give at_least: or at_most:")
    if kind is not None and kind.takes_k and (gate.dataset == "training" or spec.split.by == "none"):
        what = f"the gate is about rows that are fitted on, and '{gate.metric}' is measured on held-out ones alone"
        fix = "remove 'dataset:'" if gate.dataset == "training" else "hold rows out: another 'split:'"
        yield subject.error(f"{path}.metric", what, fix)


def _check_learnt_threshold(spec: MlModelSpec, estimator: Estimator, subject: Subject) -> Iterator[SqlmlError]:
    if not isinstance(spec.threshold, dict) or "maximize" not in spec.threshold:
        return
    metric, known = spec.threshold["maximize"], known_metrics(estimator)
    if estimator.problem is not Problem.CLASSIFICATION or estimator.returns is not Returns.PROBABILITIES:
        return  # said of any threshold
    decided = [entry for entry in known if METRICS[entry].is_of_decisions and METRICS[entry].is_higher_better]
    if metric not in METRICS:
        yield subject.value_error(
            "threshold", f"there is no metric '{metric}'", suggest(metric, decided, "it is one of")
        )
    elif metric not in decided:
        what = f"no threshold is best for '{metric}'"
        what = f"{what}, which does not follow from one" if metric in known else f"{what}, which {spec.estimator} lacks"
        yield subject.value_error("threshold", what, f"it is one of: {', '.join(decided)}")
