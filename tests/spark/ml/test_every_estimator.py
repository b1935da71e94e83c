"""Every estimator of the registry, fitted, saved, loaded in a process without sqlml, and equal to Spark ML by hand.

An entry counts when it has a case here: two params at least that are not Spark's default, rows with nulls and a
category never seen, predictions equal to 1e-9, and tables whose rows carry the features' names.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace

import by_hand
import numpy as np
import pytest
from brute_force import shapley_values
from pyspark.ml.linalg import DenseMatrix, DenseVector

from sqlml.compile.ml_models import expect_signature
from sqlml.compile.readable import Readable
from sqlml.compile.types import parse_type
from sqlml.errors import DataError, format_error
from sqlml.ir.estimators import ESTIMATORS, Family, Problem, Returns, find_estimator
from sqlml.ir.explanations import EXPLANATIONS
from sqlml.ir.location import SourceLocation
from sqlml.ir.outputs import as_returned_by, output_columns
from sqlml.ir.project import Split
from sqlml.ir.transform_spec import TransformSpec
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.contributions.explainer import Making, make_explainer
from sqlml.run.ml.contributions.read_trees import read_trees
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import score

TOLERANCE = 1e-9
ROWS = 200
NO_SPLIT = Split(by="none")
ENTRIES = (TransformSpec(columns=("colour",), location=SourceLocation("m.yml", 9), max_categories=3),)
LABELS = {
    "late": "cast(late as double)",
    "grade": "case grade when 'low' then 0d when 'mid' then 1d else 2d end",
}
MORE = (
    "array(cast(coalesce(x, 0) as int), n, cast(amount + 10 as int), weight) as words",
    "array(coalesce(x, 0), n) as pair",
    "1 + coalesce(x, 3) + n / 10 as days",
    "cast(coalesce(x, 2) as int) as visits",
    "id % 5 != 0 as happened",
    "ln(1 + n / 10) as exposure",
)
USUAL = ("x", "n", "flag", "colour")


@dataclass(frozen=True)
class Case:
    """An ML model and what is different about it by hand.

    Attributes:
        hand: params by hand where they are not the spec's.
        columns: params that name columns by hand.
        features: the usual four, or one array with its length.
        tolerance: absolute and relative.
    """

    estimator: str
    params: dict
    label: str | None = None
    spec: dict = field(default_factory=dict)
    hand: dict = field(default_factory=dict)
    columns: dict = field(default_factory=dict)
    features: tuple = USUAL
    tolerance: float = TOLERANCE

    @property
    def entry(self):
        return ESTIMATORS[self.estimator]


TREE = {"maxDepth": 3, "minInstancesPerNode": 3, "seed": 5}
GRADE, LATE, AMOUNT = {"label": "grade"}, {"label": "late"}, {"label": "amount"}
WEIGHTED = {"spec": {"weight": "weight"}, "columns": {"weightCol": "weight"}}
HALF = {"spec": {"threshold": 0.3}, "hand": {"thresholds": [0.7, 0.3]}}
ONE = {"impurity": "entropy"}
INF = float("inf")

CASES = {
    "logistic": Case(
        "LogisticRegression", {"regParam": 0.02, "elasticNetParam": 0.3}, "late",
        {"threshold": 0.4}, {"threshold": 0.4},
    ),
    "multinomial": Case("LogisticRegression", {"regParam": 0.01, "maxIter": 25}, "grade", **WEIGHTED),
    "bounded": Case(
        "LogisticRegression",
        {"upperBoundsOnCoefficients": {"x": 0, "colour": [0, 1, 2]}, "lowerBoundsOnIntercepts": [-1, 0, 0.5]}, "grade",
        hand={
            "upperBoundsOnCoefficients": DenseMatrix(
                3, 8, [number for most in (0.0, 1.0, 2.0) for number in (0.0, INF, INF, *[most] * 5)], isTransposed=True
            ),
            "lowerBoundsOnIntercepts": DenseVector([-1, 0, 0.5]),
        },
    ),
    "svc": Case("LinearSVC", {"regParam": 0.1, "maxIter": 20, "threshold": 0.1}, "late", **WEIGHTED),
    "tree": Case("DecisionTreeClassifier", TREE | ONE, "grade", **WEIGHTED),
    "forest": Case("RandomForestClassifier", TREE | {"numTrees": 3}, "late", **HALF),
    "boosted": Case("GBTClassifier", TREE | {"maxIter": 3}, "late", **HALF),
    "bayes": Case(
        "NaiveBayes", {"smoothing": 0.5, "thresholds": [0.2, 0.3, 0.5]}, "grade", **WEIGHTED, features=("words", 4)
    ),
    "complement": Case("NaiveBayes", {"smoothing": 0.5, "modelType": "complement"}, "grade", features=("words", 4)),
    "bernoulli": Case(
        "NaiveBayes", {"smoothing": 0.5, "modelType": "bernoulli"}, "grade", {"include": ("colour", "flag")}
    ),
    "gaussian": Case("NaiveBayes", {"thresholds": [0.2, 0.3, 0.5], "modelType": "gaussian"}, "grade"),
    "network": Case(
        "MultilayerPerceptronClassifier", {"hiddenLayers": [4, 3], "maxIter": 15, "seed": 5, "tol": 1e-4}, "grade",
        hand={"layers": [8, 4, 3, 3], "maxIter": 15, "seed": 5, "tol": 1e-4},
    ),
    "machine": Case(
        "FMClassifier", {"factorSize": 3, "maxIter": 10, "stepSize": 0.1, "seed": 5}, "late", **HALF
    ),
    "one_vs_rest": Case(
        "OneVsRest", {"classifier": "LinearSVC", "regParam": 0.1, "maxIter": 10, "parallelism": 2}, "grade", **WEIGHTED
    ),
    "boosted_for_many": Case("OneVsRest", {"classifier": "GBTClassifier", "maxIter": 2, "maxDepth": 2}, "grade"),
    "linear": Case("LinearRegression", {"regParam": 0.1, "elasticNetParam": 0.5}, "amount", **WEIGHTED),
    "squares": Case("LinearRegression", {"fitIntercept": False, "solver": "normal"}, "amount"),
    "poisson": Case(
        "GeneralizedLinearRegression", {"family": "poisson", "maxIter": 20, "link": "log"}, "visits",
        {"weight": "weight", "offset": "exposure"}, columns={"weightCol": "weight", "offsetCol": "exposure"},
    ),
    "gamma": Case("GeneralizedLinearRegression", {"family": "gamma", "link": "log", "regParam": 0.01}, "days"),
    "regression_tree": Case("DecisionTreeRegressor", TREE, "amount"),
    "regression_forest": Case("RandomForestRegressor", TREE | {"numTrees": 3}, "amount", **WEIGHTED),
    "regression_boosted": Case("GBTRegressor", TREE | {"maxIter": 3}, "amount"),
    "isotonic": Case(
        "IsotonicRegression", {"isotonic": False, "featureIndex": 1}, "amount", **WEIGHTED, features=("pair", 2)
    ),
    "regression_machine": Case("FMRegressor", {"factorSize": 3, "maxIter": 10, "seed": 5}, "amount"),
    "survival": Case(
        "AFTSurvivalRegression", {"quantileProbabilities": [0.1, 0.5], "maxIter": 30}, "days",
        {"censor": "happened"}, columns={"censorCol": "happened", "quantilesCol": "predictionQuantiles"},
    ),
    "means": Case("KMeans", {"k": 3, "seed": 5, "maxIter": 7}, **WEIGHTED),
    "cosine": Case("KMeans", {"k": 3, "seed": 5, "distanceMeasure": "cosine"}, features=("words", 4)),
    "bisecting": Case("BisectingKMeans", {"k": 3, "seed": 5, "maxIter": 7}),
    "mixture": Case("GaussianMixture", {"k": 3, "seed": 5, "maxIter": 7}, features=("pair", 2)),
    "topics": Case("LDA", {"k": 2, "seed": 5, "maxIter": 5}, features=("words", 4)),
    # Spark draws where its topics start in the order in which rows happen to come: two fits of it differ.
    "topics_by_em": Case("LDA", {"k": 3, "seed": 5, "optimizer": "em"}, features=("words", 4), tolerance=0.01),
}  # fmt: skip


# One of each kind is fitted whenever tests run, the others with --long.
ALWAYS = ("logistic", "forest", "linear", "survival", "means", "topics")
NAMES = [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.long) for name in CASES]


def test_every_estimator_has_a_case():
    # Those without features are in `test_recommendations.py`.
    assert {case.estimator for case in CASES.values()} == {e.name for e in ESTIMATORS.values() if e.reads_features}
    kinds = {case.params.get("modelType", "multinomial") for case in CASES.values() if case.estimator == "NaiveBayes"}
    assert kinds == {"multinomial", "complement", "bernoulli", "gaussian"}


@pytest.fixture(scope="module")
def table(spark, rows):
    """The training rows. To compile what Spark makes of a query takes longer than to run it on so few."""
    usual = spark.conf.get("spark.sql.codegen.wholeStage")
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    yield rows.where(f"id < {ROWS}").selectExpr("*", *MORE).coalesce(1).persist()
    spark.conf.set("spark.sql.codegen.wholeStage", usual)


@pytest.fixture(scope="module")
def new_rows(spark, table):
    """Rows to score: some of the table, and others with nulls everywhere and a category never seen; no label."""
    inputs = ["id", *USUAL, "words", "pair", "exposure"]
    some = table.where("id < 20").select(inputs)
    odd = table.where("id < 5").selectExpr(
        "-1 - id as id",
        *[f"if(id % 2 = 0, null, {name}) as {name}" for name in ("x", "n", "flag")],
        "if(id % 2 = 0, 'never seen', null) as colour",
        "words",
        "pair",
        "exposure",
    )
    return spark.createDataFrame(some.unionAll(odd).collect(), some.schema).coalesce(1).persist()


@pytest.fixture(scope="module")
def fitted(request, spark, table, new_rows, make_spec, tmp_path_factory):
    """Every case that is tested, fitted and saved by sqlml, then loaded and applied in one other process."""
    tests = [item for item in request.session.items if item.module is request.module]
    wanted = {item.callspec.params["name"] for item in tests if hasattr(item, "callspec")} or {*CASES}
    folder = tmp_path_factory.mktemp("cases")
    new_rows.write.parquet(str(folder / "rows"))
    results = {}
    for name, case in ((name, CASES[name]) for name in CASES if name in wanted):
        include = case.features if len(case.features) == 4 else case.features[:1]
        given = {"include": include, "label": case.label, "params": case.params, "split": NO_SPLIT, **case.spec}
        if "colour" in given["include"]:
            given["transforms"] = ENTRIES
        results[name] = fit_ml_model(spark, make_spec(case.estimator, **given), table, folder / name)
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    subprocess.run([sys.executable, by_hand.__file__, str(folder)], check=True, env=environment)
    return folder, results


def hand_estimator(case):
    """Return the estimator as one writes it without sqlml."""
    params = (case.hand if "layers" in case.hand else case.params | case.hand) | case.columns
    if case.label is not None:
        params["labelCol"] = "label"
    cls = getattr(importlib.import_module(case.entry.module), case.estimator)
    if case.estimator == "OneVsRest":
        inner = getattr(importlib.import_module(case.entry.module), params.pop("classifier"))
        outer = {key: params.pop(key) for key in ("parallelism", "labelCol", "weightCol") if key in params}
        seed = {"seed": 42} if "seed" in inspect.signature(inner).parameters else {}
        return cls(classifier=inner(**seed, **params), **outer)
    thresholds = params.pop("thresholds", None)
    made = cls(**params)
    return made.setThresholds(thresholds) if thresholds else made


def hand_features(case):
    """Return what decides the feature stages of a case: the encoding and whether numbers are scaled, or an array."""
    if "include" in case.spec:
        return "categories", False
    if len(case.features) == 2:
        return case.features
    is_tree = any(name in f"{case.estimator} {case.params}" for name in ("Tree", "Forest", "GBT"))
    return "index" if is_tree else "one_hot", case.entry.family.is_scaled


def hand_stages(features, training):
    from pyspark.ml import Pipeline

    kind, more = features
    if kind in ("words", "pair"):
        stages = by_hand.array_stages(kind, more)
    elif kind == "categories":
        # Without the numbers, which Bernoulli's naive Bayes cannot read.
        stages = by_hand.usual_stages(training, "one_hot", scaled=False)
        stages[-1].setInputCols(["colour3", "flag2"])
    else:
        stages = by_hand.usual_stages(training, kind, more)
    return Pipeline(stages=stages).fit(training)


def same(left, right, tolerance=TOLERANCE):
    if isinstance(left, list):
        return len(left) == len(right) and all(same(a, b, tolerance) for a, b in zip(left, right, strict=True))
    if isinstance(left, float):
        return left == pytest.approx(right, abs=tolerance, rel=tolerance, nan_ok=True)
    return left == right


@pytest.fixture(scope="module")
def hand_made(table, new_rows):
    """Return a maker of a case's rows by hand: to fit on and to predict, made once for all cases that share them."""
    from pyspark.sql import functions as sf

    made = {}
    roles, labels = ("happened", "exposure", "weight"), {case.label for case in CASES.values() if case.label}
    training = by_hand.lay_out(table)
    for column in roles:
        training = training.withColumn(column, sf.col(column).cast("double"))
    training = training.persist()

    def hand_made(case):
        key = hand_features(case)
        if key not in made:
            stages = hand_stages(key, training)
            to_fit = stages.transform(training).select("id", "features", *roles, *labels)
            made[key] = (to_fit.persist(), stages.transform(new_rows).select("id", "features", "exposure").persist())
        return made[key]

    return hand_made


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_of_spark_ml_by_hand(fitted, hand_made, new_rows, spark, name):
    from pyspark.sql import functions as sf

    folder, results = fitted
    case = CASES[name]
    saved = json.loads((folder / name / "predictions.json").read_text())
    to_fit, to_predict = hand_made(case)
    label = sf.expr(LABELS.get(case.label, case.label or "0")).cast("double").alias("label")
    plain = by_hand.plain_rows(hand_estimator(case).fit(to_fit.select("*", label)).transform(to_predict))
    assert len(saved) == new_rows.count() == 25
    for key, row in plain.items():
        assert saved[key].keys() == row.keys()
        for column, value in row.items():
            assert same(saved[key][column], value, CASES[name].tolerance), (key, column)
    result = results[name]
    scored = score(read_pipeline(folder / name), result.signature, new_rows)
    added = [column.name for column in result.signature.outputs]
    assert scored.columns == [*new_rows.columns, *added]
    outputs = result.signature.outputs
    assert scored.dtypes[-len(outputs) :] == [(column.name, column.type) for column in outputs]
    for row in scored.collect():
        assert not [column.name for column in outputs if row[column.name] is None and not column.is_nullable]
        check_outputs(CASES[name], result.signature, row, saved[str(row.id)])


