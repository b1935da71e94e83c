"""Fits parts at once: tasks with rows of their own in, a fit of each out, or one error that names the values."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from sqlml.errors import EngineStopped, SqlmlError
from sqlml.run.failure import Doing, spark_failures
from sqlml.run.ml.checks import TRAINING
from sqlml.run.ml.failed_values import refuse_values
from sqlml.run.ml.fit_rows import Part
from sqlml.run.ml.fitting import Fit, fit_on

_MOST_AT_ONCE = 16


def fit_parts(parts: Sequence[Part], sides: Sequence[str], stack: ExitStack) -> list[Fit]:
    """Return the fit of each part on its rows of `sides`.

    How many are fitted at once changes nothing but the time: each is laid out by itself.

    Args:
        stack: frees what is kept.

    Raises:
        DataError, StepError: of the only part; of several, one that names the values that failed.
    """
    if parts[0].value is None:
        return [_fit(parts[0], sides, stack)]
    spark = parts[0].rows.sided.sparkSession
    at_once = min(max(spark.sparkContext.defaultParallelism, 2), _MOST_AT_ONCE, len(parts))
    with ThreadPoolExecutor(at_once, "fit") as pool:
        try:
            found = list(pool.map(lambda part: _try(part, sides, stack), parts))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    failed = {str(part.value): [one] for part, one in zip(parts, found, strict=True) if isinstance(one, SqlmlError)}
    refuse_values(failed, len(parts), parts[0].task.ml_model)
    return [one for one in found if isinstance(one, Fit)]


def _try(part: Part, sides: Sequence[str], stack: ExitStack) -> Fit | SqlmlError:
    try:
        with spark_failures(Doing(f"the fit of '{part.slice}' failed")):
            return _fit(part, sides, stack)
    except EngineStopped:
        # No other part can do better.
        raise
    except SqlmlError as error:
        return error


def _fit(part: Part, sides: Sequence[str], stack: ExitStack) -> Fit:
    rows = part.rows.training if tuple(sides) == (TRAINING,) else part.rows.all
    return fit_on(rows, part.count(*sides), part.task, stack)
