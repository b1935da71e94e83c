"""Measures a regression: scored rows in, sums of a few hundred groups of rows out, and metrics of those.

The rows are dealt out to buckets; a replicate draws buckets with replacement. Sums, and with them every metric, are
those of all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sqlml.run.ml.estimator import LABEL, role_column
from sqlml.run.ml.evaluation.resampling import divide, draw_weights
from sqlml.run.ml.evaluation.rows import WEIGHT, Groups
from sqlml.run.ml.outputs import QUANTILES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from sqlml.run.ml.evaluation.resampling import Numbers

BUCKETS = 256
RESIDUAL_BINS = 20
_ROUNDING = 1e-13


@dataclass(frozen=True, slots=True)
class Constant:
    """What the training rows say of the label, beside any feature.

    Attributes:
        value: what the trivial model predicts: the weighted mean, or the median.
        edges: quantiles of the label, rising, by which predictions are grouped.
    """

    value: float
    edges: tuple[float, ...] = ()


def learn_constant(training: DataFrame, is_median: bool) -> Constant:
    """Return the constant of the training rows, which have the columns of roles."""
    shares = ", ".join(f"{number / RESIDUAL_BINS}D" for number in range(1, RESIDUAL_BINS))
    weight = WEIGHT if WEIGHT in training.columns else "1D"
    row = (
        of_known_labels(training)
        .selectExpr(
            f"sum({weight} * {LABEL}) / sum({weight}) AS mean",
            f"percentile_approx({LABEL}, array(0.5D, {shares}), 10000) AS quantiles",
        )
        .collect()[0]
    )
    if row["mean"] is None:
        return Constant(0.0)
    median, *edges = row["quantiles"]
    return Constant(float(median if is_median else row["mean"]), tuple(sorted({float(edge) for edge in edges})))


def of_known_labels(rows: DataFrame) -> DataFrame:
    """Return the rows where it happened: where it had not, the label is no answer to be right or wrong about."""
    censor = role_column("censor")
    return rows.where(f"{censor} = 1") if censor in rows.columns else rows


def regression_expressions(quantiles: Sequence[float]) -> dict[str, Column]:
    """Return what is read of each scored row.

    Args:
        quantiles: shares below the numbers in Spark's column of quantiles; empty: there is none, and the prediction is
            taken for the median.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    label, prediction = sf.col(LABEL), sf.col("prediction")
    predicted = [prediction]
    if quantiles:
        by_quantile = vector_to_array(sf.col(QUANTILES))
        predicted = [sf.get(by_quantile, sf.lit(at)) for at in range(len(quantiles))]
    losses = [_pinball(label - guess, share) for guess, share in zip(predicted, quantiles or (0.5,), strict=True)]
    loss = sum(losses[1:], losses[0]) / sf.lit(float(len(losses)))
    return {"label": label, "prediction": prediction, "pinball": loss}


def _pinball(error: Column, share: float) -> Column:
    from pyspark.sql import functions as sf

    return sf.greatest(sf.lit(share) * error, sf.lit(share - 1) * error)