def check_outputs(case, signature, row, plain):
    """Compare a row of sqlml's predictions with the columns of Spark ML."""
    returns, classes = case.entry.returns, signature.classes
    found = row.asDict()
    if case.entry.problem is Problem.CLASSIFICATION:
        assert found[f"predicted_{case.label}"] == classes[int(plain["prediction"])]
        by_class = plain["probability" if returns is Returns.PROBABILITIES else "rawPrediction"]
        names = ("probability",) if returns is Returns.PROBABILITIES else ("score",)
        if len(classes) == 2:
            assert same(found[names[0]], by_class[1])
        else:
            one, many = ("confidence", "probabilities") if names == ("probability",) else ("score", "scores")
            assert same(found[one], max(by_class))
            assert same([found[many][text] for text in classes], by_class)
    elif case.entry.problem is Problem.REGRESSION:
        assert same(found[f"predicted_{case.label}"], plain["prediction"])
        if returns is Returns.QUANTILES:
            assert same([found["quantiles"]["0.1"], found["quantiles"]["0.5"]], plain["predictionQuantiles"])
    elif returns is Returns.TOPICS:
        shares = plain["topicDistribution"]
        assert found["cluster"] == shares.index(max(shares))
        assert same([found["probabilities"][topic] for topic in range(len(shares))], shares)
    else:
        assert found["cluster"] == plain["prediction"]
        if returns is Returns.MIXTURE:
            assert same([found["probabilities"][cluster] for cluster in range(3)], plain["probability"])
        else:
            assert found["distance"] >= 0


