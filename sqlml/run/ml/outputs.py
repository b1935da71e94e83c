"""The columns that a prediction adds: a fitted model and its signature in, the SQL of each out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlml.ir.estimators import Returns
from sqlml.ir.state import Signature
from sqlml.run.ml.labels import class_text
from sqlml.run.ml.sql_text import literal, typed_literal

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import Column as SparkColumn


def output_expressions(fitted: PipelineModel, signature: Signature) -> list[SparkColumn]:
    """Return an expression over what `fitted` adds for each of `signature.outputs`, in order."""
    from pyspark.sql import functions as sf

    if signature.returns == Returns.DISTANCE:
        return [sf.col("prediction").cast("int"), centre_distance(fitted.stages[-1])]
    if signature.returns == Returns.VALUE:
        return [sf.col("prediction")]
    return _of_classes(signature)


def _of_classes(signature: Signature) -> list[SparkColumn]:
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    values = ", ".join(typed_literal(value, str(signature.label_type)) for value in signature.classes)
    predicted = sf.expr(f"get(array({values}), CAST(prediction AS INT))")
    probabilities = vector_to_array(sf.col("probability"))
    if len(signature.classes) == 2:
        return [predicted, sf.get(probabilities, sf.lit(1))]
    names = ", ".join(literal(class_text(value)) for value in signature.classes)
    return [predicted, sf.array_max(probabilities), sf.map_from_arrays(sf.expr(f"array({names})"), probabilities)]


def centre_distance(fitted_kmeans: Any) -> SparkColumn:
    """Return the distance of `features` to the centre of the row's cluster.

    It is the one that the clusters were made by: euclidean, or 1 - cosine similarity.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    # One literal that Spark parses once, where a nested array of literals is a plan of k times n nodes.
    centres = json.dumps([[float(value) for value in centre] for centre in fitted_kmeans.clusterCenters()])
    table = sf.from_json(sf.lit(centres), "array<array<double>>")
    centre = sf.get(table, sf.col("prediction").cast("int"))
    row = vector_to_array(sf.col("features"))
    if fitted_kmeans.getDistanceMeasure() == "cosine":
        return sf.lit(1.0) - _dot(row, centre) / sf.sqrt(_dot(row, row) * _dot(centre, centre))
    difference = sf.zip_with(row, centre, lambda left, right: left - right)
    return sf.sqrt(sf.aggregate(difference, sf.lit(0.0), lambda total, value: total + value * value))


def _dot(left: SparkColumn, right: SparkColumn) -> SparkColumn:
    from pyspark.sql import functions as sf

    products = sf.zip_with(left, right, lambda one, other: one * other)
    return sf.aggregate(products, sf.lit(0.0), lambda total, value: total + value)
