"""Estimators that are none of Spark's own, as a library would have them; no sqlml."""

from pyspark.ml import Estimator, Model
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasFeaturesCol, HasLabelCol, HasPredictionCol, HasSeed, HasWeightCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import functions as sf


class _MeanParams(HasFeaturesCol, HasLabelCol, HasPredictionCol, HasSeed):
    shift = Param(Params._dummy(), "shift", "is added to the mean", TypeConverters.toFloat)
    mean = Param(Params._dummy(), "mean", "what was learnt", TypeConverters.toFloat)


class ShiftedMean(_MeanParams, Estimator, DefaultParamsReadable, DefaultParamsWritable):
    """Predicts the label's mean, whatever the features are."""

    def __init__(self):
        super().__init__()
        self._setDefault(shift=0.0)

    def _fit(self, dataset):
        found = dataset.agg(sf.avg(self.getLabelCol())).collect()[0][0]
        return self._copyValues(ShiftedMeanModel())._set(mean=found + self.getOrDefault("shift"))


class ShiftedMeanModel(_MeanParams, Model, DefaultParamsReadable, DefaultParamsWritable):
    def _transform(self, dataset):
        return dataset.withColumn(self.getPredictionCol(), sf.lit(self.getOrDefault("mean")))


class Unsaved(ShiftedMean):
    """Fits what cannot be saved."""

    def _fit(self, dataset):
        class UnsavedModel(_MeanParams, Model):
            def _transform(self, dataset):
                return dataset

        return UnsavedModel()


class Steep(LogisticRegression, HasWeightCol):
    """Spark's own under another name."""


NOT_ONE = 1
