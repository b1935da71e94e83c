"""Gates: conditions and measured metrics in, passed or failed with a reason out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sqlml.errors import CompileError, suggest
from sqlml.ir.comparisons import Comparison
from sqlml.ir.estimators import Estimator
from sqlml.ir.measuring import Gate
from sqlml.ir.metrics import DEFAULT_K, DEFAULT_TOP, METRICS, kind_of, known_metrics, measured_name
from sqlml.ir.project import MlModel
from sqlml.ir.state import CHAMPION, Alias, GateResult, Metric
from sqlml.ir.suspects import Suspect
from sqlml.ir.tuning import Tuning


def gate_dataset(ml_model: MlModel) -> str:
    """Return the dataset that the gates of `ml_model` are about: `holdout`, or `training` where nothing is held out."""
    return "training" if ml_model.split.by == "none" else "holdout"


def gated_datasets(ml_model: MlModel) -> frozenset[str]:
    """Return the datasets that gates are about, that of those which do not say it included."""
    named = [gate.dataset for gate in ml_model.gates if gate.dataset is not None]
    return frozenset([gate_dataset(ml_model), *named])


def measured_tops(ml_model: MlModel) -> tuple[float, ...]:
    """Return the shares of rows that metrics of the top are measured for: the usual one, those of gates and search."""
    return tuple(sorted({DEFAULT_TOP, *[entry.top for entry in _judging(ml_model) if entry.top is not None]}))


def measured_places(ml_model: MlModel) -> tuple[int, ...]:
    """Return how many places of a ranking metrics are measured for: the usual number, those of gates and search."""
    return tuple(sorted({DEFAULT_K, *[entry.k for entry in _judging(ml_model) if entry.k is not None]}))


def _judging(ml_model: MlModel) -> tuple[Gate | Tuning, ...]:
    return (*ml_model.gates, *([ml_model.tuning] if ml_model.tuning is not None else ()))


def check_gates(
    gates: Sequence[Gate],
    metrics: Sequence[Metric],
    dataset: str,
    comparisons: Sequence[Comparison] = (),
    suspects: Sequence[Suspect] = (),
) -> tuple[GateResult, ...]:
    """Return how each gate came out, in order.

    A metric that is missing or not a number fails its gates, as does a comparison without an interval or one that
    decides nothing: what could not be measured has not been shown to be good.

    Args:
        dataset: that of the gates which do not name one.
        comparisons: with the versions that gates name.
        suspects: features that tell the label by themselves, each of which is a gate that fails.
    """
    found = {(entry.dataset, entry.slice, entry.metric): entry for entry in metrics}
    others = {(entry.dataset, entry.slice): entry for entry in metrics}
    results = []
    for gate in gates:
        of = gate.dataset or dataset
        result = _check(gate, found.get((of, gate.slice, _name(gate))), of, others.get((of, gate.slice)))
        results.append(result if gate.not_worse_than is None else _against(gate, result, comparisons))
    results += [
        GateResult(f"{suspect.feature} does not tell the label by itself", False, suspect.value, suspect.said)
        for suspect in suspects
    ]
    return tuple(results)


def is_promoted(ml_model: MlModel, champion: Alias | None, gates: Sequence[GateResult]) -> bool:
    """Return whether a version whose gates came out so becomes champion by itself.

    Args:
        champion: as it points now; pinned, it stays.
    """
    is_pinned = champion is not None and champion.is_pinned
    return ml_model.promote == "on_pass" and not is_pinned and all(gate.is_passed for gate in gates)


def unknown_gate_metrics(ml_model: MlModel, estimator: Estimator) -> list[CompileError]:
    """Return an error for each gate on a metric that `estimator` does not give."""
    known = known_metrics(estimator)
    return [
        CompileError(
            f"a gate of ml model '{ml_model.name}' names the metric '{gate.metric}', "
            f"which '{estimator.name}' does not give",
            gate.location,
            suggest(gate.metric, known, f"'{estimator.name}' gives"),
        )
        for gate in ml_model.gates
        if gate.metric not in known
    ]


def _name(gate: Gate) -> str:
    return measured_name(gate.metric, gate.top, gate.k)


def _check(gate: Gate, measured: Metric | None, dataset: str, other: Metric | None) -> GateResult:
    """Return how a gate came out, comparisons left out.

    Args:
        measured: what it is about; `other`: anything that was measured of the same rows.
    """
    text, name, rows = _text(gate), _name(gate), _rows(dataset, gate.slice)
    if measured is None:
        return GateResult(text, False, None, f"'{name}' was not measured on {rows}{_needs(gate, other)}")
    value = measured.value
    if math.isnan(value):
        return GateResult(text, False, None, f"'{name}' is not a number on {rows}")
    reason = f"{name} is {value:.6g}{_interval(measured.low, measured.high)} on {rows}"
    if gate.is_sure and (measured.low is None or measured.high is None):
        return GateResult(text, False, value, f"{reason}, without an interval to be sure by")
    low, high = (measured.low, measured.high) if gate.is_sure else (value, value)
    is_passed = (gate.at_least is None or (low is not None and low >= gate.at_least)) and (
        gate.at_most is None or (high is not None and high <= gate.at_most)
    )
    if gate.better_than is None:
        return GateResult(text, is_passed, value, reason)
    is_better, compared = _compare(gate, measured)
    return GateResult(text, is_passed and is_better, value, f"{reason}, {compared}")


def _compare(gate: Gate, measured: Metric) -> tuple[bool, str]:
    """Return whether a metric is surely better than the baseline's, and by how much."""
    if measured.baseline is None or measured.gain_low is None:
        return False, "without a baseline to compare it with; fit again with --retrain"
    by = _gain(measured.metric, measured.value - measured.baseline, measured.gain_low, measured.gain_high)
    return measured.gain_low > gate.by, f"the baseline has {measured.baseline:.6g}: {by}"