# What the contributions of a row add up to, by the columns of its prediction and of Spark's.
LOG_ODDS = "ln(probability / (1 - probability))"
MARGINS = {
    "logistic": LOG_ODDS,
    "multinomial": "rawPrediction[cast(prediction as int)]",
    "bounded": "rawPrediction[cast(prediction as int)]",
    "svc": "score",
    "tree": "probabilities[predicted_grade]",
    "forest": "probability",
    "boosted": LOG_ODDS,
    "one_vs_rest": "score",
    "boosted_for_many": "score",
    "linear": "predicted_amount",
    "squares": "predicted_amount",
    "poisson": "ln(predicted_visits)",
    "gamma": "ln(predicted_days)",
    "regression_tree": "predicted_amount",
    "regression_forest": "predicted_amount",
    "regression_boosted": "predicted_amount",
    "survival": "ln(predicted_days)",
}


def test_every_estimator_with_a_margin_is_explained():
    assert MARGINS.keys() == {name for name, case in CASES.items() if case.entry.margin}


@pytest.mark.parametrize("name", [name for name in NAMES if getattr(name, "values", (name,))[0] in MARGINS])
def test_rows_are_explained_by_the_shapley_values_of_their_margin(fitted, new_rows, table, spark, name, tmp_path):
    import shap
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    folder, results = fitted
    signature, pipeline = results[name].signature, read_pipeline(folder / name)
    explainer = make_explainer(Making(spark, pipeline, signature, folder / name, tmp_path))
    plain = pipeline.transform(new_rows)
    vectors = [column for column in ("features", "rawPrediction") if column in plain.columns]
    plain = plain.select("id", "prediction", *[vector_to_array(column).alias(column) for column in vectors])
    scored = score(pipeline, signature, new_rows, explained=(explainer, 2))
    rows = scored.join(plain, "id").withColumn("margin", sf.expr(MARGINS[name])).collect()
    assert len(rows) == 25
    model = pipeline.stages[-1]
    trees = (
        read_trees(next((folder / name / "pipeline/stages").glob("*_" + model.uid)))
        if CASES[name].entry.family is Family.TREE
        else []
    )
    seen = np.array([row.features.toArray() for row in pipeline.transform(table).collect()])
    background = shap.maskers.Independent(seen, max_samples=len(seen))
    for row in rows:
        first, second = row.explanation
        assert abs(first.contribution) >= abs(second.contribution)
        assert first.value == spark_text(row[first.feature])
        assert same(row.base_value + first.contribution + second.contribution + row.other_contributions, row.margin)
        if trees:
            output = int(row.prediction) if name == "tree" else 0
            by_slot = shapley_values(trees, row.features)[:, output]
        elif (linear := linear_predictor(model, int(row.prediction))) is not None:
            by_slot = shap.LinearExplainer(linear, background).shap_values(np.array(row.features))
        else:
            continue
        by_feature = {
            feature.name: sum(
                by_slot[at] for at, sources in enumerate(signature.slot_features) if feature.name in sources
            )
            for feature in signature.features
        } | ({"exposure": row.exposure} if signature.roles.get("offset") else {})
        for shown in row.explanation:
            assert same(shown.contribution, float(by_feature.pop(shown.feature)))
        assert max(map(abs, by_feature.values())) <= abs(second.contribution) + TOLERANCE
        assert same(row.other_contributions, float(sum(by_feature.values())))


