"""Which columns are features and what is done to them; no JVM."""

from __future__ import annotations

import pytest

from sqlml.errors import ErrorList, SqlmlError, format_error
from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.features import feature_names
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import MlModel, Split
from sqlml.ir.state import Column
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.transforms import FITTING, choose_transforms
from sqlml.ir.words import MIXING, ORDER, WORDS, Infinity, Kind, find_word

COLUMNS = (
    Column("id", "bigint"),
    Column("late", "boolean"),
    Column("Distance", "decimal(10,2)"),
    Column("is_weekend", "boolean"),
    Column("carrier", "string"),
)
PLACES = Places(
    SourceLocation("m.yml", 1),
    {
        "label": SourceLocation("m.yml", 3),
        "keys.0": SourceLocation("m.yml", 4),
        "features": SourceLocation("m.yml", 5),
        "features.exclude.0": SourceLocation("m.yml", 5, 20),
        "training_data": SourceLocation("m.yml", 2),
        "split.column": SourceLocation("m.yml", 9),
    },
)


def spec(**given):
    given = {"label": "late", "keys": ("id",), "estimator": "GBTClassifier"} | given
    return MlModel(name="m", path="m.yml", places=PLACES, training_data="ref('t')", **given)


def entry(*columns, line=7, **words):
    return TransformSpec(columns=columns, location=SourceLocation("m.yml", line), **words)


def chosen(columns=COLUMNS, type_of=lambda column, sql: None, **given):
    ml_model = spec(**given)
    transforms = choose_transforms(columns, ml_model, ESTIMATORS[ml_model.estimator], type_of)
    return {transform.column: transform for transform in transforms}


def errors(columns=COLUMNS, **given):
    with pytest.raises(SqlmlError) as caught:
        chosen(columns, **given)
    return format_error(caught.value)


@pytest.mark.parametrize(
    ("estimator", "encode", "scale"),
    [("GBTClassifier", "index", None), ("LogisticRegression", "one_hot", None), ("KMeans", "one_hot", "standard")],
)
def test_defaults_follow_type_and_family(estimator, encode, scale):
    found = chosen(estimator=estimator)
    assert list(found) == ["Distance", "is_weekend", "carrier"]
    assert (found["Distance"].impute, found["Distance"].value("scale")) == ("median", scale)
    assert (found["is_weekend"].impute, found["is_weekend"].value("scale")) == ("median", None)
    assert (found["carrier"].impute, found["carrier"].value("encode"), found["carrier"].max_categories) == (
        None,
        encode,
        100,
    )


def test_each_feature_is_described_in_one_line():
    lines = [transform.describe() for transform in chosen(estimator="KMeans").values()]
    assert lines == [
        "Distance (decimal(10,2)): null becomes the learnt median, standard scaling",
        "is_weekend (boolean): null becomes the learnt median",
        "carrier (string): the 100 most frequent values, null and all others have a slot each, one-hot",
    ]


def test_arrays_of_numbers_and_vectors_pass():
    found = chosen((*COLUMNS, Column("a", "array<float>"), Column("v", "vector")))
    assert found["a"].describe() == "a (array<float>): as it is"
    assert found["v"].describe() == "v (vector): as it is"


@pytest.mark.parametrize(
    "data_type", ["timestamp", "timestamp_ntz", "date", "map<string,int>", "struct<a:int>", "binary", "array<string>"]
)
def test_a_type_without_a_transform_names_the_choices(data_type):
    text = errors((*COLUMNS, Column("odd", data_type)))
    assert f"feature 'odd' is of type {data_type}, which has no transform" in text
    assert "exclude: [odd]" in text
    assert "m.yml:2" in text


def test_listed_features_keep_their_order_and_the_relations_spelling():
    assert list(chosen(include=("CARRIER", "distance"))) == ["carrier", "Distance"]


def test_a_star_in_the_list_is_every_feature():
    assert list(chosen(include=("*",), exclude=("carrier",))) == ["Distance", "is_weekend"]


def test_the_column_of_a_split_is_no_feature_unless_listed():
    assert "carrier" not in chosen(split=Split(by="column", columns=("carrier",), holdout_values=("UA",)))
    assert "carrier" in chosen(split=Split(by="hash", columns=("carrier",)))


def test_unknown_names_are_all_reported_with_near_matches():
    text = errors(exclude=("carier",), keys=("idd",), transforms=(entry("Distanc", impute="mean"),))
    assert "uses key 'idd', which its training data does not have\n  --> m.yml:4" in text
    assert "uses excluded feature 'carier', which its training data does not have\n  --> m.yml:5:20" in text
    assert "did you mean 'carrier'?" in text
    text = errors(transforms=(entry("Distanc", impute="mean"),))
    assert "a transform of ml model 'm' names 'Distanc', which its training data does not have" in text
    assert "--> m.yml:7" in text
    assert "did you mean 'Distance'?" in text


