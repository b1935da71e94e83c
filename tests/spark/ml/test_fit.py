"""What a fit learns from, what it refuses, and what it remembers."""

from __future__ import annotations

import json

import pytest

from sqlml.errors import DataError, SqlmlError, format_error
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Split
from sqlml.ir.transform_spec import TransformSpec
from sqlml.run.ml.fit import fit_ml_model

PLACE = SourceLocation("m.yml", 9)
FEW = {"maxIter": 2}


def holdout(result):
    return {entry.metric: entry.value for entry in result.metrics if entry.dataset == "holdout"}


def persisted(spark):
    """Return what is persisted; some of Spark's own fits leave something."""
    return set(spark.sparkContext._jsc.getPersistentRDDs())


@pytest.mark.parametrize(
    ("columns", "given", "message"),
    [
        ("* where false", {}, "has no rows to fit on"),
        ("*", {"where": "n > 99"}, "has no rows to fit on"),
        ("*", {"split": Split(by="column", columns=("grade",), holdout_values=("low", "mid", "top"))}, "every row"),
        ("*", {"split": Split(by="column", columns=("grade",), holdout_values=("none",))}, "is empty"),
        ("* except (late), true as late", {}, "has one value in the training rows: True"),
        ("* except (late), cast(null as boolean) as late", {}, "has no rows to fit on"),
        ("* except (late), if(id < 590, late, null) as late", {"null_label": "error"}, "is null in 10 rows"),
        ("*", {"estimator": "GBTClassifier", "label": "grade", "positive": "top"}, "has 3 values: 'low', 'mid', 'top'"),
        ("*", {"label": "at"}, "is of type timestamp, which 'LogisticRegression' cannot learn"),
        ("*", {"label": "amount"}, "values in the hold-out that no training row has"),
        ("* except (late), if(late, 'yes', 'no') as late", {}, "has two values and no 'positive:': 'no', 'yes'"),
        ("* except (late), if(late, 'yes', 'no') as late", {"positive": True}, "is never True, its 'positive:'"),
        ("*", {"label": "grade", "threshold": 0.5}, "'threshold:' is for two classes"),
        ("*", {"label": "grade", "positive": "top"}, "'positive:' is for two classes"),
        ("* except (x), cast(null as double) as x", {}, "feature 'x' of ml model 'm' is null in every training row"),
        ("* except (x), double('NaN') as x", {}, "feature 'x' of ml model 'm' is null in every training row"),
        ("* except (x), if(id % 2 = 0, double('-Infinity'), x) as x", {}, "feature 'x' of ml model 'm' is infinite in"),
        ("* except (colour), cast(null as string) as colour", {}, "feature 'colour' of ml model 'm' is null in every"),
        ("* except (x), array_repeat(1d, cast(1 + id % 2 as int)) as x", {}, "has lengths from 1 to 2"),
        ("* except (x), if(id % 9 = 0, null, array(1d)) as x", {}, "'x' of ml model 'm' is null in some training rows"),
        ("* except (x), array(1d, if(id % 9 = 0, null, 1d)) as x", {}, "holds a null, a NaN or an infinite number"),
        ("* except (amount), if(id = 7, double('NaN'), 1d) as amount",
         {"estimator": "LinearRegression", "label": "amount"}, "is NaN or infinite in 1 row"),
        ("* except (weight), weight - 2 as weight", {"weight": "weight"}, "is null, negative or not"),
        ("* except (weight), 0 as weight", {"weight": "weight"}, "weight 'weight' of ml model 'm' is 0 in every row"),
        ("* except (flag), array_repeat(flag, 2) as flag", {}, "is of type array<boolean>, which has no"),
    ],
)  # fmt: skip
def test_data_that_no_fit_can_use(spark, rows, spec, tmp_path, columns, given, message):
    before = persisted(spark)
    given = dict(given)
    table = spark.sql(
        f"select {columns} from {{rows}}".replace("* where false from {rows}", "* from {rows} where false"), rows=rows
    )
    with pytest.raises(SqlmlError) as caught:
        fit_ml_model(spark, spec(given.pop("estimator", "LogisticRegression"), **given), table, tmp_path / "m")
    assert message in format_error(caught.value)
    assert caught.value.location is not None
    assert not (tmp_path / "m").exists()
    assert persisted(spark) <= before


