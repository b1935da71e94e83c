"""How well each feature tells the label by itself, from what a scan summed up of each class; no Spark."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.state import Column
from sqlml.ir.transforms import choose_transforms
from sqlml.run.ml.features.alone import alone_with_classes, alone_with_number

CLASSES = {"low": 0.0, "mid": 1.0, "top": 2.5}


@pytest.fixture
def transforms(make_spec):
    columns = [Column(name, "string") for name in ("grade", "id")] + [Column("n", "double"), Column("word", "string")]
    spec = make_spec("RandomForestClassifier", label="grade", include=("n", "word"))
    return choose_transforms(columns, spec, ESTIMATORS["RandomForestClassifier"], {})


def group(values, words, nulls=0):
    """Return what the scan gives of some rows; `nulls` more have neither a number nor a word."""
    cuts = np.quantile(values, np.linspace(0, 1, 101), method="inverted_cdf").tolist()
    top = [{"item": word, "count": words.count(word)} for word in sorted(set(words))[:51]]
    counts = {"n": len(values) + nulls, "finite_0": len(values), "drawn_0": len(values), "cuts_0": cuts}
    counts |= {f"present_{index}": len(values) for index in (0, 1)}
    return counts | {"drawn_1": len(words), "top_1": top}


def test_of_more_classes_the_two_count_that_are_told_apart_worst(transforms):
    draw = np.random.default_rng(7)
    drawn = {
        side: {label: draw.normal(mean, 0.5, rows) for label, mean in CLASSES.items()}
        for side, rows in (("training", 400), ("holdout", 200))
    }
    sides = {
        # In two parts, as of two values of `for_each:`; each class has words of its own, and one that all share.
        side: {
            label: [group(part, [f"{label} {at % 3}" if at % 10 else "all" for at in range(len(part))])
                    for part in np.split(values, 2)]
            for label, values in of.items()
        }
        for side, of in drawn.items()
    }  # fmt: skip
    found = {(row["feature"], row["dataset"]): row for row in alone_with_classes(sides, transforms)}
    for side, of in drawn.items():
        pair = np.concatenate([of["low"], of["mid"]])
        exact = roc_auc_score(np.repeat([0, 1], len(of["low"])), pair)
        assert found["n", side]["value"] == pytest.approx(exact, abs=0.005)
        # Rows with the word of all are tied; a tenth of each class.
        assert found["word", side]["value"] == pytest.approx(1 - 0.1 * 0.1 / 2, abs=1e-9)
        assert found["word", side]["rows"] == 3 * len(of["low"])


def test_who_has_no_value_is_told_by_that(transforms):
    rng = np.random.default_rng(3)
    both = {"yes": [group(rng.normal(0, 1, 50), ["a"] * 50)], "no": [group(rng.normal(0, 1, 2), ["a"] * 2, nulls=48)]}
    rows = alone_with_classes({"training": both, "holdout": both}, transforms)
    assert {row["feature"] for row in rows} == {"n", "word"}
    for row in rows:
        assert row["value"] == pytest.approx(0.96 + 0.04 * 0.5, abs=0.02)


def test_nothing_is_said_of_few_rows_or_of_a_class_that_the_sample_lacks(transforms):
    rng = np.random.default_rng(5)

    def sides(rows, **lacking):
        both = {name: [group(rng.normal(at, 0.1, rows), ["a"] * rows) | lacking] for at, name in enumerate("ab")}
        return {"training": both, "holdout": both}

    assert alone_with_classes(sides(9), transforms) == []
    assert {row["feature"] for row in alone_with_classes(sides(10), transforms)} == {"n", "word"}
    unsampled = alone_with_classes(sides(10, drawn_0=0, cuts_0=None), transforms)
    assert {row["feature"] for row in unsampled} == {"word"}


@pytest.mark.parametrize(
    ("more", "value"),
    [
        # Too few rows of a value of `for_each:` to hold a line tell neither for nor against the feature.
        ([{"n": 9, "pairs_0": 9, "corr_0": 0.1}], 0.81),
        ([{"n": 1, "pairs_0": 1, "corr_0": None}], 0.81),
        ([{"n": 20, "pairs_0": 20, "corr_0": -0.5}], 0.25),
        ([{"n": 20, "pairs_0": 9, "corr_0": 0.9}], None),
        ([{"n": 20, "pairs_0": 20, "corr_0": None}], None),
        # Most rows are in groups too small.
        ([{"n": 9, "pairs_0": 9, "corr_0": 0.9}] * 5, None),
    ],
)
def test_of_groups_the_one_counts_in_which_a_line_fits_worst(transforms, more, value):
    groups = [{"n": 40, "pairs_0": 40, "corr_0": 0.9}, *more]
    found = alone_with_number({"training": groups, "holdout": groups}, transforms)
    assert [row["value"] for row in found] == ([] if value is None else [pytest.approx(value)] * 2)


def test_few_rows_in_all_hold_no_line(transforms):
    def found(*rows):
        groups = [{"n": n, "pairs_0": n, "corr_0": 1.0} for n in rows]
        return alone_with_number({"training": groups, "holdout": groups}, transforms)

    assert found() == found(29) == found(10, 10, 9) == []
    assert [row["rows"] for row in found(10, 10, 10)] == [30, 30]