def test_a_column_with_a_role_is_never_a_feature():
    assert "'late' is the label" in errors(include=("late",))
    assert "'late' is the label" in errors(transforms=(entry("late", impute="mode"),))


def test_names_of_sparks_and_sqlmls_own_columns_are_refused():
    text = errors((*COLUMNS, Column("Prediction", "int"), Column("__sqlml_x", "int")))
    assert "feature 'Prediction' has the name of a column that Spark's fitted models add" in text
    assert "feature '__sqlml_x' begins with '__sqlml_'" in text


def test_no_feature_is_an_error():
    with pytest.raises(SqlmlError, match="has no feature"):
        feature_names(["id", "late"], spec())


def test_the_named_entry_wins_over_the_star_word_by_word():
    found = chosen(
        estimator="KMeans",
        transforms=(entry("distance", impute="mean"), entry("*", impute="mode", scale="min_max")),
    )
    assert (found["Distance"].impute, found["Distance"].value("scale")) == ("mean", "min_max")
    # `scale` does not fit a category, and the star passes over it.
    assert (found["carrier"].impute, found["carrier"].value("scale")) == ("mode", None)


def test_two_equal_claims_are_an_error_at_the_later_one():
    text = errors(transforms=(entry("carrier", encode="index"), entry("CARRIER", encode="one_hot", line=8)))
    assert "two transforms give 'carrier' the word 'encode', the other at m.yml:7\n  --> m.yml:8" in text
    assert "give '*' the word" in errors(transforms=(entry("*", scale="none"), entry("*", scale="robust")))


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("carrier", {"scale": "standard"}),
        ("carrier", {"impute": "median"}),
        ("carrier", {"impute": 3}),
        ("Distance", {"impute": "far"}),
        ("Distance", {"impute": True}),
        ("Distance", {"max_categories": 5}),
        ("Distance", {"encode": "index", "scale": "standard"}),
        ("Distance", {"encode": "index", "impute": "mean"}),
        ("is_weekend", {"impute": 2}),
        ("a", {"impute": "mean"}),
        ("a", {"encode": "one_hot"}),
    ],
)
def test_a_word_that_does_not_fit_the_type_is_an_error(column, words):
    text = errors((*COLUMNS, Column("a", "array<double>")), transforms=(entry(column, **words),))
    assert f"does not fit '{column}'" in text
    assert "--> m.yml:7" in text
    assert "fix: " in text


def test_words_that_fit():
    found = chosen(
        transforms=(
            entry("Distance", encode="one_hot", max_categories=3, impute="mode"),
            entry("carrier", impute="none at all", unseen="other"),
            entry("is_weekend", impute=False, scale="standard", params={"withMean": True}),
        )
    )
    assert (found["Distance"].value("encode"), found["Distance"].max_categories, found["Distance"].impute) == (
        "one_hot",
        3,
        "mode",
    )
    assert (found["carrier"].impute, found["carrier"].fill) == (None, "none at all")
    assert (found["is_weekend"].fill, found["is_weekend"].value("scale")) == (False, "standard")
    assert found["is_weekend"].said("scale").params == {"withMean": True}


def test_params_are_checked():
    text = errors(transforms=(entry("distance", scale="robust", params={"withMen": 1}),))
    assert "no stage of this transform has a param 'withMen'" in text


def test_all_errors_come_at_once():
    with pytest.raises(ErrorList) as caught:
        chosen(
            (*COLUMNS, Column("d", "date")), transforms=(entry("carrier", scale="standard"), entry("nope", impute=1))
        )
    assert len(caught.value.errors) == 3


# Words that were not there from the beginning


WIDE = (
    *COLUMNS,
    Column("temp_in", "double"),
    Column("temp_out", "float"),
    Column("n", "int"),
    Column("remarks", "string"),
    Column("tags", "array<string>"),
    Column("v", "vector"),
    Column("at", "timestamp"),
)
LEFT_OUT = ("at", "tags")


def wide(*entries, exclude=LEFT_OUT, **given):
    return chosen(WIDE, exclude=exclude, transforms=entries, **given)


def wide_errors(*entries, exclude=LEFT_OUT, **given):
    return errors(WIDE, exclude=exclude, transforms=entries, **given)


