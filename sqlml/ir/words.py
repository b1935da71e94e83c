"""The words of a transform: one entry each, with what it takes and gives, its Spark ML stages, its nulls.

The order of the registry is the order in which the words of a feature apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a feature is at one point of its chain: what its column is by its declared type, then what words give."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    WORDS = "array of strings"
    ARRAY = "array"
    VECTOR = "vector"
    RANGE = "range"  # of numbers, in order
    INDEX = "index"  # of a category
    ONE_HOT = "one-hot vector"


class Infinity(StrEnum):
    """What a word does to an infinite number; the value says it."""

    STOPS = "stops the fit; at prediction it goes through"
    PASSES = "goes on to the next word"
    TAKEN = "is taken like any other value"
    CLIPPED = "becomes the limit"
    SQL = "as the SQL says"


NUMERIC = frozenset({Kind.NUMBER, Kind.BOOLEAN})
SINGLE = NUMERIC | {Kind.CATEGORY}
"""The kinds of columns that hold one value."""

_LISTS = frozenset({Kind.ARRAY, Kind.VECTOR})
_SCALED = NUMERIC | _LISTS
_MIXED = _SCALED | {Kind.ONE_HOT}

MAX_CATEGORIES = 100
MOST_CATEGORIES = 4096
"""The most slots that one category may have: Spark's exact solvers take no more, and so many bins a tree can hold."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    Attributes:
        key: of an entry of `transforms:`.
        choice: what stands after the key; empty: any value.
        about: one line for the documentation.
        takes: the kinds it can be said of.
        gives: what the feature is afterwards; None: what it was.
        stages: classes of `pyspark.ml.feature`, in the order of the rows' way; empty: plain SQL.
        null: what becomes of null and NaN.
        unseen: what becomes of a value that no training row has; empty: there is no such thing.
        is_mixing: whether it takes the columns of its entry together.
        is_supervised: whether it learns from the label.
    """

    key: str
    choice: str
    about: str
    takes: frozenset[Kind]
    gives: Kind | None
    stages: tuple[str, ...]
    null: str
    infinity: Infinity
    unseen: str = ""
    is_mixing: bool = False
    is_supervised: bool = False

    @property
    def name(self) -> str:
        """The word as a user writes it: `scale: robust`, `clip`."""
        if self.key in MAPPINGS:
            return f"{self.key}: {{{self.choice}}}"
        return f"{self.key}: {self.choice}" if self.choice else self.key


MAPPINGS = ("reduce", "select", "near")
"""Keys whose choice has a value of its own: `reduce: {pca: 3}`."""
_ALL = frozenset(Kind)
_NOT_NULL = "has been imputed"
_OF_LISTS = "stops the fit; at prediction the whole row becomes NaN"
_OWN_SLOT = "a slot of its own, `<null>`, unless it is imputed"
_UNSEEN = "one slot with the rare values, `<other>`; with `unseen: null` the null's; with `unseen: error` it stops"
_TOKENS = ("RegexTokenizer", "StopWordsRemover", "NGram")
_NO_WORDS = "has no words: all zeros"


def _impute(choice: str, about: str, kinds: frozenset[Kind], infinity: Infinity = Infinity.PASSES) -> Word:
    stages = ("Imputer",) if choice else ()
    return Word("impute", choice, about, kinds, None, stages, "becomes it", infinity)


def _encode(choice: str, about: str, kinds: frozenset[Kind], gives: Kind, *stages: str) -> Word:
    is_supervised = choice == "target"
    return Word(
        "encode", choice, about, kinds, gives, stages, _OWN_SLOT, Infinity.TAKEN, _UNSEEN, is_supervised=is_supervised
    )


def _text(choice: str, about: str, unseen: str, *stages: str) -> Word:
    kinds = frozenset({Kind.CATEGORY, Kind.WORDS})
    return Word(
        "text", choice, about, kinds, Kind.VECTOR, (*_TOKENS, *stages), _NO_WORDS, Infinity.TAKEN, unseen
    )  # fmt: skip


def _scale(choice: str, about: str, *stages: str) -> Word:
    return Word("scale", choice, about, _SCALED, None, stages, _NOT_NULL, Infinity.STOPS)


def _mix(
    key: str, choice: str, about: str, *stages: str, with_index: bool = False, is_supervised: bool = False
) -> Word:
    takes = _MIXED | {Kind.INDEX} if with_index else _MIXED
    return Word(
        key, choice, about, takes, Kind.VECTOR, stages, _NOT_NULL, Infinity.STOPS, is_mixing=True,
        is_supervised=is_supervised,
    )  # fmt: skip


_CATEGORIES = frozenset({Kind.NUMBER, Kind.BOOLEAN, Kind.CATEGORY, Kind.RANGE})

WORDS: tuple[Word, ...] = (
    Word("expr", "", "The SQL of the column, of one row: all other words apply to what it gives.", _ALL, None, (),
         "as the SQL says", Infinity.SQL),
    _impute("mean", "The mean of the training rows stands for null and NaN.", NUMERIC, Infinity.STOPS),
    _impute("median", "The median of the training rows stands for null and NaN.", NUMERIC),
    _impute("mode", "The most frequent value of the training rows stands for null and NaN.", SINGLE),
    _impute("", "This value stands for null and NaN.", SINGLE),
    Word("indicator", "", "One more slot, `x=<null>`: 1 where the value is null or NaN, else 0.", SINGLE | {Kind.WORDS},
         None, (), "is 1 in the slot", Infinity.PASSES),
    Word("clip", "", "What lies outside of [LOW, HIGH] becomes the limit; null for no limit.",
         frozenset({Kind.NUMBER}), None, (), _NOT_NULL, Infinity.CLIPPED),
    Word("binarize", "", "1 above the threshold, else 0.", frozenset({Kind.NUMBER}), Kind.BOOLEAN, ("Binarizer",),
         _NOT_NULL, Infinity.TAKEN),
    Word("bucket", "", "Ranges between the splits; the first and the last range have no end.",
         frozenset({Kind.NUMBER}), Kind.RANGE, ("Bucketizer",), _OWN_SLOT, Infinity.TAKEN),
    Word("quantiles", "", "N ranges that hold equally many training rows.",
         frozenset({Kind.NUMBER}), Kind.RANGE, ("QuantileDiscretizer",), _OWN_SLOT, Infinity.TAKEN),
    _encode("index", "The number of the category, which trees keep nominal; of an array or a vector, that of each "
            "slot with at most `max_categories` values.", _CATEGORIES | _LISTS, Kind.INDEX,
            "StringIndexer", "VectorIndexer"),
    _encode("one_hot", "A 0/1 slot for each category.", _CATEGORIES, Kind.ONE_HOT, "StringIndexer", "OneHotEncoder"),
    _encode("target", "The mean label of the category.", _CATEGORIES, Kind.NUMBER, "StringIndexer", "TargetEncoder"),
    Word("encode", "hash", "A slot by the hash of column and value, of all columns of the entry together.",
         SINGLE, Kind.VECTOR, ("FeatureHasher",), "is hashed as a value of its own", Infinity.TAKEN, "is hashed too"),
    _text("tokens", "1 for each word that the text has, else 0.", "is left out", "CountVectorizer"),
    _text("ngrams", "How often each run of `n` words is there.", "is left out", "CountVectorizer"),
    _text("counts", "How often each word is there.", "is left out", "CountVectorizer"),
    _text("hashing_tf", "How often each word is there, by its hash.", "is hashed too", "HashingTF"),
    _text("tf_idf", "The same, rare words weighing more; with `numFeatures` by hash, else by a vocabulary.",
          "is left out, or hashed too", "CountVectorizer", "HashingTF", "IDF"),
    _text("word2vec", "The mean of the words' learnt vectors.", "is left out", "Word2Vec"),
    _scale("standard", "Divided by the standard deviation.", "StandardScaler"),
    _scale("min_max", "Moved and stretched to [0, 1].", "MinMaxScaler"),
    _scale("max_abs", "Divided by the greatest absolute value.", "MaxAbsScaler"),
    _scale("robust", "Divided by the distance of the quartiles.", "RobustScaler"),
    _scale("none", "Left as it is, where numbers would be scaled."),
    _mix("multiply", "", "Each slot times its factor.", "ElementwiseProduct"),
    _mix("normalize", "", "Each row divided by its P-norm; a row of zeros stays.", "Normalizer"),
    _mix("expand", "polynomial", "All products of the slots up to `degree`.", "PolynomialExpansion"),
    _mix("expand", "interaction", "The slots, and the product of all columns of the entry.", "Interaction",
         with_index=True),
    _mix("expand", "dct", "The discrete cosine transform of the slots.", "DCT"),
    _mix("reduce", "pca", "The first K principal components (Spark does not centre them).", "PCA"),
    _mix("select", "variance", "The slots whose variance is above a threshold.", "VarianceThresholdSelector",
         with_index=True),
    _mix("select", "univariate", "The slots that the label depends on most, by an F-test.",
         "UnivariateFeatureSelector", with_index=True, is_supervised=True),
    _mix("select", "chi_square", "The slots that the label depends on most, by a chi-square test of their values.",
         "UnivariateFeatureSelector", with_index=True, is_supervised=True),
    _mix("select", "slots", "The slots of these names or positions.", "VectorSlicer", with_index=True),
    _mix("near", "min_hash", "N hashes of the set of slots that are not 0.", "MinHashLSH"),
    _mix("near", "random_projection", "Hashes of the place: buckets of this length on random lines.",
         "BucketedRandomProjectionLSH"),
)  # fmt: skip
"""Every word, in the order in which they apply."""

OPTIONS: Mapping[str, str] = MappingProxyType({"max_categories": "encode", "unseen": "encode", "stop_words": "text"})
"""Key that is no word of its own to the key it goes with."""

ORDER: tuple[str, ...] = tuple(dict.fromkeys(word.key for word in WORDS))
MIXING: tuple[str, ...] = tuple(dict.fromkeys(word.key for word in WORDS if word.is_mixing))


def find_word(key: str, value: object) -> Word:
    """Return the word that `key` with `value` is; for `reduce`, `select` and `near`, `value` is a pair.

    Raises:
        KeyError: there is none.
    """
    choice = value[0] if isinstance(value, tuple) and key in MAPPINGS else value
    found = [word for word in WORDS if word.key == key]
    exact = [word for word in found if word.choice and word.choice == choice]
    for word in (*exact, *[word for word in found if not word.choice]):
        return word
    raise KeyError(f"{key}: {value}")