def _against(gate: Gate, so_far: GateResult, comparisons: Sequence[Comparison]) -> GateResult:
    """Return the result with what came of a comparison with another version."""
    key = (gate.not_worse_than, gate.slice, _name(gate))
    of = next((entry for entry in comparisons if (entry.alias, entry.slice, entry.metric) == key), None)
    is_passed, said = _judge(gate, of)
    return replace(so_far, is_passed=so_far.is_passed and is_passed, reason=f"{so_far.reason}; {said}")


def _judge(gate: Gate, of: Comparison | None) -> tuple[bool, str]:
    """Return whether a candidate is surely not worse than its rival by more than what is tolerated, and why."""
    alias = gate.not_worse_than
    if of is None:
        return False, f"it was not compared with '{alias}'; fit again with --retrain"
    if of.version is None:
        # The first version has nobody to be compared with; an alias that somebody gives is a promise to have one.
        is_first = alias == CHAMPION
        return is_first, "there was no champion yet" if is_first else f"no version bore the alias '{alias}'"
    rival = f"version {of.version} ({alias})"
    if of.undecided or of.now is None or of.was is None or of.gain_low is None or of.gain_high is None:
        return False, f"against {rival} it is undecided: {of.undecided or 'it could not be measured'}"
    which = f"users, by rows that {rival}" if of.is_of_places else f"rows that {rival}"
    values = f"on {of.rows} {which} was not fitted on it has {of.now:.6g}, and that {of.was:.6g}"
    by = _gain(of.metric, of.now - of.was, of.gain_low, of.gain_high)
    if of.gain_low >= -gate.tolerance:
        return True, f"{values}: {by}"
    if of.gain_high < -gate.tolerance:
        return False, f"{values}: {by}, which is more than the {gate.tolerance:g} that is tolerated"
    wide = f"it may be worse by {-of.gain_low:.6g}, and {gate.tolerance:g} is tolerated"
    return False, f"{values}: {by}; undecided, for {wide}: hold out more rows, or raise 'tolerance'"


def _gain(metric: str, difference: float, low: float, high: float | None) -> str:
    """Return by how much a metric is better or worse, with the interval of that.

    Args:
        difference: the metric less what it is compared with.
        low, high: of how much better it is.
    """
    kind = kind_of(metric)
    gain = difference if kind is None or kind.is_higher_better else -difference
    if gain >= 0:
        return f"better by {gain:.6g}{_interval(low, high)}"
    # The ends change places with the sign; what is taken from 0 is never -0.
    return f"worse by {-gain:.6g}{_interval(None if high is None else 0 - high, 0 - low)}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 %: {low:.6g} to {high:.6g})"


def _needs(gate: Gate, other: Metric | None) -> str:
    """Return why a metric may not have been measured."""
    is_new = "; if the gate is new, fit again with --retrain"
    if gate.slice and other is None:
        return f": no row with a weight is in that slice{is_new}"
    if gate.top is not None or gate.k is not None:
        return is_new
    needed = ", it needs two classes" if gate.metric in METRICS and METRICS[gate.metric].is_binary_only else ""
    return f"{needed} ({other.rows} rows)" if gate.slice and other is not None and other.rows is not None else needed


def _text(gate: Gate) -> str:
    name = _name(gate) + (f" of {gate.slice}" if gate.slice else "")
    bounds = []
    if gate.at_least is not None:
        bounds.append(f"{name} >= {gate.at_least:g}")
    if gate.at_most is not None:
        bounds.append(f"{name} <= {gate.at_most:g}")
    if gate.better_than is not None:
        bounds.append(f"{name} better than {gate.better_than}" + (f" by {gate.by:g}" if gate.by else ""))
    if gate.not_worse_than is not None:
        tolerated = f" by more than {gate.tolerance:g}" if gate.tolerance else ""
        bounds.append(f"{name} not worse than {gate.not_worse_than}{tolerated}")
    return " and ".join(bounds) + (", surely" if gate.is_sure else "")


def _rows(dataset: str, part: str) -> str:
    rows = "the hold-out" if dataset == "holdout" else "the training rows"
    return f"{rows} of {part}" if part else rows