def test_a_pattern_wins_over_a_type_and_a_type_over_the_star():
    found = wide(
        entry("*", impute="mode"),
        entry(type="double", impute="mean"),
        entry(like="TEMP_*", impute=0),
        entry("temp_out", impute=1),
    )
    assert {name: found[name].value("impute") for name in ("Distance", "temp_in", "temp_out", "n")} == {
        "Distance": "mode",
        "temp_in": 0,
        "temp_out": 1,
        "n": "mode",
    }


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("decimal", ["Distance"]),
        ("decimal(10,2)", ["Distance"]),
        ("number", ["Distance", "temp_in", "temp_out", "n"]),
        ("string", ["carrier", "remarks"]),
        ("BOOLEAN", ["is_weekend"]),
    ],
)
def test_a_type_selects(wanted, names):
    found = wide(entry(type=wanted, indicator=True))
    assert [name for name, transform in found.items() if transform.said("indicator")] == names


def test_two_equal_patterns_or_types_are_an_error_with_both_places():
    text = wide_errors(entry(like="temp_*", impute=0), entry(like="*_in", impute=1, line=8))
    assert "two transforms give 'temp_in' the word 'impute', the other at m.yml:7\n  --> m.yml:8" in text
    text = wide_errors(entry(type="number", scale="robust"), entry(type="int", scale="none", line=9))
    assert "two transforms give 'n' the word 'scale', the other at m.yml:7\n  --> m.yml:9" in text


def test_a_selection_of_nothing_is_an_error():
    assert "is for '{like: tmp_*}', which no feature is" in wide_errors(entry(like="tmp_*", impute=0))
    assert "is for '{type: date}', which no feature is" in wide_errors(entry(type="date", impute=0))


def test_a_type_or_a_pattern_passes_over_what_a_word_does_not_fit():
    found = wide(entry(like="*", clip=(0, 1), scale="standard"))
    assert found["carrier"].said("clip") is found["carrier"].said("scale") is None
    assert found["temp_in"].value("clip") == (0, 1)


@pytest.mark.parametrize(
    ("words", "encode"),
    [({"bucket": (1.0,)}, "index"), ({"quantiles": 4, "encode": "one_hot"}, "one_hot")],
)
def test_ranges_are_categories_and_null_is_not_imputed(words, encode):
    found = wide(entry("n", **words))["n"]
    assert found.is_range
    assert (found.said("impute"), found.value("encode")) == (None, encode)
    assert not found.is_category


def test_what_was_binarized_is_not_scaled():
    assert wide(entry("n", binarize=2), estimator="KMeans")["n"].said("scale") is None
    assert wide(estimator="KMeans")["n"].value("scale") == "standard"


def test_a_text_is_not_encoded():
    found = wide(entry("remarks", text="counts"), entry(type="string", encode="index", max_categories=7))
    assert [applied.word.name for applied in found["remarks"].words] == ["text: counts"]
    assert found["carrier"].max_categories == 7
    text = wide_errors(entry("remarks", text="counts"), entry("remarks", encode="index", line=8))
    assert "'text: counts' does not fit 'remarks'" in text


def test_an_array_of_strings_needs_text():
    assert "count its words with text: tokens" in wide_errors(exclude=("at",))
    found = wide(entry("tags", text="tf_idf"), exclude=("at",))
    assert found["tags"].kind is Kind.WORDS


def test_an_expression_makes_a_number_of_any_type():
    types = {"hour(`at`)": "int", "`at` is null": "boolean", "named_struct('a', `at`)": "struct<a:timestamp>"}
    given = {"type_of": lambda column, sql: types.get(sql), "exclude": ("tags",)}
    found = wide(entry("at", expr="hour({column})", scale="standard"), **given)["at"]
    assert (found.expr, found.expr_type, found.kind) == ("hour(`at`)", "int", Kind.NUMBER)
    assert [applied.word.name for applied in found.words] == ["impute: median", "scale: standard"]
    text = wide_errors(entry("at", expr="named_struct('a', {column})"), **given)
    assert "the expr: of 'at' is of type struct<a:timestamp>, which has no transform" in text
    # Where the type is not known before Spark has read the SQL, nothing is said against it.
    assert wide(entry("at", expr="f({column})", impute="mean"), **given)["at"].kind is None


def test_columns_that_are_mixed_share_what_is_done():
    found = wide(entry("n", "temp_in", "carrier", normalize=2, reduce=("pca", 3)))
    mixing = found["n"].mixing
    assert [applied.word.name for applied in mixing.words] == ["normalize", "reduce: {pca}"]
    assert mixing.words[1].value == 3
    assert found["temp_in"].mixing == found["carrier"].mixing == mixing
    assert found["temp_out"].mixing is None
    # An index is a name, not a number: what is reduced or multiplied is one-hot, also for trees.
    assert found["carrier"].value("encode") == "one_hot"
    assert wide(entry("carrier", select=("univariate", 3)))["carrier"].value("encode") == "index"