def linear_predictor(model, predicted):
    """Return coefficients and intercept of a margin; None: that of several models, or of trees."""
    if hasattr(model, "coefficientMatrix") and model.coefficientMatrix.numRows > 1:
        return model.coefficientMatrix.toArray()[predicted], model.interceptVector.toArray()[predicted]
    return (model.coefficients.toArray(), float(model.intercept)) if hasattr(model, "coefficients") else None


def test_what_cannot_be_explained_is_refused(fitted, spark, monkeypatch, tmp_path):
    folder, results = fitted

    def refusal(name, **changed):
        signature = replace(results[name].signature, **changed)
        making = Making(spark, read_pipeline(folder / name), signature, folder / name, tmp_path)
        with pytest.raises(DataError) as caught:
            make_explainer(making)
        return format_error(caught.value)

    assert refusal("means").startswith(
        "error: 'm' was fitted with 'KMeans', whose predictions cannot be explained\n"
        "  fix: leave 'explain' out; explained are: LogisticRegression, LinearSVC, "
    )
    assert refusal("linear", slot_means=()) == (
        "error: this version of 'm' does not know the means of its features, which explain it\n"
        "  fix: fit it again: sqlml build --retrain m"
    )
    monkeypatch.setattr("sqlml.run.ml.contributions.explainer._MOST_NODES", 10)
    assert refusal("forest").startswith("error: predictions of 'm' cannot be explained: its trees have ")


