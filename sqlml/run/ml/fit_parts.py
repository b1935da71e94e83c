"""Works on parts at once: tasks with rows of their own in, what became of each out, or one error that names values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from sqlml.errors import EngineStopped, SqlmlError
from sqlml.run.failure import Doing, spark_failures
from sqlml.run.ml.checks import TRAINING
from sqlml.run.ml.failed_values import refuse_values
from sqlml.run.ml.fit_rows import Part
from sqlml.run.ml.fitting import Fit, fit_on

_MOST_AT_ONCE = 16

Found = TypeVar("Found")


def fit_parts(parts: Sequence[Part], sides: Sequence[str], stack: ExitStack) -> list[Fit]:
    """Return the fit of each part on its rows of `sides`.

    Args:
        stack: frees what is kept.

    Raises:
        DataError, StepError: what `on_each` raises.
    """

    def fit(part: Part) -> Fit:
        rows = part.rows.training if tuple(sides) == (TRAINING,) else part.rows.all
        return fit_on(rows, part.count(*sides), part.task, stack)

    return on_each(parts, fit)


def on_each(parts: Sequence[Part], do: Callable[..., Found], *beside: Sequence[Any]) -> list[Found]:
    """Return what `do` makes of each part, several of which are worked on at once.

    How many changes nothing but the time: the rows of each are laid out by themselves.

    Args:
        beside: what else `do` is given of each part.

    Raises:
        DataError, ErrorList, StepError: of the only part; of several, one that names the values that failed.
    """
    if parts[0].value is None:
        return [do(parts[0], *[one[0] for one in beside])]
    spark, ml_model = parts[0].rows.sided.sparkSession, parts[0].task.ml_model
    # A search has several trials on the way by itself.
    trials = ml_model.tuning.parallelism if ml_model.tuning is not None and ml_model.is_searched else 1
    at_once = max(spark.sparkContext.defaultParallelism, 2) // trials
    with ThreadPoolExecutor(max(min(at_once, _MOST_AT_ONCE, len(parts)), 1), "value") as pool:
        try:
            found = list(pool.map(lambda part, *others: _try(do, part, *others), parts, *beside))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    failed = {str(part.value): [one] for part, one in zip(parts, found, strict=True) if isinstance(one, SqlmlError)}
    refuse_values(failed, len(parts), ml_model)
    return [one for one in found if not isinstance(one, SqlmlError)]


def _try(do: Callable[..., Found], part: Part, *beside: Any) -> Found | SqlmlError:
    try:
        with spark_failures(Doing(f"the fit of '{part.slice}' failed")):
            return do(part, *beside)
    except EngineStopped:
        # No other part can do better.
        raise
    except SqlmlError as error:
        return error
