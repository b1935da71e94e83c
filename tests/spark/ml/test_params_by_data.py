"""Params whose size the data decides: bounds on coefficients by slot and by feature, weights of a network, no JVM."""

from __future__ import annotations

import pytest

from sqlml.errors import DataError, format_error
from sqlml.ir.estimators import ESTIMATORS
from sqlml.run.ml.coefficient_bounds import FREE, bounds_of
from sqlml.run.ml.estimator import DataShape, make_estimator
from sqlml.run.ml.feature_checks import check_slots

SLOTS = ("x", "colour=red", "colour=blue", "x*n")
SOURCES = (("x",), ("colour",), ("colour",), ("x", "n"))


@pytest.fixture
def bounds(spec):
    """Return what gives the matrices by the names of the params."""

    def bounds(classes=2, **params):
        found = bounds_of(params, "LogisticRegression", spec(), slots=SLOTS, sources=SOURCES, classes=classes)
        return {name: made if isinstance(made, list) else made.toArray().tolist() for name, made in found.items()}

    return bounds


def test_a_bound_is_for_a_slot_or_for_all_slots_of_a_feature(bounds):
    lower, upper = {"x*n": -1, "colour": 0}, {"colour=red": 0.5, "colour": 2}
    assert bounds(lowerBoundsOnCoefficients=lower, upperBoundsOnCoefficients=upper, regParam=0.1) == {
        "lowerBoundsOnCoefficients": [[-FREE, 0, 0, -1]],
        "upperBoundsOnCoefficients": [[FREE, 0.5, 2, FREE]],
    }
    assert bounds(3, lowerBoundsOnCoefficients={"x": [1, 2, 3], "colour=red": 4}) == {
        "lowerBoundsOnCoefficients": [[1, 4, -FREE, -FREE], [2, 4, -FREE, -FREE], [3, 4, -FREE, -FREE]]
    }
    assert len(bounds(family="multinomial", lowerBoundsOnCoefficients={"x": 0})["lowerBoundsOnCoefficients"]) == 2
    assert bounds(regParam=0.1) == {}


@pytest.mark.parametrize(
    ("classes", "given", "what", "fix"),
    [
        (2, {"colour=rd": 0}, "names 'colour=rd', which is no slot and no feature", "did you mean 'colour=red'"),
        (2, {"x": [0, 1]}, "has 2 numbers for 'x'", "write one number"),
        (3, {"x": [0, 1]}, "has 2 numbers for 'x'", "write one for each of the 3 classes, or one for all"),
    ],
)
def test_what_no_matrix_can_be_made_of(bounds, classes, given, what, fix):
    with pytest.raises(DataError) as caught:
        bounds(classes, upperBoundsOnCoefficients=given)
    text = format_error(caught.value)
    assert text.startswith(f"error: param 'upperBoundsOnCoefficients' of ml model 'm' {what}\n  --> m.yml:1")
    assert f"fix: {fix}" in text


def test_bounds_that_cross(bounds):
    with pytest.raises(DataError, match="leave no number for 'colour=red'"):
        bounds(lowerBoundsOnCoefficients={"colour=red": 1}, upperBoundsOnCoefficients={"colour": 0})


def test_bounds_on_intercepts_are_one_for_each_class(bounds):
    assert bounds(lowerBoundsOnIntercepts=[float("-INF")]) == {"lowerBoundsOnIntercepts": [-FREE]}
    with pytest.raises(DataError, match="'upperBoundsOnIntercepts' of ml model 'm' has 2 numbers"):
        bounds(3, upperBoundsOnIntercepts=[0, 1])


def test_first_weights_of_a_network_are_counted(spec):
    ml_model = spec("MultilayerPerceptronClassifier", params={"hiddenLayers": [2], "initialWeights": [0.5, 1.0]})
    shape = DataShape(40, SLOTS, SOURCES, {}, 3)
    with pytest.raises(DataError) as caught:
        make_estimator(ml_model, ESTIMATORS["MultilayerPerceptronClassifier"], shape)
    assert caught.value.what == "'initialWeights' of ml model 'm' has 2 numbers, and the layers [4, 2, 3] have 19"


@pytest.mark.parametrize(
    ("estimator", "params", "fix"),
    [
        ("LinearRegression", {"solver": "normal"}, "write solver: l-bfgs"),
        ("GeneralizedLinearRegression", {}, "lower max_categories:, vocabSize or numFeatures, or make fewer with"),
    ],
)
def test_more_slots_than_are_solved_for(spec, estimator, params, fix):
    slots = tuple(f"remarks#{slot}" for slot in range(4097))
    with pytest.raises(DataError) as caught:
        check_slots(None, spec(estimator, params=params), ESTIMATORS[estimator], slots)
    assert caught.value.what == f"'{estimator}' of ml model 'm' solves for 4096 slots, and there are 4097"
    assert caught.value.fix.startswith(fix)
    check_slots(None, spec("LinearRegression"), ESTIMATORS["LinearRegression"], slots)