def group_errors(rows: DataFrame, constant: Constant, quantiles: Sequence[float]) -> DataFrame:
    """Return the sums of each dataset and slice, by `bucket`, and in the same scan by `p_bin`, the bin of the
    prediction; the other of the two is null.
    """
    from pyspark.sql import functions as sf

    shares = quantiles or (0.5,)
    # Around the constant, so that the squares of a large mean do not swallow the variance.
    centred = f"(label - {constant.value!r}D)"
    trivial = " + ".join(f"greatest({share!r}D * {centred}, {share - 1!r}D * {centred})" for share in shares)
    size = "IF(label = 0, 0D, weight)"
    error = "(label - prediction)"
    sums = {
        "n": "count(1)",
        "weights": "sum(weight)",
        "sized": f"sum({size})",
        "error": f"sum(weight * {error})",
        "square": f"sum(weight * {error} * {error})",
        "absolute": f"sum(weight * abs({error}))",
        "relative": f"sum(IF(label = 0, 0D, weight * abs({error} / label)))",
        "pinball": "sum(weight * pinball)",
        "label": f"sum(weight * {centred})",
        "label_square": f"sum(weight * {centred} * {centred})",
        "label_absolute": f"sum(weight * abs({centred}))",
        "label_relative": f"sum(IF(label = 0, 0D, weight * abs({centred} / label)))",
        "label_pinball": f"sum(weight * ({trivial}) / {len(shares)})",
        "prediction": f"sum(weight * (prediction - {constant.value!r}D))",
        "prediction_square": f"sum(weight * (prediction - {constant.value!r}D) * (prediction - {constant.value!r}D))",
    }
    p_bin = " + ".join(f"IF(prediction > {edge!r}D, 1, 0)" for edge in constant.edges) or "0"
    own = ("dataset", "slice")
    grouped = rows.withColumn("p_bin", sf.expr(p_bin)).groupingSets(
        [[*own, "bucket"], [*own, "p_bin"]], *own, "bucket", "p_bin"
    )
    return grouped.agg(*[sf.expr(sql).alias(f"sum_{name}") for name, sql in sums.items()])


SUMS = (
    "weights", "sized", "error", "square", "absolute", "relative", "pinball", "label", "label_square",
    "label_absolute", "label_relative", "label_pinball", "prediction", "prediction_square",
)  # fmt: skip


def sums_of(groups: Groups) -> Numbers:
    """Return the sums of each bucket: one row a bucket, one column for each of `SUMS`."""
    is_bucket = ~np.isnan(groups["bucket"].astype(float))
    return np.stack([groups[f"sum_{name}"][is_bucket].astype(float) for name in SUMS], axis=-1)


def draw_sums(sums: Numbers, replicates: int) -> Numbers:
    """Return the sums over all buckets in each replicate."""
    ones = np.ones(len(sums))
    return draw_weights(ones, ones, replicates) @ sums


def error_values(sums: Numbers) -> dict[str, Numbers]:
    """Return every metric in each replicate; the last axis of `sums` is as in `SUMS`."""
    of = {name: sums[..., at] for at, name in enumerate(SUMS)}
    mean = divide(of["label"], of["weights"], np.nan)
    mse = divide(of["square"], of["weights"], np.nan)
    variance = divide(of["label_square"], of["weights"], np.nan) - mean**2
    spread = divide(of["prediction_square"] - 2 * mean * of["prediction"], of["weights"], np.nan) + mean**2
    return {
        "rmse": np.sqrt(mse),
        "mae": divide(of["absolute"], of["weights"], np.nan),
        "r2": _explained(mse, variance, divide(of["label_square"], of["weights"])),
        "mse": mse,
        "mape": divide(of["relative"], of["sized"], np.nan),
        "quantileLoss": divide(of["pinball"], of["weights"], np.nan),
        "var": spread,
    }


def baseline_values(sums: Numbers) -> dict[str, Numbers]:
    """Return the same of the constant."""
    of = {name: sums[..., at] for at, name in enumerate(SUMS)}
    mean = divide(of["label"], of["weights"], np.nan)
    mse = divide(of["label_square"], of["weights"], np.nan)
    return {
        "rmse": np.sqrt(mse),
        "mae": divide(of["label_absolute"], of["weights"], np.nan),
        "r2": _explained(mse, mse - mean**2, mse),
        "mse": mse,
        "mape": divide(of["label_relative"], of["sized"], np.nan),
        "quantileLoss": divide(of["label_pinball"], of["weights"], np.nan),
        "var": mean**2,
    }


def _explained(mse: Numbers, variance: Numbers, square: Numbers) -> Numbers:
    # Of a label that is the same everywhere nothing can be explained; what is left of its variance is rounding.
    return 1 - divide(mse, np.where(variance > _ROUNDING * square, variance, 0.0), np.nan)
