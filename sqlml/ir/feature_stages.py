"""Spark ML's classes behind the words of a transform: the params that an entry may set, and what sets the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class FeatureStage:
    """A class of `pyspark.ml.feature` that a word makes.

    Attributes:
        params: what `params:` of an entry may set.
        set_by: each other param to what sets it, as it is said to a user.
        defaults: values that differ from Spark's own, unless `params:` says otherwise.
    """

    params: tuple[str, ...] = ()
    set_by: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)


# A vector of 262,144 slots, Spark's default, is more than a tree can be fitted on and than anyone can read.
_SLOTS = 4096
_SEED = MappingProxyType({"seed": 42})
_NULLS = "the word's own treatment of null and unseen values"

FEATURE_STAGES: Mapping[str, FeatureStage] = MappingProxyType(
    {
        "Imputer": FeatureStage(("missingValue", "relativeError"), {"strategy": "'impute:'"}),
        "Binarizer": FeatureStage((), {"threshold": "'binarize:'", "thresholds": "'binarize:'"}),
        "Bucketizer": FeatureStage((), {"splits": "'bucket:'", "splitsArray": "'bucket:'", "handleInvalid": _NULLS}),
        "QuantileDiscretizer": FeatureStage(
            ("relativeError",),
            {"numBuckets": "'quantiles:'", "numBucketsArray": "'quantiles:'", "handleInvalid": _NULLS},
        ),
        "StringIndexer": FeatureStage(("stringOrderType",), {"handleInvalid": "'unseen:'"}),
        "VectorIndexer": FeatureStage((), {"maxCategories": "'max_categories:'", "handleInvalid": _NULLS}),
        "OneHotEncoder": FeatureStage(("dropLast",), {"handleInvalid": "'unseen:'"}, {"dropLast": False}),
        "TargetEncoder": FeatureStage(("smoothing",), {"targetType": "the label's type", "handleInvalid": "'unseen:'"}),
        "FeatureHasher": FeatureStage(("numFeatures",), {}, {"numFeatures": _SLOTS}),
        "RegexTokenizer": FeatureStage(("gaps", "minTokenLength", "pattern", "toLowercase")),
        # The default is the locale of the machine.
        "StopWordsRemover": FeatureStage(
            ("caseSensitive", "locale"), {"stopWords": "'stop_words:'"}, {"locale": "en_US"}
        ),
        "NGram": FeatureStage(("n",)),
        "CountVectorizer": FeatureStage(
            ("binary", "maxDF", "minDF", "minTF", "vocabSize"), {}, {"vocabSize": _SLOTS}
        ),
        "HashingTF": FeatureStage(("binary", "numFeatures"), {}, {"numFeatures": _SLOTS}),
        "IDF": FeatureStage(("minDocFreq",)),
        "Word2Vec": FeatureStage(
            (
                "maxIter", "maxSentenceLength", "minCount", "numPartitions", "seed", "stepSize", "vectorSize",
                "windowSize",
            ),
            {},
            _SEED,
        ),
        "StandardScaler": FeatureStage(("withMean", "withStd")),
        "MinMaxScaler": FeatureStage(("min", "max")),
        "MaxAbsScaler": FeatureStage(),
        "RobustScaler": FeatureStage(("lower", "upper", "withCentering", "withScaling", "relativeError")),
        "ElementwiseProduct": FeatureStage((), {"scalingVec": "'multiply:'"}),
        "Normalizer": FeatureStage((), {"p": "'normalize:'"}),
        "PolynomialExpansion": FeatureStage(("degree",)),
        "Interaction": FeatureStage(),
        "DCT": FeatureStage(("inverse",)),
        "PCA": FeatureStage((), {"k": "'reduce:'"}),
        "VarianceThresholdSelector": FeatureStage((), {"varianceThreshold": "'select:'"}),
        "UnivariateFeatureSelector": FeatureStage(
            ("selectionMode",),
            {"selectionThreshold": "'select:'", "featureType": "'select:'", "labelType": "the label's type"},
        ),
        "VectorSlicer": FeatureStage((), {"indices": "'select:'", "names": "'select:'"}),
        "MinHashLSH": FeatureStage(("seed",), {"numHashTables": "'near:'"}, _SEED),
        "BucketedRandomProjectionLSH": FeatureStage(("numHashTables", "seed"), {"bucketLength": "'near:'"}, _SEED),
    }
)  # fmt: skip
"""Class name to what an entry may say of it."""

NOT_A_WORD: Mapping[str, str] = MappingProxyType(
    {
        "SQLTransformer": "sqlml's own: casts, constants, `clip`, `indicator` and `expr` are its SQL",
        "VectorAssembler": "sqlml's own: it makes the one vector of all features",
        "VectorSizeHint": "sqlml's own: it tells Spark the length of a vector column",
        "IndexToString": "predictions give the label's own values by SQL",
        "RFormula": "`features:` and `transforms:` say the same, with nulls and names",
        "Tokenizer": "RegexTokenizer without params splits at the same places, and leaves empty words out",
        "ChiSqSelector": "deprecated by Spark: `select: {chi_square: …}` is its successor, UnivariateFeatureSelector",
    }
)
"""The classes of `pyspark.ml.feature` that no word makes, and why."""
