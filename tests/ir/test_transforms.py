"""Which columns are features and what is done to them; no JVM."""

from __future__ import annotations

import pytest

from sqlml.errors import ErrorList, SqlmlError, format_error
from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.features import feature_names
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import MlModel, Split, TransformSpec
from sqlml.ir.state import Column
from sqlml.ir.transforms import choose_transforms

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


def chosen(columns=COLUMNS, **given):
    ml_model = spec(**given)
    transforms = choose_transforms(columns, ml_model, ESTIMATORS[ml_model.estimator])
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
    assert (found["Distance"].impute, found["Distance"].scale) == ("median", scale)
    assert (found["is_weekend"].impute, found["is_weekend"].scale) == ("median", None)
    assert (found["carrier"].impute, found["carrier"].encode, found["carrier"].max_categories) == (None, encode, 100)


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
    assert (found["Distance"].impute, found["Distance"].scale) == ("mean", "min_max")
    # `scale` does not fit a category, and the star passes over it.
    assert (found["carrier"].impute, found["carrier"].scale) == ("mode", None)


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
        ("a", {"encode": "index"}),
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
    assert (found["Distance"].encode, found["Distance"].max_categories, found["Distance"].impute) == (
        "one_hot",
        3,
        "mode",
    )
    assert (found["carrier"].impute, found["carrier"].fill) == (None, "none at all")
    assert (found["is_weekend"].fill, found["is_weekend"].scale) == (False, "standard")
    assert found["is_weekend"].params == {"scale": {"withMean": True}}


def test_params_are_checked():
    text = errors(transforms=(entry("distance", scale="robust", params={"withMen": 1}),))
    assert "no stage of this transform has a param 'withMen'" in text


def test_all_errors_come_at_once():
    with pytest.raises(ErrorList) as caught:
        chosen(
            (*COLUMNS, Column("d", "date")), transforms=(entry("carrier", scale="standard"), entry("nope", impute=1))
        )
    assert len(caught.value.errors) == 3
