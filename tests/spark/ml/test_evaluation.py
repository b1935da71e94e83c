"""Metrics, intervals and curves against scikit-learn's on the same scores, with ties, weights and slices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from sqlml.ir.estimators import ESTIMATORS
from sqlml.run.ml.estimator import LABEL
from sqlml.run.ml.evaluation.evaluate import Question, evaluate
from sqlml.run.ml.evaluation.multiclass import multiclass_values
from sqlml.run.ml.evaluation.rows import SLICES, WEIGHT

# Scores of two digits are tied many times over; a weight of 0 counts for nothing.
SCORED_SQL = f"""
with drawn as (
  select id, pmod(xxhash64(id, 1), 97) / 100d + 0.01d as p, pmod(xxhash64(id, 2), 1000) / 1000d as u,
         cast(pmod(xxhash64(id, 3), 4) as double) as w, pmod(xxhash64(id, 4), 3) as part,
         pmod(xxhash64(id, 5), 1000) / 100d as noise
  from range(0, {{rows}})
)
select id, if(u < 0.3 + 0.5 * p, 1d, 0d) as {LABEL}, if(p > 0.45, 1d, 0d) as prediction,
       array(-ln(p / (1 - p)), ln(p / (1 - p))) as raw, array(1 - p, p) as probabilities, w as {WEIGHT},
       array_compact(array(concat('part=', part), if(p > 0.5, 'likely', null), if(w = 0, 'weightless', null),
                           if(id in (301, 302), 'two', null))) as {SLICES},
       p, noise,
       cast(floor(3 * u) as double) as grade, cast(pmod(id, 3) as double) as guess,
       array(p / 2, 1 - p, p / 2) as shares
from drawn
"""


@pytest.fixture(scope="module")
def drawn(spark):
    """One thousand scored rows and what Spark's own columns would be called in them."""
    rows = spark.sql(SCORED_SQL.format(rows=1000)).persist()
    yield rows
    rows.unpersist()


@pytest.fixture(scope="module")
def columns(drawn):
    table = drawn.toPandas()
    return {name: np.array(table[name].tolist()) for name in table.columns if name != SLICES} | {
        SLICES: [set(names) for names in table[SLICES]]
    }


def as_vectors(rows, **vectors):
    from pyspark.ml.functions import array_to_vector

    for name, source in vectors.items():
        rows = rows.withColumn(name, array_to_vector(source))
    return rows


@pytest.fixture(scope="module")
def ranked(drawn):
    rows = as_vectors(drawn, rawPrediction="raw", probability="probabilities")
    question = Question(ESTIMATORS["LogisticRegression"], ("no", "yes"), (0.1, 0.25))
    return evaluate({"training": rows.where("id < 300"), "holdout": rows}, None, question)


def values(found, dataset="holdout", part=""):
    return {entry.metric: entry.value for entry in found.metrics if (entry.dataset, entry.slice) == (dataset, part)}


def metric(found, name, part=""):
    return next(
        entry for entry in found.metrics if (entry.dataset, entry.metric, entry.slice) == ("holdout", name, part)
    )


