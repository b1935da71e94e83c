"""Bootstrap over groups of rows: their weights in, replicates of them and intervals of what follows from them out.

To draw n rows with replacement is to draw how often each group of alike rows comes up. With Poisson counts (the Poisson
bootstrap: Hanley and MacGibbon 2006; Chamandy et al. 2012) groups are drawn apart, so that a thousand replicates of
hundreds of millions of rows are as many small random numbers as there are groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

REPLICATES = 1000
SLICE_REPLICATES = 400
_SEED = 42
_ENDS = (0.025, 0.975)
_FEWEST = 0.95  # of the replicates must have a value


def draw_weights(weights: Numbers, squares: Numbers, replicates: int) -> Numbers:
    """Return replicates of groups' weights; the axis of the replicates comes first.

    Args:
        weights: sum of the rows' weights, by group.
        squares: sum of their squares. A sum of independent Poisson counts times these weights has mean `weights` and
            variance `squares`, and so has what is drawn; without weights it is exactly that sum.
    """
    generator = np.random.default_rng(_SEED)
    scale = divide(squares, weights)
    counts = generator.poisson(divide(weights, scale), (replicates, *weights.shape))
    drawn: Numbers = counts * scale
    return drawn


def divide(above: Numbers, below: Numbers, empty: float = 0.0) -> Numbers:
    """Return the quotient, and `empty` where the divisor is 0."""
    above, below = np.broadcast_arrays(above, below)
    quotient: Numbers = np.divide(above, below, out=np.full(below.shape, empty), where=below != 0)
    return quotient


def of_rows(values: Mapping[str, Numbers], weights: Numbers) -> dict[str, Numbers]:
    """Return values without those of replicates whose rows weigh nothing: of no rows nothing is known, not even 0.

    Args:
        weights: of all rows together, by replicate.
    """
    return {name: np.where(weights > 0, value, np.nan) for name, value in values.items()}


def interval_of(replicates: Numbers, shift: float) -> tuple[float | None, float | None]:
    """Return the ends of the 95 % interval; none where too many replicates have no value.

    Args:
        shift: what is added: the exact value less that of the groups, where these are coarser than the rows.
    """
    there = replicates[np.isfinite(replicates)]
    if len(there) < _FEWEST * len(replicates):
        return None, None
    low, high = np.quantile(there, _ENDS)
    return float(low + shift), float(high + shift)


Values = Mapping[str, "Numbers"]
"""Name of a metric to its value in each replicate."""