def spark_text(value):
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


# Spark's LDA ends its Java process at a number far below 0; a cosine has no value for what is 0 everywhere.
@pytest.mark.parametrize(
    ("name", "unread", "read"),
    [
        ("topics", ("array(-9000000, 1, 1, 1)",), "array(3, 1, 1, 1)"),
        pytest.param("cosine", ("array(0, 0, 0, 0)",), "array(3, 1, 1, 1)", marks=pytest.mark.long),
    ],
)
def test_a_row_that_cannot_be_read_has_no_cluster(fitted, spark, name, unread, read):
    folder, results = fitted
    column = CASES[name].features[0]
    values = ", ".join(f"({at}, {value})" for at, value in enumerate((read, *unread, "array(null, null, null, null)")))
    rows = spark.sql(f"select at, cast({column} as array<bigint>) {column} from values {values} as t(at, {column})")
    scored = score(read_pipeline(folder / name), results[name].signature, rows).orderBy("at").collect()
    assert len(scored) == len(unread) + 2
    assert scored[0].cluster is not None
    for row in scored[1:]:
        assert [row[output.name] for output in results[name].signature.outputs] == [None, None]


@pytest.mark.parametrize("name", NAMES)
def test_two_params_are_not_the_default(fitted, name):
    case = CASES[name]
    entry = case.entry
    plain = getattr(importlib.import_module(entry.module), case.estimator)()
    inner = getattr(importlib.import_module(entry.module), str(case.params.get("classifier")), None)
    default = {}
    for made in (plain, inner() if inner else plain):
        default |= {param.name: value for param, value in made.extractParamMap().items()}
    given = dict(fitted[1][name].facts["params"]) | {"seed": 42}
    assert sum(default.get(key) != value for key, value in given.items() if key not in ("seed", "classifier")) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_tables_carry_the_names_of_features(fitted, name):
    folder, results = fitted
    signature = results[name].signature
    tables = {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in (folder / name / "tables").iterdir()
        if path.stem in EXPLANATIONS
    }
    assert set(tables) == set(CASES[name].entry.explains or ESTIMATORS[CASES[name].params["classifier"]].explains)
    for table, rows in tables.items():
        columns = {column.name for column in EXPLANATIONS[table].columns}
        assert rows
        assert {key for row in rows for key in row} <= columns
        if "slot" in columns:
            slots = {row["slot"] for row in rows}
            assert {slot for slot in slots if not slot.startswith("(")} == set(signature.slots)
        if "feature" in columns:
            features = {row["feature"] for row in rows if not row["slot"].startswith("(")}
            assert features == {feature.name for feature in signature.features}


def test_the_outputs_are_those_that_the_registry_says_and_the_compiler_expects(fitted, table, make_spec):
    types = {name: parse_type(given) for name, given in table.dtypes}
    training = Readable("sql_model.t", "t", tuple(types), types)
    for name, result in fitted[1].items():
        case, signature = CASES[name], result.signature
        label_type = signature.label_type
        said = output_columns(case.entry.returns, case.label, label_type, len(signature.classes))
        said = as_returned_by(find_estimator(case.estimator, case.params), said)
        assert signature.outputs == said, name
        features = tuple(feature.name for feature in signature.features)
        given = {"include": features, "label": case.label, "params": case.params, **case.spec}
        expected = expect_signature(make_spec(case.estimator, **given), training, features)
        assert [(column.name, column.type) for column in expected.features] == [
            (column.name, column.type) for column in signature.features
        ], name
        # How many classes `grade` has is known by its rows.
        assert expected.has_all_outputs is (case.label != "grade" or not case.entry.returns.has_classes), name
        assert expected.outputs == said[: len(expected.outputs)], name
        assert expected.outputs == said or case.label == "grade", name
