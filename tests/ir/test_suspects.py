"""Which features are suspected of telling the label."""

from __future__ import annotations

import pytest

from sqlml.ir.state import Metric
from sqlml.ir.suspects import Suspect, find_suspects


def alone(metric="areaUnderROC", **features):
    """Return the table of features with what each has on training rows and on the hold-out."""
    return [
        {"dataset": side, "slice": "", "feature": feature, "metric": metric, "value": value, "rows": 100}
        for feature, values in features.items()
        for side, value in zip(("training", "holdout"), values, strict=True)
    ]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (alone(fee=(0.999, 0.997), age=(0.9, 0.9)), ["fee"]),
        # Alone there is nothing that it would stand out from; nearly perfect it is all the same.
        (alone(fee=(0.999, 0.997)), ["fee"]),
        (alone(fee=(0.97, 0.96)), []),
        (alone(fee=(0.97, 0.96), age=(0.6, 0.65)), ["fee"]),
        # Measurements of iris, or of a tumour: several tell it.
        (alone(petal=(0.98, 0.99), sepal=(0.85, 0.79), width=(0.98, 0.98)), []),
        # What one side alone shows is chance.
        (alone(fee=(0.93, 1.0), age=(0.6, 0.65)), []),
        (alone(fee=(1.0, 0.94), age=(0.6, 0.65)), []),
        (alone(fee=(0.96, 0.99), refund=(1.0, 1.0), age=(0.6, 0.65)), ["refund", "fee"]),
        (alone("r2", net=(0.97, 0.96), size=(0.5, 0.4)), ["net"]),
        (alone("r2", net=(0.97, 0.96), size=(0.65, 0.4)), []),
        (alone("r2", net=(0.9, 0.9), size=(0.1, 0.1)), []),
        ([], []),
    ],
)
def test_a_feature_is_suspected_that_tells_the_label_alone(table, named):
    assert [suspect.feature for suspect in find_suspects(table, (), ())] == named


@pytest.mark.parametrize(
    ("name", "value", "rows", "shares", "named"),
    [
        ("areaUnderROC", 0.995, 200, {"note": 0.6, "note ": 0.35, "age": 0.05}, []),
        ("areaUnderROC", 0.995, 200, {"note": 0.95, "age": 0.05}, ["note"]),
        ("r2", 0.995, 200, {"note": 0.95, "age": 0.05}, ["note"]),
        ("balancedAccuracy", 0.995, 200, {"note": 0.95, "age": 0.05}, ["note"]),
        # Where nearly all rows are of one class, accuracy says nothing.
        ("accuracy", 0.995, 200, {"note": 0.95, "age": 0.05}, []),
        ("areaUnderROC", 0.97, 200, {"note": 0.95, "age": 0.05}, []),
        ("areaUnderROC", 1.0, 20, {"note": 0.95, "age": 0.05}, []),
        ("areaUnderROC", 1.0, 200, {"note": 1.0}, []),
        ("areaUnderROC", 1.0, 200, {"note": 0.0, "age": 0.0}, []),
    ],
)
def test_a_feature_is_suspected_that_has_the_importance_of_a_fit_that_is_too_good(name, value, rows, shares, named):
    importances = [{"feature": feature, "importance": share} for feature, share in shares.items()]
    metrics = [Metric("training", name, 1.0, "", rows), Metric("holdout", name, value, "", rows)]
    assert [suspect.feature for suspect in find_suspects((), importances, metrics)] == named


def test_a_feature_is_said_once_and_with_what_to_do():
    importances = [{"feature": "fee", "importance": 1.0}, {"feature": "age", "importance": 0.0}]
    metrics = [Metric("holdout", "areaUnderROC", 0.999, "", 100)]
    found = find_suspects(alone(fee=(0.999, 0.997), age=(0.6, 0.6)), importances, metrics)
    assert [suspect.said for suspect in found] == [
        "feature 'fee' alone has areaUnderROC 0.9970 on the hold-out: it may be the label in disguise (L010); leave it "
        "out, or if it is known when the model predicts, say why: allow_leakage: {fee: …}"
    ]
    assert Suspect("fee", "areaUnderROC", 0.999, 0.97).what == (
        "feature 'fee' has 97% of the importance in a fit with areaUnderROC 0.9990 on the hold-out: it may be the "
        "label in disguise"
    )
