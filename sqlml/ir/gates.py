"""Gates: conditions and measured metrics in, passed or failed with a reason out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sqlml.errors import CompileError, suggest
from sqlml.ir.estimators import Estimator
from sqlml.ir.metrics import METRICS, known_metrics
from sqlml.ir.project import Gate, MlModel
from sqlml.ir.state import GateResult, Metric


def gate_dataset(ml_model: MlModel) -> str:
    """Return the dataset that the gates of `ml_model` are about: `holdout`, or `training` where nothing is held out."""
    return "training" if ml_model.split.by == "none" else "holdout"


def check_gates(gates: Sequence[Gate], metrics: Sequence[Metric], dataset: str) -> tuple[GateResult, ...]:
    """Return how each gate came out on the metrics of `dataset`, in order.

    A metric that is missing or not a number fails its gates: what could not be measured has not been shown to be good.
    """
    values = {entry.metric: entry.value for entry in metrics if entry.dataset == dataset and not entry.slice}
    return tuple(_check(gate, values.get(gate.metric), dataset) for gate in gates)


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


def _check(gate: Gate, value: float | None, dataset: str) -> GateResult:
    text = _text(gate)
    if value is None:
        needs = ", it needs two classes" if gate.metric in METRICS and METRICS[gate.metric].is_binary_only else ""
        return GateResult(text, False, None, f"'{gate.metric}' was not measured on {_rows(dataset)}{needs}")
    if math.isnan(value):
        return GateResult(text, False, None, f"'{gate.metric}' is not a number on {_rows(dataset)}")
    is_passed = (gate.at_least is None or value >= gate.at_least) and (gate.at_most is None or value <= gate.at_most)
    return GateResult(text, is_passed, value, f"{gate.metric} is {value:.6g} on {_rows(dataset)}")


def _text(gate: Gate) -> str:
    bounds = []
    if gate.at_least is not None:
        bounds.append(f"{gate.metric} >= {gate.at_least:g}")
    if gate.at_most is not None:
        bounds.append(f"{gate.metric} <= {gate.at_most:g}")
    return " and ".join(bounds)


def _rows(dataset: str) -> str:
    return "the hold-out" if dataset == "holdout" else "the training rows"