def test_all_wrong_columns_are_named_at_once(spark, rows, spec, tmp_path):
    table = rows.selectExpr("* except (x, n)", "cast(null as double) as x", "double('Infinity') as n")
    with pytest.raises(SqlmlError) as caught:
        fit_ml_model(spark, spec(), table, tmp_path / "m")
    text = format_error(caught.value)
    assert "'x'" in text
    assert "'n'" in text


def test_a_category_needs_no_more_slots_than_rows(spark, rows, spec, tmp_path):
    table = rows.where("id < 8").selectExpr("*", "cast(id as string) as name")
    ml_model = spec("GBTClassifier", include=("name",), split=Split(by="none"))
    with pytest.raises(DataError, match="category 'name' of ml model 'm' has 10 values, and there are 8 rows"):
        fit_ml_model(spark, ml_model, table, tmp_path / "m")


def test_facts_and_the_added_params(spark, rows, spec, tmp_path):
    table = rows.selectExpr(
        "* except (late)", "if(id < 30, null, if(late, 'yes', 'no')) as late", "concat('v', id % 50) as v"
    )
    ml_model = spec(
        "GBTClassifier", params=FEW, positive="no", where="id < 500", include=("x", "v"),
        split=Split(by="time", columns=("at",), gap_s=3600 * 10), event_time="at",
    )  # fmt: skip
    before = persisted(spark)
    result = fit_ml_model(spark, ml_model, table, tmp_path / "m")
    rows_by_side = {"training": 366, "holdout": 94, "excluded": 10, "null_label": 30}
    assert result.facts["rows"] == rows_by_side
    assert result.rows == 366
    assert result.signature.classes == ("yes", "no")
    assert sum(result.facts["classes"]["training"].values()) == 366
    assert result.facts["params_added"] == {"seed": 42, "maxBins": 52}
    assert result.facts["layout"] == {"partitions": 1, "keys": ["id"]}
    json.dumps(dict(result.facts))
    assert persisted(spark) <= before
    names = {(entry.dataset, entry.metric) for entry in result.metrics}
    assert {("training", "areaUnderROC"), ("holdout", "logLoss"), ("holdout", "precision")} <= names


def test_without_a_split_only_the_training_rows_are_measured(spark, rows, spec, tmp_path):
    result = fit_ml_model(spark, spec(params=FEW, split=Split(by="none")), rows, tmp_path / "m")
    assert {entry.dataset for entry in result.metrics} == {"training"}
    assert result.rows == 600


def test_transforms_learn_from_training_rows_only(spark, rows, spec, tmp_path):
    split = Split(by="column", columns=("grade",), holdout_values=("top",))
    ml_model = spec(
        "LinearRegression", label="amount", params=FEW, split=split,
        transforms=(TransformSpec(columns=("x", "n"), location=PLACE, scale="standard"),),
    )  # fmt: skip
    changed = rows.selectExpr(
        "* except (x, n, colour)",
        "if(grade = 'top', 1e6, x) as x",
        "if(grade = 'top', 10000, n) as n",
        "if(grade = 'top', 'other', colour) as colour",
    )
    kept, moved = (
        fit_ml_model(spark, ml_model, table, tmp_path / name) for name, table in (("a", rows), ("b", changed))
    )
    assert kept.signature.slots == moved.signature.slots
    for stage in sorted((tmp_path / "a" / "pipeline" / "stages").iterdir()):
        if "SQLTransformer" in stage.name or not (stage / "data").exists():
            continue
        other = next((tmp_path / "b" / "pipeline" / "stages").glob(f"{stage.name.split('_')[0]}_*"))
        assert spark.read.parquet(f"{stage}/data").collect() == spark.read.parquet(f"{other}/data").collect()
    assert [m for m in kept.metrics if m.dataset == "training"] == [m for m in moved.metrics if m.dataset == "training"]


