"""`folds:` and `tune:` as they are written, and what is tried of them."""

from sqlml.ir.folds import Folds
from sqlml.ir.gates import measured_tops
from sqlml.ir.splits import resolve_folds
from sqlml.ir.trials import grid, plan_fits, with_choice
from sqlml.ir.tuning import Dimension

ENTRY = """\
version: 2
ml_models:
  - name: late
    training_data: ref('flights')
    estimator: MultilayerPerceptronClassifier
    params: {tol: 0.1, hiddenLayers: [4]}
    label: is_late
    keys: [id]
    event_time: at
    transforms:
      - {columns: [carrier, origin], encode: one_hot, unseen: other, params: {dropLast: true}}
    tune:
      search: random
      metric: liftAtTop
      top: 0.02
      folds: {n: 4, gap: 1d}
      params:
        hiddenLayers: [[8], [16, 4]]
        maxIter: {low: 10, high: 100, log: true}
        stepSize: {low: 0, high: 1}
      transforms:
        - {columns: [carrier, origin], max_categories: {low: 10, high: 50}, params: {dropLast: [true, false]}}
        - {columns: {type: number}, scale: [standard, none], reduce: [{pca: 2}], clip: [[0, 10], [null, 5]]}
      patience: 3
"""
GRID = """\
version: 2
ml_models:
  - name: late
    training_data: ref('flights')
    estimator: LinearRegression
    label: delay
    refit: all
    split: {by: hash, column: [carrier, at], seed: 7, within: origin}
    tune:
      params: {regParam: [0.1, 1], elasticNetParam: [0, 1, 0.5]}
      transforms: [{columns: "*", scale: [none, standard]}]
"""


def test_what_is_tried(parse):
    (ml_model,) = parse({"models/ml.yml": ENTRY}).ml_models
    tuning = ml_model.tuning
    assert ml_model.folds == Folds(n=4, gap_s=86_400)
    assert resolve_folds(ml_model) == Folds("time", ("at",), 4, 86_400, 43)
    assert [(entry.name, entry.values or (entry.low, entry.high, entry.is_whole)) for entry in tuning.dimensions] == [
        ("hiddenLayers", ((8,), (16, 4))),
        ("maxIter", (10, 100, True)),
        ("stepSize", (0, 1, False)),
        ("carrier, origin.max_categories", (10, 50, True)),
        ("carrier, origin.dropLast", (True, False)),
        ("{type: number}.clip", ((0.0, 10.0), (None, 5.0))),
        ("{type: number}.scale", ("standard", "none")),
        ("{type: number}.reduce", (("pca", 2),)),
    ]
    assert tuning.dimensions[1] == Dimension(
        "maxIter", "tune.params.maxIter", ("params", "maxIter"), (), 10, 100, is_log=True, is_whole=True
    )
    choice = {entry.name: entry.ends[-1] for entry in tuning.dimensions}
    variant = with_choice(ml_model, tuning, choice)
    assert variant.params == {"tol": 0.1, "hiddenLayers": (16, 4), "maxIter": 100, "stepSize": 1}
    carrier, numbers = variant.transforms
    assert (carrier.max_categories, carrier.params, carrier.unseen) == (50, {"dropLast": False}, "other")
    assert (numbers.type, numbers.clip, numbers.scale, numbers.reduce) == ("number", (None, 5.0), "none", ("pca", 2))
    assert variant.tuning.dimensions == variant.tuning.added == ()
    assert measured_tops(variant) == (0.02, 0.1)
    assert str(plan_fits(ml_model)) == "at most 81 fits: 20 trials x 4 folds + 1"


def test_a_grid_and_the_folds_of_a_split(parse):
    (ml_model,) = parse({"models/ml.yml": GRID}).ml_models
    choices = list(grid(ml_model.tuning))
    assert len(choices) == 12
    # What is done to features changes last.
    assert [choice["*.scale"] for choice in choices] == ["none"] * 6 + ["standard"] * 6
    assert resolve_folds(ml_model) == Folds("hash", ("carrier", "at"), 3, 0, 8, "origin")
    assert str(plan_fits(ml_model)) == "38 fits: 12 trials x 3 folds + 2"
    (each,) = parse({"models/ml.yml": GRID + "    for_each: team\n"}).ml_models
    assert str(plan_fits(each)) == "38 fits for each value of 'team': 12 trials x 3 folds + 2"
