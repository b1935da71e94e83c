"""Contributions to a linear predictor: a fitted model's coefficients in, one of Spark's own linear models out.

Knowing a feature moves the expected value by coefficient times its distance from its mean over the training rows, if
features are changed one without the other (Lundberg and Lee, "A unified approach to interpreting model predictions",
2017, corollary 1; what `shap.LinearExplainer` calls interventional).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sqlml.ir.estimators import Estimator, Family
from sqlml.run.ml.features import FEATURES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Numbers: TypeAlias = NDArray[np.float64]


def slot_means(features: DataFrame, entry: Estimator) -> tuple[float, ...]:
    """Return the mean of each slot, unless `entry` has no linear contributions, which are all that reads it.

    Args:
        features: the rows of the fit, with the vector `features`.
    """
    from pyspark.ml.stat import Summarizer
    from pyspark.sql import functions as sf

    if not entry.margin or entry.family is Family.TREE:
        return ()
    row = features.select(Summarizer.mean(sf.col(FEATURES)).alias("means")).collect()[0]
    return tuple(float(value) for value in row.means.toArray())


def linear_predictors(fitted: Any) -> tuple[Numbers, Numbers] | None:
    """Return coefficients and intercepts, a row for each class that has a margin; None: the model has none such.

    Of two classes there is one row, which tells class 1 from class 0.
    """
    if hasattr(fitted, "models"):
        parts = [linear_predictors(model) for model in fitted.models]
        # One against the rest, twice: the second one is that of class 1.
        parts = parts[1:] if len(parts) == 2 else parts
        found = [part for part in parts if part is not None]
        return None if len(found) < len(parts) else (np.vstack([w for w, _ in found]), np.hstack([b for _, b in found]))
    if hasattr(fitted, "coefficientMatrix"):
        matrix, intercepts = fitted.coefficientMatrix.toArray(), fitted.interceptVector.toArray()
        if len(matrix) == 2:
            return matrix[1:] - matrix[:1], intercepts[1:] - intercepts[:1]
        return matrix, intercepts
    if hasattr(fitted, "coefficients") and hasattr(fitted, "intercept"):
        return fitted.coefficients.toArray()[None, :], np.array([float(fitted.intercept)])
    return None


def linear_contributions(
    coefficients: Numbers, means: Numbers, groups: Sequence[int], group_count: int, name: str
) -> Callable[[DataFrame], DataFrame]:
    """Return what adds the column `name` to scored rows: an array with what each group adds to the predicted output.

    Args:
        coefficients: one row for each output, one column for each slot.
        means: of the slots.
        groups: for each slot the group that it belongs to.
    """
    from pyspark.ml.classification import LogisticRegressionModel
    from pyspark.ml.functions import vector_to_array
    from pyspark.ml.linalg import SparseMatrix, Vectors
    from pyspark.ml.wrapper import JavaWrapper
    from pyspark.sql import functions as sf

    outputs, slots = coefficients.shape
    # Each slot counts for one group only, so that nearly all of the matrix is zero; its columns are the slots.
    rows = np.array(groups)[:, None] + group_count * np.arange(outputs)
    size = outputs * group_count
    matrix = SparseMatrix(size, slots, np.arange(slots + 1) * outputs, rows.ravel(), coefficients.T.ravel())
    base = np.zeros(size)
    np.add.at(base, rows, -(coefficients * means).T)
    java_class = "org.apache.spark.ml.classification.LogisticRegressionModel"
    # Its margins are the contributions: one for each output and group, by output; multinomial gives each as it is.
    made = JavaWrapper._new_java_obj(java_class, "contributions", matrix, Vectors.dense(base), size, True)
    stage: Any = LogisticRegressionModel(made)
    stage.setRawPredictionCol(name).setProbabilityCol("").setPredictionCol("")
    output = sf.col("prediction").cast("int") if outputs > 1 else sf.lit(0)
    own = sf.slice(vector_to_array(sf.col(name)), output * sf.lit(group_count) + sf.lit(1), sf.lit(group_count))
    return lambda scored: stage.transform(scored).withColumn(name, own)