@pytest.mark.parametrize("part", ["", "part=1", "likely"])
def test_a_ranking_is_measured_as_scikit_learn_does(ranked, columns, part):
    of = np.array([not part or part in names for names in columns[SLICES]])
    label, p, guess, weight = (columns[name][of] for name in (LABEL, "p", "prediction", WEIGHT))
    given = {"sample_weight": weight}
    expected = {
        "areaUnderROC": sk.roc_auc_score(label, p, **given),
        "averagePrecision": sk.average_precision_score(label, p, **given),
        "logLoss": sk.log_loss(label, p, **given),
        "brierScore": sk.brier_score_loss(label, p, **given),
        "accuracy": sk.accuracy_score(label, guess, **given),
        "balancedAccuracy": sk.recall_score(label, guess, average="macro", **given),
        "precision": sk.precision_score(label, guess, zero_division=0, **given),
        "recall": sk.recall_score(label, guess, **given),
        "f1": sk.f1_score(label, guess, **given),
        "weightedFMeasure": sk.f1_score(label, guess, average="weighted", zero_division=0, **given),
        "hammingLoss": sk.hamming_loss(label, guess, **given),
    }
    found = values(ranked, part=part)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert metric(ranked, "f1", part).rows == of.sum()
    # Whole weights are as many rows, of which scikit-learn's calibration curve knows how to count.
    many = np.repeat(np.arange(of.sum()), weight.astype(int))
    shares, means = calibration_curve(label[many], p[many], n_bins=10)
    sizes = np.bincount(np.searchsorted(np.linspace(0, 1, 11)[1:-1], p[many]), minlength=10)
    sizes = sizes[sizes > 0] / sizes.sum()
    assert found["calibrationError"] == pytest.approx(float((sizes * np.abs(shares - means)).sum()), abs=1e-9)
    rows = [row for row in ranked.tables["calibration"] if (row["dataset"], row["slice"]) == ("holdout", part)]
    assert [row["mean_probability"] for row in rows] == pytest.approx(means.tolist(), abs=1e-9)
    assert [row["share"] for row in rows] == pytest.approx(shares.tolist(), abs=1e-9)


def test_of_rows_without_weight_nothing_is_known(ranked, columns):
    of = np.array(["two" in names for names in columns[SLICES]])
    assert columns[WEIGHT][of].all()
    assert metric(ranked, "accuracy", "part=1").low is not None
    assert values(ranked, part="weightless") == {}
    # Of two rows a replicate has none in one of seven: too often for an interval.
    two = metric(ranked, "accuracy", "two")
    assert (two.rows, two.low, two.high) == (2, None, None)
    one = {name: np.ones(1) for name in ("weight_sum", "sum_p", "loss", "brier")}
    one |= {name: np.zeros(1, int) for name in ("label", "predicted", "p_bin")}
    found = multiclass_values(one, np.array([[1.0], [0.0]]), 3, has_probabilities=True)
    assert found["accuracy"].tolist()[0] == 1.0
    assert all(np.isnan(value[1]) for value in found.values())


def test_the_best_rows_are_those_with_the_highest_scores(ranked, columns):
    label, p, weight = (columns[name] for name in (LABEL, "p", WEIGHT))
    for top in (0.1, 0.25):
        # The mean over all orders of tied rows.
        wanted, precision = top * weight.sum(), 0.0
        for score in sorted(set(p), reverse=True):
            tied = p == score
            taken = min(1.0, max(wanted, 0.0) / weight[tied].sum()) if weight[tied].sum() else 0.0
            precision += taken * (weight * label)[tied].sum() / (top * weight.sum())
            wanted -= weight[tied].sum()
        found, name = values(ranked), f"{100 * top:g}"
        assert found[f"precisionAtTop{name}"] == pytest.approx(precision, abs=1e-9)
        assert found[f"liftAtTop{name}"] == pytest.approx(precision * weight.sum() / (weight * label).sum(), abs=1e-9)


def test_curves_are_those_of_scikit_learn(ranked, columns):
    label, p, weight = (columns[name] for name in (LABEL, "p", WEIGHT))
    fallout, recall, _ = sk.roc_curve(label, p, sample_weight=weight, drop_intermediate=False)
    mine = [row for row in ranked.tables["roc_curve"] if (row["dataset"], row["slice"]) == ("holdout", "")]
    assert [row["true_positive_rate"] for row in mine] == pytest.approx(recall.tolist(), abs=1e-9)
    assert [row["false_positive_rate"] for row in mine] == pytest.approx(fallout.tolist(), abs=1e-9)
    precision, _, _ = sk.precision_recall_curve(label, p, sample_weight=weight)
    mine = [row["precision"] for row in ranked.tables["pr_curve"] if (row["dataset"], row["slice"]) == ("holdout", "")]
    assert mine == pytest.approx(precision[:-1][::-1].tolist(), abs=1e-9)
    matrix = sk.confusion_matrix(label, columns["prediction"], sample_weight=weight)
    mine = {
        (row["label"], row["predicted"]): row["weight"]
        for row in ranked.tables["confusion_matrix"]
        if (row["dataset"], row["slice"]) == ("holdout", "")
    }
    assert mine["yes", "no"] == pytest.approx(matrix[1, 0])
    assert mine["no", "yes"] == pytest.approx(matrix[0, 1])


