"""What was measured of one slice of a dataset: values, replicates and the baseline's in, `Metric`s out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlml.ir.metrics import kind_of
from sqlml.ir.state import Metric
from sqlml.run.ml.evaluation.resampling import Values, interval_of


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of one slice.

    Attributes:
        exact: those that the groups give only nearly, as the rows have them.
        baseline: what the trivial model has.
        drawn, baseline_drawn: the same in each replicate; empty: there are none.
    """

    rows: int
    values: Mapping[str, float]
    exact: Mapping[str, float] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    drawn: Values = field(default_factory=dict)
    baseline_drawn: Values = field(default_factory=dict)

    def metrics(self, dataset: str, part: str) -> list[Metric]:
        """Return the metrics that are numbers, with their intervals."""
        names = [name for name, value in self.values.items() if not math.isnan(value)]
        return [self._metric(name, dataset, part) for name in names]

    def _metric(self, name: str, dataset: str, part: str) -> Metric:
        value = self.exact.get(name, self.values[name])
        shift = value - self.values[name]
        low, high = interval_of(self.drawn[name], shift) if name in self.drawn else (None, None)
        baseline = self.baseline.get(name)
        gain: tuple[float | None, float | None] = (None, None)
        if name in self.drawn and name in self.baseline_drawn:
            gain = self._gain(name, shift)
        is_number = baseline is not None and not math.isnan(baseline)
        return Metric(dataset, name, value, part, self.rows, low, high, baseline if is_number else None, *gain)

    def _gain(self, name: str, shift: float) -> tuple[float | None, float | None]:
        # Both on the same replicates: what moves them together is no doubt about which is better.
        difference = self.drawn[name] - self.baseline_drawn[name]
        kind = kind_of(name)
        is_higher_better = kind is None or kind.is_higher_better
        return interval_of(difference, shift) if is_higher_better else interval_of(-difference, -shift)
