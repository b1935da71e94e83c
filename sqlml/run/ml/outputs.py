"""The columns that a prediction adds: a fitted model and its signature in, the SQL of each out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlml.ir.estimators import Returns
from sqlml.ir.state import Signature
from sqlml.run.ml.labels import class_text
from sqlml.run.ml.sql_text import literal, typed_literal

# Spark's columns beside prediction, rawPrediction and probability.
QUANTILES = "predictionQuantiles"
TOPICS = "topicDistribution"

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import Column as SparkColumn


def output_expressions(fitted: PipelineModel, signature: Signature) -> list[SparkColumn]:
    """Return an expression over what `fitted` adds for each of `signature.outputs`, in order."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    model: Any = fitted.stages[-1]
    prediction = sf.col("prediction")
    match Returns(signature.returns):
        case Returns.VALUE:
            return [prediction]
        case Returns.RATING | Returns.PREFERENCE:
            # Spark's word for who or what was never seen is NaN.
            return [sf.nanvl(prediction.cast("double"), sf.lit(None).cast("double"))]
        case Returns.ITEMS:
            return [sf.array_sort(prediction)]
        case Returns.QUANTILES:
            probabilities = ", ".join(literal(repr(float(value))) for value in model.getQuantileProbabilities())
            names = sf.expr(f"array({probabilities})")
            return [prediction, sf.map_from_arrays(names, vector_to_array(sf.col(QUANTILES)))]
        case Returns.CLUSTER:
            return [prediction.cast("int")]
        case Returns.DISTANCE:
            return [prediction.cast("int"), centre_distance(model)]
        case Returns.MIXTURE:
            return [prediction.cast("int"), _by_cluster(vector_to_array(sf.col("probability")))]
        case Returns.TOPICS:
            shares = vector_to_array(sf.col(TOPICS))
            greatest = sf.array_position(shares, sf.array_max(shares)) - sf.lit(1)
            topic = sf.when(sf.array_max(shares) > sf.lit(0.0), greatest.cast("int"))
            return [topic, _by_cluster(shares)]
        case returns:
            return _of_classes(signature, returns)


def _by_cluster(shares: SparkColumn) -> SparkColumn:
    from pyspark.sql import functions as sf

    return sf.map_from_arrays(sf.sequence(sf.lit(0), sf.size(shares) - sf.lit(1)), shares)


def _of_classes(signature: Signature, returns: Returns) -> list[SparkColumn]:
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    values = ", ".join(typed_literal(value, str(signature.label_type)) for value in signature.classes)
    predicted = sf.expr(f"get(array({values}), CAST(prediction AS INT))")
    if returns is Returns.CLASS:
        return [predicted]
    by_class = vector_to_array(sf.col("probability" if returns is Returns.PROBABILITIES else "rawPrediction"))
    if len(signature.classes) == 2:
        return [predicted, sf.get(by_class, sf.lit(1))]
    names = ", ".join(literal(class_text(value)) for value in signature.classes)
    return [predicted, sf.array_max(by_class), sf.map_from_arrays(sf.expr(f"array({names})"), by_class)]


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
        return sf.lit(1.0) - dot(row, centre) / sf.sqrt(dot(row, row) * dot(centre, centre))
    difference = sf.zip_with(row, centre, lambda left, right: left - right)
    return sf.sqrt(sf.aggregate(difference, sf.lit(0.0), lambda total, value: total + value * value))


def dot(left: SparkColumn, right: SparkColumn) -> SparkColumn:
    """Return the scalar product of two arrays of doubles of one length."""
    from pyspark.sql import functions as sf

    products = sf.zip_with(left, right, lambda one, other: one * other)
    return sf.aggregate(products, sf.lit(0.0), lambda total, value: total + value)
