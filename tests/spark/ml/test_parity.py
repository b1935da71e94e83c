"""Each estimator against the same pipeline written by hand in Spark ML, equal to 1e-9."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from sqlml.ir.location import SourceLocation
from sqlml.ir.transform_spec import TransformSpec
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import score

LABELS = {
    "late": "cast(late as double)",
    "amount": "cast(amount as double)",
    "grade": "case grade when 'low' then 0d when 'mid' then 1d else 2d end",
}
HELD = "pmod(xxhash64(id, 42), 10000) < 2000"
PLACE = SourceLocation("m.yml", 9)
ENTRIES = (TransformSpec(columns=("colour",), location=PLACE, max_categories=3),)


def by_hand(rows, estimator, encode, scaled=False):
    """Fit as the documentation says sqlml does, with Spark ML alone."""
    from pyspark.ml import Pipeline
    from pyspark.ml import feature as f
    from pyspark.sql import functions as sf

    names = [name for name in rows.columns if name not in ("at", "label")]
    training = rows.where("pmod(xxhash64(id, 42), 10000) >= 2000")
    laid = training.repartition(1, "id").sortWithinPartitions("id", sf.xxhash64(*names))
    counts = Counter(row.colour for row in training.collect() if row.colour is not None)
    top = [colour or "<empty>" for colour, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]]
    stages = [
        f.SQLTransformer(
            statement="select *, cast(x as double) x1, cast(n as double) n1, cast(flag as double) flag1, "
            "coalesce(case when colour = '' then '<empty>' else colour end, '<null>') colour1 from __THIS__"
        ),
        f.Imputer(strategy="median", inputCols=["x1", "n1", "flag1"], outputCols=["x2", "n2", "flag2"]),
        f.StringIndexerModel.from_arrays_of_labels([[*top, "<null>"]], ["colour1"], ["colour2"], handleInvalid="keep"),
    ]
    colour = "colour2"
    if encode == "one_hot":
        stages.append(f.OneHotEncoder(inputCol="colour2", outputCol="colour3", dropLast=False))
        colour = "colour3"
    inputs = ["x2", "n2", "flag2", colour]
    if scaled:
        stages += [
            f.VectorAssembler(inputCols=["x2", "n2"], outputCol="s1"),
            f.StandardScaler(inputCol="s1", outputCol="s2"),
        ]
        inputs = ["s2", "flag2", colour]
    stages += [f.VectorAssembler(inputCols=inputs, outputCol="features"), estimator]
    return Pipeline(stages=stages).fit(laid.persist())


def assert_equal(left, right):
    if isinstance(left, float) and isinstance(right, float):
        assert left == pytest.approx(right, abs=1e-9, nan_ok=True)
    elif isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_equal(left[key], right[key])
    else:
        assert left == right


def new_rows(rows):
    """Return rows to score: nulls everywhere, a category never seen, and no label."""
    nulls = [f"cast(null as {kind}) as {name}" for name, kind in (("x", "double"), ("n", "int"), ("flag", "boolean"))]
    odd = rows.limit(5).selectExpr(
        "-1 - id as id", *nulls, "if(id % 2 = 0, 'never seen', null) as colour", "at", "weight"
    )
    return rows.drop("late", "amount", "grade").select(odd.columns).unionAll(odd)


def check(spark, rows, ml_model, folder, hand, encode, scaled=False):
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    read = {"id", "x", "n", "flag", "colour", ml_model.label, ml_model.weight}
    given = rows.select(*[name for name in rows.columns if name in read])
    result = fit_ml_model(spark, ml_model, rows, folder)
    if ml_model.label:
        hand.setLabelCol("label")
        given = given.withColumn("label", sf.expr(LABELS[ml_model.label]))
    expected = by_hand(given, hand, encode, scaled)
    fitted = read_pipeline(folder)
    scored = score(fitted, result.signature, new_rows(rows)).collect()
    plain = expected.transform(new_rows(rows))
    if ml_model.label in ("late", "grade"):
        plain = plain.withColumn("p", vector_to_array("probability"))
    return result, fitted.stages[-1], expected, scored, plain.collect()


def check_classes(spark, rows, ml_model, folder, hand, encode):
    result, model, expected, scored, plain = check(spark, rows, ml_model, folder, hand, encode)
    assert len(scored) == len(plain) == rows.count() + 5
    classes = result.signature.classes
    for mine, theirs in zip(scored, plain, strict=True):
        assert mine.id == theirs.id
        assert mine[f"predicted_{ml_model.label}"] == classes[int(theirs.prediction)]
        if len(classes) == 2:
            assert_equal(mine.probability, theirs.p[1])
        else:
            assert_equal(mine.confidence, max(theirs.p))
            assert_equal(mine.probabilities, dict(zip(classes, theirs.p, strict=True)))
    return result, model, expected.stages[-1]


def metric(result, name, dataset="holdout"):
    return next(entry.value for entry in result.metrics if (entry.metric, entry.dataset) == (name, dataset))


def test_logistic_regression(spark, rows, spec, tmp_path):
    from pyspark.ml.classification import LogisticRegression

    params = {"regParam": 0.02, "elasticNetParam": 0.3, "maxIter": 30}
    ml_model = spec("LogisticRegression", params=params, threshold=0.4, transforms=ENTRIES)
    hand = LogisticRegression(**params, threshold=0.4)
    result, model, expected = check_classes(spark, rows, ml_model, tmp_path / "a b", hand, "one_hot")
    assert model.coefficients.toArray() == pytest.approx(expected.coefficients.toArray(), abs=1e-9)
    assert model.intercept == pytest.approx(expected.intercept, abs=1e-9)
    assert result.signature.slots == (
        "x", "n", "flag", "colour=red", "colour=it's green", "colour=blue", "colour=<null>", "colour=<other>",
    )  # fmt: skip
    assert [column.name for column in result.signature.outputs] == ["predicted_late", "probability"]
    assert metric(result, "areaUnderROC") > 0.8


def test_multinomial_regression_with_weights(spark, rows, spec, tmp_path):
    from pyspark.ml.classification import LogisticRegression

    params = {"regParam": 0.01, "maxIter": 25}
    ml_model = spec("LogisticRegression", params=params, label="grade", weight="weight", transforms=ENTRIES)
    hand = LogisticRegression(**params, weightCol="weight")
    result, model, expected = check_classes(spark, rows, ml_model, tmp_path / "m", hand, "one_hot")
    assert model.coefficientMatrix.toArray() == pytest.approx(expected.coefficientMatrix.toArray(), abs=1e-9)
    assert result.signature.classes == ("low", "mid", "top")
    assert not any(entry.metric == "areaUnderROC" for entry in result.metrics)


@pytest.mark.parametrize("name", ["RandomForestClassifier", "GBTClassifier"])
def test_tree_classifiers(spark, rows, spec, tmp_path, name):
    from pyspark.ml import classification

    params = {"maxDepth": 3, "seed": 5} | ({"numTrees": 4} if name.startswith("Random") else {"maxIter": 3})
    ml_model = spec(name, params=params, transforms=ENTRIES, threshold=0.3)
    hand = getattr(classification, name)(**params).setThresholds([0.7, 0.3])
    _, model, expected = check_classes(spark, rows, ml_model, tmp_path / "m", hand, "index")
    assert model.toDebugString.split("\n", 1)[1] == expected.toDebugString.split("\n", 1)[1]
    # The category is nominal to the trees.
    assert "feature 3 in {" in model.toDebugString


@pytest.mark.parametrize("name", ["LinearRegression", "RandomForestRegressor", "GBTRegressor"])
def test_regressions(spark, rows, spec, tmp_path, name):
    from pyspark.ml import regression

    params = {
        "LinearRegression": {"regParam": 0.1, "elasticNetParam": 0.5},
        "RandomForestRegressor": {"numTrees": 4, "maxDepth": 3, "seed": 5},
        "GBTRegressor": {"maxIter": 3, "maxDepth": 2, "seed": 5},
    }[name]
    ml_model = spec(name, params=params, label="amount", transforms=ENTRIES)
    encode = "one_hot" if name == "LinearRegression" else "index"
    hand = getattr(regression, name)(**params)
    result, model, expected, scored, plain = check(spark, rows, ml_model, tmp_path / "m", hand, encode)
    theirs = expected.stages[-1]
    if name == "LinearRegression":
        assert model.coefficients.toArray() == pytest.approx(theirs.coefficients.toArray(), abs=1e-9)
    else:
        assert model.toDebugString.split("\n", 1)[1] == theirs.toDebugString.split("\n", 1)[1]
    for mine, theirs in zip(scored, plain, strict=True):
        assert_equal(mine.predicted_amount, theirs.prediction)
    held = rows.where(HELD)
    pairs = [(row.amount, row.prediction) for row in expected.transform(held).collect()]
    mse = math.fsum((label - found) ** 2 for label, found in pairs) / len(pairs)
    mean = math.fsum(label for label, _ in pairs) / len(pairs)
    spread = math.fsum((label - mean) ** 2 for label, _ in pairs) / len(pairs)
    assert metric(result, "rmse") == pytest.approx(math.sqrt(mse), abs=1e-9)
    assert metric(result, "r2") == pytest.approx(1 - mse / spread, abs=1e-9)
    assert metric(result, "mae") == pytest.approx(math.fsum(abs(a - b) for a, b in pairs) / len(pairs), abs=1e-9)


@pytest.mark.parametrize("measure", ["euclidean", "cosine"])
def test_kmeans(spark, rows, spec, tmp_path, measure):
    from pyspark.ml.clustering import KMeans

    params = {"k": 3, "seed": 5, "maxIter": 7, "distanceMeasure": measure}
    ml_model = spec("KMeans", params=params, label=None, transforms=ENTRIES)
    result, model, expected, scored, plain = check(
        spark, rows, ml_model, tmp_path / "m", KMeans(**params), "one_hot", scaled=True
    )
    expected = expected.stages[-1]
    for mine, theirs in zip(model.clusterCenters(), expected.clusterCenters(), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-9)
    centres = expected.clusterCenters()
    for mine, theirs in zip(scored, plain, strict=True):
        assert mine.cluster == theirs.prediction
        point, centre = theirs.features.toArray(), centres[theirs.prediction]
        if measure == "euclidean":
            distance = math.dist(point, centre)
        else:
            distance = 1 - point.dot(centre) / math.sqrt(point.dot(point) * centre.dot(centre))
        assert mine.distance == pytest.approx(distance, abs=1e-9)
    assert {entry.metric for entry in result.metrics} == {"trainingCost", "silhouette"}
    ids = {row.id for row in rows.where(HELD).collect()}
    held = [row for row in scored if row.id in ids]
    cost = math.fsum(row.distance ** (2 if measure == "euclidean" else 1) for row in held)
    assert metric(result, "trainingCost") == pytest.approx(cost, rel=1e-9)
