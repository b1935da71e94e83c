"""Features that no word can learn from: each is an error that names it, before Spark trains; some only warn."""

from __future__ import annotations

import pytest

from sqlml.errors import SqlmlError, format_error
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import Split
from sqlml.ir.transform_spec import TransformSpec
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import score

FEW = {"maxIter": 2}
NO_SPLIT = Split(by="none")
PLACES = Places(SourceLocation("m.yml", 1), {"training_data": SourceLocation("m.yml", 2)})


def entry(*columns, **words):
    return TransformSpec(columns=columns, location=SourceLocation("m.yml", 7), **words)


def spec_of(spec, *entries, include=("x", "n"), **given):
    usual = {"params": FEW, "split": NO_SPLIT, "places": PLACES} | given
    return spec(usual.pop("estimator", "LogisticRegression"), include=include, transforms=entries, **usual)


BAD = {
    "null in every row": (
        "cast(null as double) as x", [], "feature 'x' of ml model 'm' is null in every training row\n  --> m.yml:1\n"
        "  fix: leave it out with features: {exclude: [x]}",
    ),
    "infinite": (
        "if(id = 5, double('Infinity'), 1d * id) as x", [],
        "feature 'x' of ml model 'm' is infinite in 1 training row\n  --> m.yml:1\n"
        "  fix: make it finite in the SQL, or clip it",
    ),
    "infinite mean": (
        "if(id = 5, double('Infinity'), 1d * id) as x", [entry("x", impute="mean", clip=(0.0, 5.0))],
        "feature 'x' of ml model 'm' is infinite in 1 training row\n  --> m.yml:1\n"
        "  fix: make it finite in the SQL, or clip it",
    ),
    "arrays of several lengths": (
        "array_repeat(1d, cast(1 + id % 3 as int)) as x", [], "feature 'x' of ml model 'm' has lengths from 1 to 3\n"
        "  --> m.yml:1\n  fix: it needs one length",
    ),
    "arrays of nothing": (
        "cast(array() as array<double>) as x", [], "feature 'x' of ml model 'm' is empty in every training row\n"
        "  --> m.yml:1\n  fix: leave it out with features: {exclude: [x]}",
    ),
    "an infinite product": (
        "1e200 * id as x", [entry("x", "n", expand="polynomial")],
        "the transforms of ml model 'm' make NaN or infinite numbers of 'x^2' (39 rows)\n  --> m.yml:1\n"
        "  fix: make the features smaller: clip or scale them in the SQL",
    ),
    "no pattern": (
        "'a b' as x", [entry("x", text="counts", params={"pattern": "["})],
        "the param 'pattern' of 'x' is no regular expression: Unclosed character class near index 0\n  --> m.yml:7\n"
        "  fix: see java.util.regex.Pattern",
    ),
    "an infinite slot": (
        "array(1d, if(id = 7, double('-Infinity'), 2d)) as x", [],
        "feature 'x' of ml model 'm' holds a null, a NaN or an infinite number in 1 training row\n  --> m.yml:1\n"
        "  fix: make it finite in the SQL",
    ),
    "no word": (
        "if(id = 3, '   ', '') as x", [entry("x", text="counts")],
        "feature 'x' has no word left to count in the training rows\n  --> m.yml:7\n"
        "  fix: look at its stop_words, minDF, maxDF, minTokenLength and pattern, or leave it out",
    ),
    "stop words alone": (
        "'the and a' as x", [entry("x", text="tf_idf", stop_words="english")],
        "feature 'x' has no word left to count in the training rows\n  --> m.yml:7\n"
        "  fix: look at its stop_words, minDF, maxDF, minTokenLength and pattern, or leave it out",
    ),
    "no frequent word": (
        "concat('w', id) as x", [entry("x", text="word2vec", params={"minCount": 2})],
        "feature 'x' has no word that stands 2 times in the training rows\n  --> m.yml:7\n"
        "  fix: lower minCount, or leave it out",
    ),
    "negative values for chi-square": (
        "id - 5 as x", [entry("x", "n", select=("chi_square", 1))],
        "'select: {chi_square: …}' takes each value of 'x' for a category, and it has negative ones\n  --> m.yml:7\n"
        "  fix: cut it into ranges with bucket: or quantiles:, encode it, or write select: {univariate: …}",
    ),
    "too many values for chi-square": (
        "id as x", [entry("x", "n", select=("chi_square", 1))],
        "'select: {chi_square: …}' takes each value of 'x' for a category, and it has 10050 values, more than 10000\n"
        "  --> m.yml:7\n"
        "  fix: cut it into ranges with bucket: or quantiles:, encode it, or write select: {univariate: …}",
    ),
    "too many components": (
        "id as x", [entry("x", "n", reduce=("pca", 3))],
        "'reduce: {pca: 3}' of 'x', 'n' has 2 slots to reduce\n  --> m.yml:7\n  fix: write 2 or less",
    ),
    "nothing selected": (
        "id % 2 as x", [entry("x", "n", select=("variance", 1e9))],
        "'select: {variance: 1e+09}' leaves no slot of 'x', 'n'\n  --> m.yml:7\n"
        "  fix: lower what it asks for, or leave it out",
    ),
    "no such slot": (
        "id as x", [entry("x", "n", select=("slots", ("x", "m")))],
        "'select: {slots: …}' of 'x', 'n' names slot 'm', which is none\n  --> m.yml:7\n  fix: there are: n, x",
    ),
    "no such position": (
        "id as x", [entry("x", "n", select=("slots", (2,)))],
        "'select: {slots: …}' of 'x', 'n' names slot '2', which is none\n  --> m.yml:7\n  fix: there are 2, from 0",
    ),
    "too few factors": (
        "id as x", [entry("x", "n", multiply=(2.0,))],
        "'multiply' of 'x', 'n' has 1 factors for 2 slots\n  --> m.yml:7\n  fix: write one for each of: x, n",
    ),
    "too many products": (
        "array_repeat(1d, 200) as x", [entry("x", expand="polynomial")],
        "the products of 'x' are 20300 slots, more than 10000\n  --> m.yml:7\n"
        "  fix: name fewer columns, or lower their max_categories or the degree",
    ),
    "a sum as expression": (
        "id as x", [entry("x", expr="sum({column})")],
        "the expr: of 'x' cannot be computed: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_a_word_cannot_learn_from(spark, spec, rows_of, tmp_path, case):
    column, entries, message = BAD[case]
    table = rows_of(10_050 if "too many values" in case else 40).selectExpr("* except (x)", column)
    before = set(spark.sparkContext._jsc.getPersistentRDDs())
    with pytest.raises(SqlmlError) as caught:
        fit_ml_model(spark, spec_of(spec, *entries), table, tmp_path / "m")
    text = format_error(caught.value).removeprefix("error: ")
    assert text == message or (message.endswith(": ") and text.startswith(message))
    assert not (tmp_path / "m").exists()
    assert set(spark.sparkContext._jsc.getPersistentRDDs()) <= before


def test_words_that_learn_from_the_label(spark, spec, rows_of, tmp_path):
    table = rows_of(60)
    target = spec_of(spec, entry("colour", encode="target"), include=("colour",), label="grade")
    with pytest.raises(SqlmlError) as caught:
        fit_ml_model(spark, target, table, tmp_path / "m")
    assert format_error(caught.value) == (
        "error: 'encode: target' of 'colour' needs a label that is a number or of two classes; there are 3 classes\n"
        "  --> m.yml:7\n  fix: take encode: one_hot or index"
    )
    selected = spec_of(
        spec, entry("n", select=("chi_square", 1)), include=("n",), label="amount", estimator="LinearRegression"
    )
    with pytest.raises(SqlmlError) as caught:
        fit_ml_model(spark, selected, table, tmp_path / "m")
    assert format_error(caught.value) == (
        "error: 'select: {chi_square: …}' of 'n' needs classes, and the label is a number\n"
        "  --> m.yml:7\n  fix: write select: {univariate: …}"
    )


def test_infinity_where_a_word_takes_it(spark, spec, rows_of, tmp_path):
    """It is clipped, cut into ranges, binarized; and a feature with one value warns."""
    table = rows_of(60).selectExpr(
        "* except (x, n)", "if(id = 5, double('Infinity'), 1d * id) as x", "7 as n",
        "if(id % 2 = 0, double('-Infinity'), 1d * id) as y", "if(id = 9, double('Infinity'), 1d * id) as z",
        "if(id % 3 = 0, null, 'one') as told", "0d as p", "0 as q",
    )  # fmt: skip
    entries = (entry("x", clip=(0.0, 30.0)), entry("y", bucket=(0.0, 10.0)), entry("z", binarize=20.0))
    # Of two slots that are 0 everywhere there is a hash, too.
    entries = (*entries, entry("p", "q", near=("min_hash", 2)))
    ml_model = spec_of(spec, *entries, include=("x", "n", "y", "z", "told", "p", "q"))
    result = fit_ml_model(spark, ml_model, table, tmp_path / "m")
    assert result.signature.slots[:5] == ("x", "n", "y=(-inf,0)", "y=[0,10)", "y=[10,inf)")
    # Where null has a slot of its own, one value and null are two.
    warnings = [f"feature '{name}' has one value in all training rows" for name in ("n", "p", "q")]
    assert result.facts["warnings"] == warnings
    assert result.signature.slots[-2:] == ("min_hash_0", "min_hash_1")
    scored = read_pipeline(tmp_path / "m").transform(table).orderBy("id")
    row = scored.where("id = 5").select("features").first()
    assert row.features.toArray()[0] == 30.0


def test_ten_thousand_categories(spark, spec, rows_of, tmp_path):
    """The hundred most frequent have a slot; a tree needs bins for them, and says so."""
    table = rows_of(20_000).selectExpr(
        "*", "if(id % 9 = 0, '<other>', cast(pmod(xxhash64(id, 7), 10000) as string)) as many"
    )
    ml_model = spec_of(spec, include=("many",))
    result = fit_ml_model(spark, ml_model, table, tmp_path / "one_hot")
    assert len(set(result.signature.slots)) == len(result.signature.slots) == 102
    assert result.signature.slots[-2:] == ("many=<null>", "many=<other>")
    trees = spec_of(
        spec, include=("many", "x"), estimator="RandomForestClassifier", params={"numTrees": 1, "maxDepth": 2}
    )
    result = fit_ml_model(spark, trees, table, tmp_path / "trees")
    assert result.facts["params_added"]["maxBins"] == 102


def test_an_array_of_another_length_stops_a_prediction_by_name(spark, spec, rows_of, tmp_path):
    from pyspark.errors import PySparkException

    table = rows_of(40).selectExpr("id", "late", "array(1d * id, 2d) as a", "colour")
    ml_model = spec_of(spec, entry("colour", encode="index", unseen="error"), include=("a", "colour"))
    result = fit_ml_model(spark, ml_model, table, tmp_path / "m")
    fitted = read_pipeline(tmp_path / "m")
    for columns, message in (
        ("array(1d) as a, 'red' as colour", "feature 'a' needs arrays of length 2"),
        ("array(1d, 2d, 3d) as a, 'red' as colour", "feature 'a' needs arrays of length 2"),
        ("array(1d, 2d) as a, 'no such' as colour", "feature 'colour' has a value that no training row has: no such"),
    ):
        scored = score(fitted, result.signature, spark.sql(f"select {columns}"))
        with pytest.raises(PySparkException, match=message):
            scored.collect()
    (row,) = score(
        fitted, result.signature, spark.sql("select array(1d, 2d) as a, cast(null as string) as colour")
    ).collect()
    assert 0 < row.probability < 1
