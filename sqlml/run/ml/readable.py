"""Keeps from a fitted model the rows that it cannot read: a pipeline and rows in, its columns and which it read out.

Spark's LDA ends its Java process at a count below 0, and a cosine has no value for a row that is 0 everywhere
or not finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.run.ml.features import FEATURES

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

_IS_READ = f"{INTERNAL_PREFIX}is_read"


def transform_readable(fitted: PipelineModel, rows: DataFrame) -> tuple[DataFrame, SparkColumn | None]:
    """Return `rows` with the columns that `fitted` adds, and which of them it could read; None: all.

    What the columns hold of the others means nothing.
    """
    from pyspark.ml.functions import array_to_vector, vector_to_array
    from pyspark.sql import functions as sf

    model: Any = fitted.stages[-1]
    values = vector_to_array(sf.col(FEATURES))
    if hasattr(model, "vocabSize"):
        size, is_read = int(model.vocabSize()), sf.forall(values, lambda x: (x >= 0) & (x < float("inf")))
    elif hasattr(model, "clusterCenters") and model.getDistanceMeasure() == "cosine":
        size = len(model.clusterCenters()[0])
        is_read = sf.exists(values, lambda x: x != 0) & sf.forall(values, lambda x: sf.abs(x) < float("inf"))
    else:
        return fitted.transform(rows), None
    for stage in fitted.stages[:-1]:
        rows = stage.transform(rows)
    harmless = array_to_vector(sf.array_repeat(sf.lit(1.0), size))
    marked = rows.withColumn(_IS_READ, is_read)
    read = sf.when(sf.col(_IS_READ), sf.col(FEATURES)).otherwise(harmless)
    return model.transform(marked.withColumn(FEATURES, read)), sf.col(_IS_READ)