def test_intervals_are_those_of_drawing_rows(ranked, columns):
    label, p, weight = (columns[name] for name in (LABEL, "p", WEIGHT))
    generator = np.random.default_rng(1)
    drawn = [generator.integers(0, len(p), len(p)) for _ in range(400)]
    for name, score in (("areaUnderROC", sk.roc_auc_score), ("logLoss", sk.log_loss)):
        low, high = np.quantile([score(label[at], p[at], sample_weight=weight[at]) for at in drawn], [0.025, 0.975])
        found = metric(ranked, name)
        # Two bootstraps differ by a tenth or so of the width of the interval.
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.2 * (high - low))
        assert found.low < found.value < found.high
    assert next(entry for entry in ranked.metrics if entry.dataset == "training").low is None


def test_the_baseline_is_the_greater_class_with_its_share(ranked, columns):
    label, weight, first = columns[LABEL], columns[WEIGHT], columns["id"] < 300
    share = float((weight * label)[first].sum() / weight[first].sum())
    trivial = np.full(len(label), share)
    found = metric(ranked, "logLoss")
    assert found.baseline == pytest.approx(sk.log_loss(label, trivial, sample_weight=weight), abs=1e-9)
    assert found.gain_low < found.baseline - found.value < found.gain_high
    assert metric(ranked, "areaUnderROC").baseline == 0.5
    expected = sk.accuracy_score(label, trivial > 0.5, sample_weight=weight)
    assert metric(ranked, "accuracy").baseline == pytest.approx(expected, abs=1e-9)
    assert metric(ranked, "liftAtTop10").baseline == pytest.approx(1.0)