def test_a_shuffled_label_brings_the_area_to_a_half(spark, rows_of, spec, tmp_path):
    table = rows_of(4000).selectExpr("* except (late)", "pmod(xxhash64(id, 77), 2) = 1 as late")
    result = fit_ml_model(spark, spec(params={"maxIter": 5}), table, tmp_path / "m")
    # Three standard deviations of the area of about 400 positive and 400 negative rows.
    assert abs(holdout(result)["areaUnderROC"] - 0.5) < 0.062


def test_every_kind_of_transform(spark, rows, spec, tmp_path):
    from pyspark.ml import PipelineModel

    table = rows.selectExpr(
        "*", "array(x, n) as `a b`", "cast(n as string) as `it's.odd`", "flag as `se``lect`"
    ).na.fill(0, ["a b"])
    table = table.selectExpr("* except (`a b`)", "array(coalesce(x, 0), n) as `a b`")
    entry = lambda *columns, **words: TransformSpec(columns=columns, location=PLACE, **words)  # noqa: E731
    transforms = (
        entry("x", impute=7, scale="robust", params={"withCentering": True}),
        entry("n", encode="one_hot", max_categories=2, impute="mode", params={"dropLast": True}),
        entry("flag", impute=True, scale="min_max"),
        entry("a b", scale="max_abs"),
        entry("colour", encode="index", impute="unknown"),
        entry("it's.odd", encode="one_hot", impute="mode", max_categories=1),
        entry("se`lect", encode="index"),
    )
    features = ("x", "n", "flag", "a b", "colour", "it's.odd", "se`lect")
    result = fit_ml_model(spark, spec(include=features, transforms=transforms, params=FEW), table, tmp_path / "m")
    slots = result.signature.slots
    assert slots[:4] == ("x", "flag", "a b[0]", "a b[1]")
    assert len([slot for slot in slots if slot.startswith("n=")]) == 2
    assert slots[-4:] == ("colour", slots[-3], "it's.odd=<other>", "se`lect")
    loaded = PipelineModel.load(f"file://{tmp_path}/m/pipeline")
    row = loaded.transform(table).select("features").first()
    assert row.features.size == len(slots)


def test_metrics_are_those_of_sparks_evaluators(spark, rows, spec, tmp_path):
    from pyspark.ml import PipelineModel
    from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator

    result = fit_ml_model(spark, spec(params=FEW), rows, tmp_path / "m")
    held = rows.where("pmod(xxhash64(id, 42), 10000) < 2000").selectExpr("*", "cast(late as double) as label")
    scored = PipelineModel.load(f"file://{tmp_path}/m/pipeline").transform(held).persist()
    found = holdout(result)
    for name in ("areaUnderROC", "areaUnderPR"):
        assert found[name] == pytest.approx(
            BinaryClassificationEvaluator(metricName=name, numBins=0).evaluate(scored), abs=1e-12
        )
    same = ("weightedTruePositiveRate", "weightedFalsePositiveRate", "weightedFMeasure", "hammingLoss")
    for name in ("accuracy", "logLoss", "weightedPrecision", "weightedRecall", *same):
        assert found[name] == pytest.approx(
            MulticlassClassificationEvaluator(metricName=name).evaluate(scored), abs=1e-12
        )
    for mine, theirs in (("f1", "fMeasureByLabel"), ("precision", "precisionByLabel"), ("recall", "recallByLabel")):
        evaluator = MulticlassClassificationEvaluator(metricName=theirs, metricLabel=1.0)
        assert found[mine] == pytest.approx(evaluator.evaluate(scored), abs=1e-12)
    weighted = MulticlassClassificationEvaluator(metricName="f1").evaluate(scored)
    assert found["weightedFMeasure"] == pytest.approx(weighted, abs=1e-12)
    scored.unpersist()
