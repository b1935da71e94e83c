"""One case for each word: an entry in YAML, what its slots are called, and the same written by hand in Spark ML."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

INF = math.inf


@dataclass(frozen=True)
class Case:
    """One way to say a word.

    Attributes:
        word: its name in the registry.
        entries: of `transforms:`, as YAML; `~` stands before the name of a column.
        features: the columns that are features.
        slots: of the vector, in order.
        by_hand: given `pyspark.ml.feature`, the stages that make `features` of the same columns; and what stands
            before the names of the case's own columns.
        is_class: whether the label is a class.
    """

    word: str
    entries: str
    features: tuple[str, ...]
    slots: tuple[str, ...]
    by_hand: Callable[[Any, str], list[Any]]
    is_class: bool = False
    variant: str = ""

    @property
    def name(self) -> str:
        return f"{self.word} {self.variant}".strip()


def sql(f, *columns):
    return f.SQLTransformer(statement=f"select *, {', '.join(columns)} from __THIS__")


def assemble(f, *columns, to="features"):
    return f.VectorAssembler(inputCols=list(columns), outputCol=to, handleInvalid="keep")


def median(f, *names):
    """Number columns as sqlml has them unless something is said: cast, and the median for null and NaN."""
    casts = [f"cast({name} as double) as {name}_1" for name in names]
    inputs, outputs = [f"{name}_1" for name in names], [f"{name}_2" for name in names]
    return [sql(f, *casts), f.Imputer(strategy="median", inputCols=inputs, outputCols=outputs)]


def indexed(f, labels, text="coalesce(if(colour = '', '<empty>', colour), '<null>')", keep="keep"):
    return [
        sql(f, f"{text} as colour_1"),
        f.StringIndexerModel.from_labels(labels, "colour_1", "colour_2", handleInvalid=keep),
    ]


def words(f, source="coalesce(remarks, '')", **params):
    return [sql(f, f"{source} as text_1"), f.RegexTokenizer(inputCol="text_1", outputCol="words", **params)]


# The most frequent colours and words of the training rows, ties by the alphabet.
COLOURS = ["red", "it's green", "blue", "<empty>"]
TOP = COLOURS[:3]
ONE_HOT = (*TOP, "<null>", "<other>")
XY = ("x", "y")
POLYNOMIAL = ("x", "x^2", "x^3", "y", "x*y", "x^2*y", "y^2", "x*y^2", "y^3")
INTERACTION = tuple(f"colour={label}*x" for label in ONE_HOT)


def scaled(f, scaler, *names):
    return [*median(f, *names), assemble(f, *[f"{name}_2" for name in names], to="raw"), scaler]


def mixed(f, *stages, names=XY):
    return [*median(f, *names), assemble(f, *[f"{name}_2" for name in names], to="raw"), *stages]


def raw(f, name, **params):
    return getattr(f, name)(inputCol="raw", outputCol="features", **params)


def near(f, lsh, count, source):
    hashes = [f"hashes[{at}] as h{at}" for at in range(count)]
    hints = [f.VectorSizeHint(inputCol=f"h{at}", size=1, handleInvalid="optimistic") for at in range(count)]
    return [*source, lsh, sql(f, *hashes), *hints, assemble(f, *[f"h{at}" for at in range(count)])]


def min_hash(f, _):
    size = 12
    source = [
        *words(f),
        f.CountVectorizer(inputCol="words", outputCol="counts", vocabSize=size),
        # A text without any of the words has one element that no other has.
        sql(f, f"if(cast(counts as string) = '({size},[],[])', 1d, 0d) as is_empty"),
        assemble(f, "counts", "is_empty", to="set"),
    ]
    return near(f, f.MinHashLSH(inputCol="set", outputCol="hashes", numHashTables=3, seed=7), 3, source)


def projection(f, _):
    lsh = f.BucketedRandomProjectionLSH(inputCol="raw", outputCol="hashes", bucketLength=2.5, numHashTables=2, seed=7)
    return near(f, lsh, 2, mixed(f))


def univariate(f, _):
    selector = f.UnivariateFeatureSelector(
        featuresCol="raw", outputCol="features", labelCol="label", selectionMode="fpr"
    )
    selector.setFeatureType("continuous").setLabelType("continuous").setSelectionThreshold(0.001)
    return mixed(f, selector, names=("x", "y", "id_noise"))


def chi_square(f, _):
    selector = f.UnivariateFeatureSelector(
        featuresCol="raw", outputCol="features", labelCol="label", selectionMode="percentile"
    )
    selector.setFeatureType("categorical").setLabelType("categorical").setSelectionThreshold(0.5)
    binary = f.Binarizer(thresholds=[5.0, 5.0], inputCols=["x_2", "id_noise_2"], outputCols=["x_3", "n_3"])
    return [*median(f, "x", "id_noise"), binary, assemble(f, "x_3", "n_3", to="raw"), selector]


def interaction(f, _):
    return [
        *median(f, "x"),
        *indexed(f, [*TOP, "<null>"]),
        f.OneHotEncoder(inputCol="colour_2", outputCol="colour_3", dropLast=False),
        assemble(f, "colour_3", to="colour_4"),
        assemble(f, "x_2", to="x_3"),
        f.Interaction(inputCols=["colour_4", "x_3"], outputCol="product"),
        assemble(f, "colour_4", "x_3", "product"),
    ]


def hashed(f, prefix):
    # A value is hashed with the name of its column.
    names = [f"__sqlml__{prefix}colour", f"__sqlml__{prefix}n"]
    return [
        sql(
            f,
            f"coalesce(if(colour = '', '<empty>', colour), '<null>') as {names[0]}",
            f"coalesce(cast(n as string), '<null>') as {names[1]}",
        ),
        f.FeatureHasher(inputCols=list(names), outputCol="hashed", numFeatures=16),
        assemble(f, "hashed"),
    ]


def target(f, _):
    return [
        *indexed(f, [*sorted([*COLOURS, *RARE], reverse=True), "<null>"]),
        f.TargetEncoder(
            inputCol="colour_2", outputCol="colour_3", labelCol="label", targetType="continuous", handleInvalid="keep",
            smoothing=5.0,
        ),
        assemble(f, "colour_3"),
    ]  # fmt: skip


def ranges(f, splits):
    return [
        sql(f, "coalesce(cast(x as double), double('NaN')) as x_1"),
        f.Bucketizer(splits=splits, inputCol="x_1", outputCol="x_2", handleInvalid="keep"),
        f.OneHotEncoder(inputCol="x_2", outputCol="x_3", dropLast=False, handleInvalid="keep"),
        assemble(f, "x_3"),
    ]


def quantiles(f, _):
    return [
        sql(f, "coalesce(cast(x as double), double('NaN')) as x_1"),
        f.QuantileDiscretizer(inputCol="x_1", outputCol="x_2", numBuckets=4, relativeError=0.01, handleInvalid="keep"),
        sql(f, "x_2 + 0d as x_3"),
        assemble(f, "x_3"),
    ]


def counted(f, *stages, **params):
    return [*words(f, **params), *stages, assemble(f, "counts")]


def tf_idf(f, counter):
    return [
        *words(f, toLowercase=False),
        counter,
        f.IDF(inputCol="counts", outputCol="weighed", minDocFreq=20),
        assemble(f, "weighed"),
    ]


def vector_index(f, _):
    return [
        sql(f, "cast(a[0] as double) as a0", "cast(a[1] as double) as a1"),
        assemble(f, "a0", "a1", to="raw"),
        f.VectorIndexer(inputCol="raw", outputCol="indexed", maxCategories=4, handleInvalid="keep"),
        assemble(f, "indexed"),
    ]


RARE = ["rare 94", "rare 95", "rare 96", "rare 97", "rare 98", "rare 99", "rare 93"]
LOWER = ("late", "gate", "snow")
RUNS = ("the late gate", "late gate snow", "the late snow", "gate snow wind")

CASES = (
    Case("expr", '{columns: ~at, expr: "hour({column}) + minute({column}) / 60"}', ("at",), ("at",),
         lambda f, _: [sql(f, "hour(at) + minute(at) / 60 as h"), *median(f, "h"), assemble(f, "h_2")]),
    Case("impute: mean", "{columns: ~x, impute: mean, params: {missingValue: 3.0, relativeError: 0.1}}", ("x",), ("x",),
         lambda f, _: [sql(f, "if(isnan(x), null, x) as x_1"),
                    f.Imputer(strategy="mean", missingValue=3.0, inputCols=["x_1"], outputCols=["x_2"]),
                    assemble(f, "x_2")]),
    Case("impute: median", "{columns: [~x, ~n], impute: median, params: {missingValue: 5, relativeError: 0.2}}",
         ("x", "n"), ("x", "n"),
         lambda f, _: [sql(f, "if(isnan(x), null, x) as x_1", "cast(n as double) as n_1"),
                    f.Imputer(strategy="median", missingValue=5.0, relativeError=0.2, inputCols=["x_1", "n_1"],
                              outputCols=["x_2", "n_2"]),
                    assemble(f, "x_2", "n_2")]),
    Case("impute: mode", "{columns: [~n, ~flag], impute: mode, params: {missingValue: 2, relativeError: 0.1}}",
         ("n", "flag"), ("n", "flag"),
         lambda f, _: [sql(f, "cast(n as double) as n_1", "cast(flag as double) as flag_1"),
                    f.Imputer(strategy="mode", missingValue=2.0, inputCols=["n_1", "flag_1"],
                              outputCols=["n_2", "flag_2"]),
                    assemble(f, "n_2", "flag_2")]),
    Case("impute", "{columns: [~x], impute: -1.5}", ("x",), ("x",),
         lambda f, _: [sql(f, "coalesce(nanvl(x, -1.5d), -1.5d) as x_1"), assemble(f, "x_1")]),
    Case("indicator", "{columns: ~x, impute: 0, indicator: true}", ("x", "y"), ("x", "x=<null>", "y"),
         lambda f, _: [sql(f, "coalesce(nanvl(x, 0d), 0d) as x_1", "if(x is null or isnan(x), 1d, 0d) as null_1"),
                    *median(f, "y"), assemble(f, "x_1", "null_1", "y_2")]),
    Case("clip", "{columns: [~x, ~y], clip: [2, 7.5], impute: median}", XY, XY,
         lambda f, _: [*median(f, *XY), sql(f, "least(greatest(x_2, 2d), 7.5d) as x_3",
                                         "least(greatest(y_2, 2d), 7.5d) as y_3"), assemble(f, "x_3", "y_3")]),
    Case("clip", "{columns: ~x, clip: [null, 7.5], impute: 100}", ("x",), ("x",),
         lambda f, _: [sql(f, "least(coalesce(nanvl(x, 100d), 100d), 7.5d) as x_1"), assemble(f, "x_1")],
         variant="of a constant"),
    Case("binarize", "{columns: [~x, ~y], binarize: 4.5}", XY, XY,
         lambda f, _: [*median(f, *XY), f.Binarizer(thresholds=[4.5, 4.5], inputCols=["x_2", "y_2"],
                                                 outputCols=["x_3", "y_3"]), assemble(f, "x_3", "y_3")]),
    Case("bucket", "{columns: ~x, bucket: [2, 5.5, 8]}", ("x",),
         ("x=(-inf,2)", "x=[2,5.5)", "x=[5.5,8)", "x=[8,inf)", "x=<null>"),
         lambda f, _: ranges(f, [-INF, 2.0, 5.5, 8.0, INF])),
    Case("quantiles", "{columns: ~x, quantiles: 4, encode: index, params: {relativeError: 0.01}}", ("x",), ("x",),
         quantiles),
    Case("encode: index", "{columns: ~colour, encode: index, max_categories: 3, "
         "params: {stringOrderType: alphabetAsc}}",
         ("colour",), ("colour",),
         lambda f, _: [*indexed(f, [*sorted(TOP), "<null>"]), assemble(f, "colour_2")]),
    Case("encode: index", "{columns: ~a, encode: index, max_categories: 4}", ("a",), ("a[0]", "a[1]"), vector_index,
         variant="of an array"),
    Case("encode: one_hot", "{columns: ~colour, encode: one_hot, max_categories: 3, unseen: 'null', "
         "params: {dropLast: true, stringOrderType: frequencyAsc}}",
         ("colour",), tuple(f"colour={label}" for label in reversed(TOP)),
         lambda f, _: [*indexed(f, list(reversed(TOP))),
                    f.OneHotEncoder(inputCol="colour_2", outputCol="colour_3", dropLast=True),
                    assemble(f, "colour_3")]),
    Case("encode: one_hot", "{columns: ~colour, encode: one_hot, max_categories: 3, impute: red, unseen: 'null'}",
         ("colour",), tuple(f"colour={label}" for label in TOP),
         lambda f, _: [*indexed(f, TOP, "if(colour in ('red', 'it\\'s green', 'blue'), colour, 'red')", "error"),
                    f.OneHotEncoder(inputCol="colour_2", outputCol="colour_3", dropLast=False),
                    assemble(f, "colour_3")],
         variant="without a slot for null"),
    Case("encode: target", "{columns: ~colour, encode: target, "
         "params: {smoothing: 5.0, stringOrderType: alphabetDesc}}",
         ("colour",), ("colour",), target),
    Case("encode: hash", "{columns: [~colour, ~n], encode: hash, params: {numFeatures: 16}}", ("colour", "n"),
         tuple(f"colour+n#{slot}" for slot in range(16)), hashed),
    Case("text: tokens", "{columns: ~remarks, text: tokens, stop_words: english, "
         "params: {vocabSize: 3, minDF: 2.0, minTF: 0.3}}",
         ("remarks",), tuple(f"remarks:{word}" for word in LOWER),
         lambda f, _: [*words(f),
                    f.StopWordsRemover(inputCol="words", outputCol="kept", locale="en_US"),
                    f.CountVectorizer(inputCol="kept", outputCol="counts", vocabSize=3, binary=True, minTF=0.3),
                    assemble(f, "counts")]),
    Case("text: ngrams", "{columns: ~remarks, text: ngrams, params: {n: 3, vocabSize: 4, minTokenLength: 3}}",
         ("remarks",), tuple(f"remarks:{run}" for run in RUNS),
         lambda f, _: [*words(f, minTokenLength=3), f.NGram(n=3, inputCol="words", outputCol="runs"),
                    f.CountVectorizer(inputCol="runs", outputCol="counts", vocabSize=4), assemble(f, "counts")]),
    Case("text: counts", "{columns: ~tags, text: counts, params: {minDF: 0.2, maxDF: 0.9, minTF: 2.0, vocabSize: 3}}",
         ("tags",), ("tags:t1", "tags:t2", "tags:t5"),
         lambda f, _: [sql(f, "filter(coalesce(tags, array()), t -> t is not null) as words"),
                    f.CountVectorizer(inputCol="words", outputCol="counts", minDF=0.2, maxDF=0.9, minTF=2.0,
                                      vocabSize=3),
                    assemble(f, "counts")]),
    Case("text: hashing_tf", "{columns: ~remarks, text: hashing_tf, params: {numFeatures: 8, binary: true}}",
         ("remarks",), tuple(f"remarks#{slot}" for slot in range(8)),
         lambda f, _: counted(f, f.HashingTF(inputCol="words", outputCol="counts", numFeatures=8, binary=True))),
    Case("text: tf_idf", "{columns: ~remarks, text: tf_idf, "
         "params: {vocabSize: 5, minDocFreq: 20, toLowercase: false}}",
         ("remarks",), ("remarks:The", "remarks:late", "remarks:gate", "remarks:snow", "remarks:wind"),
         lambda f, _: tf_idf(f, f.CountVectorizer(inputCol="words", outputCol="counts", vocabSize=5))),
    Case("text: tf_idf", "{columns: ~remarks, text: tf_idf, params: {numFeatures: 8, minDocFreq: 20, "
         "toLowercase: false}}",
         ("remarks",), tuple(f"remarks#{slot}" for slot in range(8)),
         lambda f, _: tf_idf(f, f.HashingTF(inputCol="words", outputCol="counts", numFeatures=8)), variant="by hash"),
    Case("text: word2vec", "{columns: ~remarks, text: word2vec, params: {vectorSize: 4, minCount: 2, seed: 3, "
         "pattern: '[ ]', maxIter: 2}}",
         ("remarks",), tuple(f"remarks[{slot}]" for slot in range(4)),
         lambda f, _: [*words(f, pattern="[ ]"),
                    f.Word2Vec(inputCol="words", outputCol="v", vectorSize=4, minCount=2, seed=3, maxIter=2),
                    assemble(f, "v")]),
    Case("scale: standard", "{columns: [~x, ~y], scale: standard, params: {withMean: true, withStd: false}}", XY, XY,
         lambda f, _: scaled(f, raw(f, "StandardScaler", withMean=True, withStd=False), *XY)),
    Case("scale: min_max", "{columns: [~x, ~y], scale: min_max, params: {min: -1, max: 2.5}}", XY, XY,
         lambda f, _: scaled(f, raw(f, "MinMaxScaler", min=-1.0, max=2.5), *XY)),
    Case("scale: max_abs", "{columns: ~a, scale: max_abs}", ("a",), ("a[0]", "a[1]"),
         lambda f, _: [sql(f, "cast(a[0] as double) as a0", "cast(a[1] as double) as a1"),
                    assemble(f, "a0", "a1", to="raw"), raw(f, "MaxAbsScaler")]),
    Case("scale: robust", "{columns: [~x, ~y], scale: robust, params: {lower: 0.1, upper: 0.8, withCentering: true}}",
         XY, XY, lambda f, _: scaled(f, raw(f, "RobustScaler", lower=0.1, upper=0.8, withCentering=True), *XY)),
    Case("scale: none", "{columns: [~x, ~y], scale: none}", XY, XY,
         lambda f, _: [*median(f, *XY), assemble(f, "x_2", "y_2")]),
    Case("multiply", "{columns: [~x, ~y], multiply: [0.5, -2]}", XY, XY,
         lambda f, _: mixed(f, raw(f, "ElementwiseProduct", scalingVec=vector(0.5, -2.0)))),
    Case("normalize", "{columns: [~x, ~y], normalize: 1}", XY, XY, lambda f, _: mixed(f, raw(f, "Normalizer", p=1.0))),
    Case("expand: polynomial", "{columns: [~x, ~y], expand: polynomial, params: {degree: 3}}", XY, POLYNOMIAL,
         lambda f, _: mixed(f, raw(f, "PolynomialExpansion", degree=3))),
    Case("expand: interaction", "{columns: [~colour, ~x], expand: interaction}\n"
         "{columns: ~colour, encode: one_hot, max_categories: 3}",
         ("colour", "x"), (*[f"colour={label}" for label in ONE_HOT], "x", *INTERACTION), interaction),
    Case("expand: dct", "{columns: [~x, ~y], expand: dct, params: {inverse: true}}", XY, ("dct_0", "dct_1"),
         lambda f, _: mixed(f, raw(f, "DCT", inverse=True))),
    Case("reduce: {pca}", "{columns: [~x, ~y, ~n], reduce: {pca: 2}}", ("x", "y", "n"), ("pca_0", "pca_1"),
         lambda f, _: mixed(f, raw(f, "PCA", k=2), names=("x", "y", "n"))),
    Case("select: {variance}", "{columns: [~x, ~y, ~flag], select: {variance: 1.0}}", ("x", "y", "flag"), XY,
         lambda f, _: mixed(f, f.VarianceThresholdSelector(featuresCol="raw", outputCol="features",
                                                        varianceThreshold=1.0), names=("x", "y", "flag"))),
    Case("select: {univariate}", "{columns: [~x, ~y, ~id_noise], select: {univariate: 0.001}, "
         "params: {selectionMode: fpr}}", ("x", "y", "id_noise"), XY, univariate),
    Case("select: {chi_square}", "{columns: [~x, ~id_noise], binarize: 5, select: {chi_square: 0.5}, "
         "params: {selectionMode: percentile}}", ("x", "id_noise"), ("x",), chi_square, is_class=True),
    Case("select: {slots}", "{columns: ~a, select: {slots: [1, '~a[0]']}}", ("a",), ("a[1]", "a[0]"),
         lambda f, _: [sql(f, "cast(a[0] as double) as a0", "cast(a[1] as double) as a1"),
                    assemble(f, "a0", "a1", to="raw"), raw(f, "VectorSlicer", indices=[1, 0])]),
    Case("near: {min_hash}", "{columns: ~remarks, text: counts, near: {min_hash: 3}, "
         "params: {seed: 7, vocabSize: 12}}", ("remarks",), ("min_hash_0", "min_hash_1", "min_hash_2"), min_hash),
    Case("near: {random_projection}", "{columns: [~x, ~y], near: {random_projection: 2.5}, "
         "params: {seed: 7, numHashTables: 2}}", XY, ("random_projection_0", "random_projection_1"), projection),
)  # fmt: skip


def vector(*values):
    from pyspark.ml.linalg import Vectors

    return Vectors.dense(list(values))
