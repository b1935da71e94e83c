"""The registry of estimators against the pyspark that is installed; no JVM."""

from __future__ import annotations

import importlib
from inspect import isabstract

import pytest

from sqlml.ir.domains import glm_labels, naive_bayes_features
from sqlml.ir.estimators import ESTIMATORS, NOT_HERE, Problem, Returns, find_estimator
from sqlml.ir.explanations import EXPLANATIONS
from sqlml.ir.roles import ROLES, Domain

MODULES = ("classification", "regression", "clustering", "recommendation", "fpm")
# Declared by Spark's classes and never read by them: factorization machines take every row for one.
NOT_READ = {("FMClassifier", "weight"), ("FMRegressor", "weight")}


def public_estimators():
    from pyspark.ml import Estimator
    from pyspark.ml.wrapper import JavaParams

    for module_name in MODULES:
        module = importlib.import_module(f"pyspark.ml.{module_name}")
        for name in module.__all__:
            cls = getattr(module, name)
            is_model = name.endswith(("Model", "Summary"))
            # Two of Spark's fit nothing, and are no Estimator for it: they map a relation to another.
            is_stage = isinstance(cls, type) and issubclass(cls, (Estimator, JavaParams))
            if is_stage and not is_model and not isabstract(cls):
                yield name, cls


def test_every_public_estimator_is_there_or_has_a_reason():
    found = {name for name, _ in public_estimators()}
    assert len(found) > 20
    assert found == set(ESTIMATORS) | set(NOT_HERE)
    assert not set(ESTIMATORS) & set(NOT_HERE)
    assert all(NOT_HERE.values())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_entry_says_what_sparks_class_says(name):
    entry = ESTIMATORS[name]
    cls = getattr(importlib.import_module(entry.module), name)
    for key, role in ROLES.items():
        if (name, key) not in NOT_READ:
            assert (key in entry.roles) == hasattr(cls, role.param), key
    own = (entry.threshold_param or "featuresCol",) if entry.reads_features else ()
    for param in (*entry.sets, *entry.completes, *entry.refused_params, *own):
        assert hasattr(cls, param), param
    assert not any(hasattr(cls, param) for param in entry.own_params if param != "classifier")
    if name != "OneVsRest":
        assert (entry.returns is Returns.PROBABILITIES) == (
            hasattr(cls, "probabilityCol") and entry.problem is Problem.CLASSIFICATION
        )
        assert ("seed" in entry.sets) == hasattr(cls, "seed")
        assert entry.explains or entry.makes
    assert set(entry.explains) <= set(EXPLANATIONS)


def test_every_table_that_explains_is_filled_by_some_estimator():
    assert {table for entry in ESTIMATORS.values() for table in entry.explains} == set(EXPLANATIONS)


def test_one_vs_rest_is_what_its_classifier_is():
    trees = find_estimator("OneVsRest", {"classifier": "GBTClassifier"})
    assert trees.family is ESTIMATORS["GBTClassifier"].family
    assert trees.max_classes is None
    assert trees.returns is Returns.SCORES
    assert "weight" not in find_estimator("OneVsRest", {"classifier": "MultilayerPerceptronClassifier"}).roles
    assert find_estimator("Nothing", {}) is None


@pytest.mark.parametrize(
    ("params", "domain"),
    [
        ({}, Domain.ANY),
        ({"family": "Poisson"}, Domain.NON_NEGATIVE),
        ({"family": "gamma"}, Domain.POSITIVE),
        ({"family": "binomial"}, Domain.SHARE),
        ({"family": "tweedie"}, Domain.ANY),
        ({"family": "tweedie", "variancePower": 1.5}, Domain.NON_NEGATIVE),
        ({"family": "tweedie", "variancePower": 2}, Domain.POSITIVE),
    ],
)
def test_labels_of_generalized_linear_regressions(params, domain):
    assert glm_labels(params) is domain


def test_features_of_naive_bayes():
    assert naive_bayes_features({}) is Domain.NON_NEGATIVE
    assert naive_bayes_features({"modelType": "complement"}) is Domain.NON_NEGATIVE
    assert naive_bayes_features({"modelType": "bernoulli"}) is Domain.ZERO_ONE
    assert naive_bayes_features({"modelType": "gaussian"}) is Domain.ANY