def test_an_index_is_not_mixed():
    text = wide_errors(entry("carrier", "n", encode="index", reduce=("pca", 1)))
    assert "transform 'reduce: {pca}' does not fit 'carrier', which is indexed before" in text
    found = wide(entry("*", reduce=("pca", 1)), entry("carrier", encode="index"))
    assert found["carrier"].mixing is None
    assert found["n"].mixing is not None


def test_a_column_is_mixed_once():
    text = wide_errors(entry("n", "temp_in", normalize=2), entry("n", expand="polynomial", line=8))
    assert "two transforms mix 'n' with other columns, the other at m.yml:7\n  --> m.yml:8" in text
    found = wide(entry("*", normalize=2), entry("n", expand="polynomial"))
    assert [applied.word.name for applied in found["n"].mixing.words] == ["expand: polynomial"]
    assert [applied.word.name for applied in found["temp_in"].mixing.words] == ["normalize"]


def test_words_apply_in_the_order_of_the_registry():
    found = wide(entry("n", scale="robust", clip=(0, 9), indicator=True, impute="mean"))["n"]
    assert [applied.word.key for applied in found.words] == ["impute", "indicator", "clip", "scale"]
    assert ORDER[-len(MIXING) :] == MIXING
    assert ORDER[0] == "expr"


@pytest.mark.parametrize(
    ("words", "is_taken"),
    [
        ({}, False),
        ({"clip": (0, 1)}, True),
        ({"clip": (0, 1), "impute": "mean"}, False),
        ({"bucket": (1,)}, True),
        ({"binarize": 1}, True),
        ({"encode": "index"}, True),
        ({"scale": "robust"}, False),
    ],
)
def test_where_infinity_stops_a_fit(words, is_taken):
    assert wide(entry("temp_in", **words))["temp_in"].takes_infinity is is_taken


def test_params_reach_the_stages_that_have_them():
    params = {"vocabSize": 9, "n": 3, "withMean": True}
    found = wide(entry("remarks", text="counts", scale="standard", params=params))["remarks"]
    assert found.said("text").params_of("CountVectorizer") == {"vocabSize": 9}
    assert found.said("text").params_of("NGram") == {"n": 3}
    assert found.said("scale").params == {"withMean": True}
    assert "has a param 'numFeatures'" in wide_errors(entry("remarks", text="counts", params={"numFeatures": 8}))
    by_hash = wide(entry("remarks", text="tf_idf", params={"numFeatures": 8}))["remarks"]
    assert by_hash.said("text").params_of("HashingTF") == {"numFeatures": 8}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"impute": 0, "indicator": True, "clip": (None, 5)},
         "null becomes 0, a slot says where it is null, clipped to at most 5"),
        ({"bucket": (1, 2.5)}, "ranges cut at 1, 2.5, null has a slot of its own, indexed"),
        ({"quantiles": 4, "impute": "mean"},
         "null becomes the learnt mean, 4 ranges of equally many rows, in order, indexed"),
        ({"encode": "target"}, "all values, null and all others have a slot each, its mean label"),
        ({"encode": "index", "unseen": "null", "max_categories": 3},
         "the 3 most frequent values have a slot each, null and all others share one, indexed"),
        ({"encode": "index", "unseen": "error"}, "100 most frequent values, null and all others have a slot each, "
         "a value that was never seen is an error, indexed"),
        ({"expand": "polynomial", "params": {"degree": 3}},
         "null becomes the learnt median, with its entry's columns their products, degree 3"),
        ({"near": ("random_projection", 2.0)}, "with its entry's columns hashed by random-projection"),
    ],
)  # fmt: skip
def test_new_words_are_described(words, said):
    assert said in wide(entry("n", **words))["n"].describe()


def test_every_word_has_its_own_entry():
    names = [word.name for word in WORDS]
    assert len(names) == len(set(names))
    for word in WORDS:
        value = word.choice or 1
        assert find_word(word.key, (value, 1) if word.name.endswith("}") else value) is word
        assert word.about.endswith(".")
        assert word.null
        assert isinstance(word.infinity, Infinity)
    assert FITTING.keys() == {key for key in ORDER if key not in MIXING and key != "expr"} | {
        "max_categories",
        "unseen",
        "stop_words",
    }