def test_several_classes_are_measured_as_scikit_learn_does(drawn, columns):
    rows = drawn.selectExpr(f"grade as {LABEL}", "guess as prediction", "shares", WEIGHT)
    question = Question(ESTIMATORS["RandomForestClassifier"], ("a", "b", "c"), gated=frozenset({"training"}))
    found = evaluate({"training": as_vectors(rows, probability="shares", rawPrediction="shares")}, None, question)
    label, guess, shares, weight = (columns[name] for name in ("grade", "guess", "shares", WEIGHT))
    true = np.eye(3)[label.astype(int)]
    expected = {
        "logLoss": sk.log_loss(label, shares, sample_weight=weight),
        "accuracy": sk.accuracy_score(label, guess, sample_weight=weight),
        "balancedAccuracy": sk.balanced_accuracy_score(label, guess, sample_weight=weight),
        "weightedPrecision": sk.precision_score(label, guess, average="weighted", sample_weight=weight),
        "f1": sk.f1_score(label, guess, average="weighted", sample_weight=weight),
        "brierScore": float((weight * ((shares - true) ** 2).sum(axis=1)).sum() / weight.sum()),
    }
    mine = values(found, "training")
    assert {name: mine[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    prior = (weight[:, None] * true).sum(axis=0) / weight.sum()
    loss = next(entry for entry in found.metrics if entry.metric == "logLoss")
    assert loss.baseline == pytest.approx(
        sk.log_loss(label, np.tile(prior, (len(label), 1)), sample_weight=weight), abs=1e-9
    )
    assert loss.low < loss.value < loss.high
    assert len(found.tables["confusion_matrix"]) == 9
    assert "areaUnderROC" not in mine


@pytest.mark.parametrize("has_median", [False, True])
def test_a_regression_is_measured_as_scikit_learn_does(drawn, columns, has_median):
    # Far from 0, where the variance would drown in the square of the mean.
    rows = drawn.selectExpr(
        f"1e6 + noise as {LABEL}", "1e6 + 10 * p as prediction", WEIGHT, f"array('half') as {SLICES}", "id"
    )
    question = Question(ESTIMATORS["LinearRegression"], gated=frozenset({"holdout"}), has_median=has_median)
    found = evaluate({"training": rows.where("id % 2 = 0"), "holdout": rows.where("id % 2 = 1")}, None, question)
    odd = columns["id"] % 2 == 1
    label, guess, weight = 1e6 + columns["noise"], 1e6 + 10 * columns["p"], columns[WEIGHT]
    given = {"sample_weight": weight[odd]}
    expected = {
        "mse": sk.mean_squared_error(label[odd], guess[odd], **given),
        "mae": sk.mean_absolute_error(label[odd], guess[odd], **given),
        "r2": sk.r2_score(label[odd], guess[odd], **given),
        "mape": sk.mean_absolute_percentage_error(label[odd], guess[odd], **given),
        "quantileLoss": sk.mean_pinball_loss(label[odd], guess[odd], **given),
    }
    mine = values(found)
    assert {name: mine[name] for name in expected} == pytest.approx(expected, abs=1e-8)
    assert mine["rmse"] == pytest.approx(math.sqrt(mine["mse"]))
    assert values(found, part="half") == pytest.approx(mine)
    seen = ~odd
    constant = np.median(label[seen]) if has_median else np.average(label[seen], weights=weight[seen])
    flat = np.full(odd.sum(), constant)
    rmse = metric(found, "rmse")
    # Spark's median is one of the rows' own values.
    assert rmse.baseline == pytest.approx(math.sqrt(sk.mean_squared_error(label[odd], flat, **given)), abs=1e-3)
    assert rmse.low < rmse.value < rmse.high
    residuals = [row for row in found.tables["residuals"] if (row["dataset"], row["slice"]) == ("holdout", "")]
    assert sum(row["rows"] for row in residuals) == odd.sum()
    assert rmse.gain_low < rmse.baseline - rmse.value < rmse.gain_high


@pytest.mark.parametrize("measure", ["euclidean", "cosine"])
def test_slices_of_a_clustering_are_measured_as_spark_measures_their_rows(spark, interpreted, measure):
    from pyspark.ml.clustering import KMeans
    from pyspark.ml.evaluation import ClusteringEvaluator

    numbers = spark.sql(
        """select id, array(pmod(xxhash64(id, 1), 97) / 10d + 1, pmod(xxhash64(id, 2), 89) / 10d,
                            if(id % 3 = 0, 5d, 0d)) as numbers
           from range(0, 200)"""
    )
    points = as_vectors(numbers, features="numbers").coalesce(1)
    fitted = KMeans(k=3, seed=1, maxIter=5, distanceMeasure=measure).fit(points)
    scored = fitted.transform(points)
    # Beside slices of any rows: of one cluster, and with a cluster that has one row.
    alone = scored.where("prediction = 1").agg({"id": "min"}).collect()[0][0]
    wheres = {"few": "id < 40", "one": "prediction = 0", "two": f"prediction = 0 or id = {alone}"}
    named = ", ".join(f"if({where}, '{name}', null)" for name, where in wheres.items())
    scored = scored.selectExpr("*", f"array_compact(array({named})) as {SLICES}")
    found = evaluate({"training": scored}, fitted, Question(ESTIMATORS["KMeans"])).metrics
    values = {(entry.slice, entry.metric): entry for entry in found}
    assert {name for name, metric in values if metric == "trainingCost"} == {"", *wheres}
    assert {name for name, metric in values if metric == "silhouette"} == {"", *wheres} - {"one"}
    evaluator = ClusteringEvaluator(distanceMeasure="cosine" if measure == "cosine" else "squaredEuclidean")
    centres = fitted.clusterCenters()
    for name, where in {"": "true", **wheres}.items():
        rows = scored.where(where)
        own = [(row.features.toArray(), centres[row.prediction]) for row in rows.collect()]
        if measure == "cosine":
            costs = [1 - x @ centre / math.sqrt((x @ x) * (centre @ centre)) for x, centre in own]
        else:
            costs = [math.dist(x, centre) ** 2 for x, centre in own]
        cost = values[name, "trainingCost"]
        assert (cost.value, cost.rows) == (pytest.approx(math.fsum(costs), rel=1e-9), len(own))
        if name != "one":
            silhouette = values[name, "silhouette"]
            assert (silhouette.value, silhouette.rows) == (pytest.approx(evaluator.evaluate(rows), abs=1e-9), len(own))
