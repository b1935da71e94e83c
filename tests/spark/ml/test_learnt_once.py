"""Ways to make features of the same rows: each is what it is alone, and what two learn alike is learnt once."""

from __future__ import annotations

import itertools

import pytest

from sqlml.ir.estimators import estimator_of
from sqlml.ir.location import SourceLocation
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.transforms import choose_transforms
from sqlml.ir.trials import grid, with_choice
from sqlml.ir.tuning import Dimension, Tuning
from sqlml.run.ml.features import FEATURES, Learnt, fit_features
from sqlml.run.ml.features.making import Target
from sqlml.run.tables import columns_of

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("interpreted")]

PLACE = SourceLocation("m.yml", 9)


def tuned(position, word, *values):
    return Dimension(f"{position}.{word}", "tune", ("transforms", position, *word.split(".")), values)


def entry(column, **words):
    return TransformSpec((column,), PLACE, **words)


@pytest.fixture(scope="module")
def table(rows):
    table = rows.where("id < 150").selectExpr(
        "id", "late", "x", "x + 1 as y", "n", "n * 2 as m", "colour", "colour as shade",
        "concat_ws(' ', colour, grade) as words",
    ).coalesce(1).persist()  # fmt: skip
    table.count()
    yield table
    table.unpersist()


@pytest.fixture
def count_jobs(spark, request):
    """Return what counts the jobs of Spark that something takes."""
    numbers = itertools.count()

    def count(act):
        group = f"{request.node.name} {next(numbers)}"
        spark.sparkContext.setJobGroup(group, group)
        found = act()
        return found, len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))

    yield count
    spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)


# What is tuned, beside what nobody tunes: medians, quantiles, categories, a vocabulary, a scale.
USUAL = (
    entry("n", quantiles=3),
    entry("shade", encode="target"),
    entry("words", text="tf_idf"),
    entry("m", scale="standard"),
    entry("x"),
    entry("colour"),
)
TUNED = {
    "impute": tuned(4, "impute", "mean", "median"),
    "quantiles": tuned(4, "quantiles", 2, 4),
    "max_categories": tuned(5, "max_categories", 1, 2),
    "clip": tuned(3, "clip", (0.0, 5.0), (0.0, 10.0)),
    "params": tuned(2, "params.minDF", 1.0, 2.0),
}
# How many jobs the next way takes of what is tuned, where it takes seven or more alone.
AGAIN = {"impute": 1, "quantiles": 1, "max_categories": 0, "clip": 1, "params": 3}


@pytest.mark.parametrize("word", ["impute", *[pytest.param(word, marks=pytest.mark.long) for word in TUNED][1:]])
def test_what_is_not_tuned_is_learnt_once(table, make_spec, count_jobs, word):
    include = ("x", "y", "n", "m", "colour", "shade", "words")
    ml_model = make_spec(include=include, transforms=USUAL, tuning=Tuning((TUNED[word],)))
    ways = [
        choose_transforms(columns_of(table.schema), variant, estimator_of(variant))
        for choice in grid(ml_model.tuning)
        for variant in [with_choice(ml_model, ml_model.tuning, choice)]
    ]

    def fit(way, learnt):
        return fit_features(table, way, {}, Target("double(late)", 2), (PLACE,) * len(USUAL), learnt=learnt)

    shared = Learnt(ml_model.tuning.words)
    for number, way in enumerate(ways):
        alone, jobs = count_jobs(lambda way=way: fit(way, Learnt()))
        again, fewer = count_jobs(lambda way=way: fit(way, shared))
        assert (again.slots, again.sources, again.categories) == (alone.slots, alone.sources, alone.categories)
        assert vectors(table, again) == vectors(table, alone)
        if number:
            assert jobs >= 7
            assert fewer <= AGAIN[word], (jobs, fewer)
    # The same way once more learns nothing.
    assert count_jobs(lambda: fit(ways[0], shared))[1] == 0


def test_what_no_way_asks_for_any_more_is_forgotten():
    learnt, asked = Learnt(), []

    def way(*keys):
        learnt.begin_way()
        for key in keys:
            learnt.once(key, lambda key=key: asked.append(key))

    way("usual", "first")
    for number in range(32):
        way("usual", number)
    way("usual", "first")
    assert asked.count("usual") == 1
    assert asked.count("first") == 2
    assert learnt.count == 35


def vectors(table, stages):
    for stage in stages.stages:
        table = stage.transform(table)
    return [row[FEATURES] for row in table.orderBy("id").select(FEATURES).collect()]
