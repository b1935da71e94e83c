"""Features that tell the label suspiciously well: what was measured of a fit in, suspects out.

No lineage shows that a column of a source is the label in disguise (a fee that only those pay who cancelled); its
numbers do. From 0.95 on (area under the ROC curve, or R2) of one feature alone H2O's Driverless AI reports a leak
(`detect_features_leakage_threshold_auc`). Here a feature between 0.95 and 0.99 is a suspect only if no other comes near
it: where several measurements tell a flower or a tumour, the label is easy and nothing leaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlml.ir.diagnostics import Level, level_of
from sqlml.ir.explanations import Row
from sqlml.ir.project import MlModel, Project
from sqlml.ir.state import Metric

CODE = "L010"
FACT = "suspects"
"""The fact of a version under which they are kept."""

SURE = 0.99
HIGH = 0.95
NEAR: Mapping[str, float] = MappingProxyType({"areaUnderROC": 0.8, "r2": 0.6})
"""By metric: from here on another feature tells the label well, too."""

BEST = 0.99
"""From here on a metric is next to its best, and a feature that carries nearly all of the importance a suspect."""
MOST_IMPORTANCE = 0.9
_NEXT_TO_BEST = ("areaUnderROC", "balancedAccuracy", "r2")
_FEWEST_ROWS = 30


@dataclass(frozen=True, slots=True)
class Suspect:
    """A feature that may know the label.

    Attributes:
        metric, value: of the feature alone on the hold-out; with `importance`, of the fitted model.
        importance: its share of the importances; None: it was found by itself.
    """

    feature: str
    metric: str
    value: float
    importance: float | None = None

    @property
    def what(self) -> str:
        """One sentence."""
        if self.importance is None:
            said = f"feature '{self.feature}' alone has {self.metric} {self.value:.4f} on the hold-out"
        else:
            said = (
                f"feature '{self.feature}' has {self.importance:.0%} of the importance in a fit with {self.metric} "
                f"{self.value:.4f} on the hold-out"
            )
        return f"{said}: it may be the label in disguise"

    @property
    def said(self) -> str:
        """What a person is told, with what to do."""
        allow = f"allow_leakage: {{{self.feature}: …}}"
        return f"{self.what} ({CODE}); leave it out, or if it is known when the model predicts, say why: {allow}"


def find_suspects(alone: Sequence[Row], importances: Iterable[Row], metrics: Sequence[Metric]) -> tuple[Suspect, ...]:
    """Return the suspects of a fit, the most suspicious first.

    Args:
        alone: rows of the table `single_features`.
        importances: rows of the table of that name.
        metrics: of the fit.
    """
    found = _find_alone(alone)
    named = {suspect.feature for suspect in found}
    return (*found, *[suspect for suspect in _find_important(importances, metrics) if suspect.feature not in named])


def _find_alone(alone: Sequence[Row]) -> list[Suspect]:
    values: dict[str, dict[str, float]] = {}
    metric_of: dict[str, str] = {}
    for row in alone:
        values.setdefault(row["feature"], {})[row["dataset"]] = row["value"]
        metric_of[row["feature"]] = row["metric"]
    # What shows on one side alone is chance.
    both = {feature: sides for feature, sides in values.items() if len(sides) == 2}
    high = {feature: sides["holdout"] for feature, sides in both.items() if min(sides.values()) >= HIGH}
    others = [(max(sides.values()), metric_of[feature]) for feature, sides in both.items() if feature not in high]
    is_apart = bool(others) and all(value < NEAR[metric] for value, metric in others)
    found = [
        Suspect(feature, metric_of[feature], value)
        for feature, value in high.items()
        if is_apart or min(both[feature].values()) >= SURE
    ]
    return sorted(found, key=lambda suspect: (-suspect.value, suspect.feature))


def _find_important(importances: Iterable[Row], metrics: Sequence[Metric]) -> list[Suspect]:
    held = {metric.metric: metric for metric in metrics if (metric.dataset, metric.slice) == ("holdout", "")}
    metric = next((held[name] for name in _NEXT_TO_BEST if name in held), None)
    if metric is None or metric.value < BEST or (metric.rows or 0) < _FEWEST_ROWS:
        return []
    shares: dict[str, float] = {}
    for row in importances:
        shares[row["feature"]] = shares.get(row["feature"], 0.0) + row["importance"]
    total = sum(shares.values())
    # Of an only feature it says nothing that it has all of it.
    if not total or len(shares) < 2:
        return []
    return [
        Suspect(feature, metric.metric, metric.value, share / total)
        for feature, share in shares.items()
        if share >= MOST_IMPORTANCE * total
    ]


def suspects_of(facts: Mapping[str, Any], ml_model: MlModel) -> tuple[Suspect, ...]:
    """Return the suspects that are remembered of a version, without those that `allow_leakage:` names."""
    allowed = {name.lower() for name in ml_model.allow_leakage}
    kept = [Suspect(**entry) for entry in facts.get(FACT, ())]
    return tuple(suspect for suspect in kept if suspect.feature.lower() not in allowed)


def refused_suspects(project: Project, ml_model: MlModel, facts: Mapping[str, Any]) -> tuple[Suspect, ...]:
    """Return the suspects that keep a version from becoming champion, which they do where the project says so."""
    return suspects_of(facts, ml_model) if _level(project, ml_model) == "error" else ()


def with_suspects_said(project: Project, ml_model: MlModel, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a version, its suspects being among the warnings unless they are errors or ignored."""
    doubted = suspects_of(facts, ml_model) if _level(project, ml_model) in ("warn", "note") else ()
    return {**facts, "warnings": [*facts.get("warnings", ()), *[suspect.said for suspect in doubted]]}


def _level(project: Project, ml_model: MlModel) -> Level:
    return level_of(CODE, project.diagnostics, project.target.diagnostics, ml_model.diagnostics)
