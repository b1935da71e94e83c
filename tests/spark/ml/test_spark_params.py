"""The table of params is Spark's, and what is said of a value before Spark starts is what Spark says of it."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
from pathlib import Path

import pytest

from sqlml.compile.param_limits import find_fault
from sqlml.compile.params import check_params
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.spark_params import spark_params

pytestmark = pytest.mark.spark

NUMBERS = [-2, -1, 0, 1, 2, 3, 30, 31]
SHARES = [-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, math.nan, math.inf, -math.inf]
WORDS = ["", "foo", "auto", "AUTO", "1", "0", "0.5", "1.5", "1e-1", "-1", "en_US", "xx-YY", "disk_only", "NONE"]
LISTS = [
    [],
    [0.0],
    [0.5],
    [1.0],
    [0.0, 0.0],
    [0.0, 1.0],
    [0.0, 1.0, 2.0],
    [0.0, 1.0, 1.0],
    [2.0, 1.0, 3.0],
    [-1.0, 0.0, 1.0],
]
CANDIDATES = {
    "int": NUMBERS,
    "long": NUMBERS,
    "float": [*NUMBERS, *SHARES],
    "boolean": [True, False],
    "string": WORDS,
    "list": [[], ["a"]],
    "vector": [[0.5, 1.0]],
    "list of int": [[int(number) for number in numbers if number != 0.5] for numbers in LISTS],
    "list of float": [*LISTS, [-math.inf, 0.0, math.inf], [0.0, math.nan, 1.0]],
    "list of string": [[], ["a"], ["a", "b"], ["a", "a"], [""]],
    "list of list of float": [[], [[0.0, 1.0]], [[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0], [0.0, 1.0]], [[2.0, 1.0, 0.0]]],
}  # fmt: skip


@pytest.fixture(scope="module")
def tool():
    path = Path(__file__).parents[3] / "tools" / "make_spark_params.py"
    spec = importlib.util.spec_from_file_location("make_spark_params", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_that_of_the_installed_spark(spark, tool):
    assert json.loads(tool.TABLE.read_text(encoding="utf-8")) == tool.read_params(spark)


def test_a_value_is_refused_if_and_only_if_spark_refuses_it(spark, tool):
    from pyspark.ml.common import _py2java

    asked, wrong, refused, seen = 0, [], 0, set()
    for module_name, cls in tool.find_classes():
        java = tool.make_java(spark, module_name, cls)
        for name, param in spark_params(cls.__name__).items():
            # Params of one name and one check come from one trait of Spark ML. A column's name is a role's here, and
            # the locales differ by the Java.
            if (name, param.limits) in seen or param.is_column or param.type in ("any", "matrix") or name == "locale":
                continue
            seen.add((name, param.limits))
            values = [*CANDIDATES[param.type], *param.limits.values, *(text.upper() for text in param.limits.values)]
            for value in values:
                converted = getattr(cls, name).typeConverter(value)
                is_taken = tool.is_valid(java.getParam(name), _py2java(spark.sparkContext, converted))
                asked, refused = asked + 1, refused + (not is_taken)
                if is_taken is not (find_fault(param, value) is None):
                    wrong.append((cls.__name__, name, value, "Spark takes it" if is_taken else "Spark refuses it"))
    assert not wrong, wrong
    assert asked > 1500
    assert refused > 400


def conflicts(stage, params):
    found = check_params([stage], params, Places(SourceLocation("ml.yml", 1)), "params")
    # Of what another param makes meaningless Spark only warns, in its log.
    return [error for error in found if "means nothing" not in error.what]


FAMILIES = ["gaussian", "binomial", "poisson", "gamma", "tweedie", "Gamma"]
LINKS = ["identity", "log", "inverse", "logit", "probit", "cloglog", "sqrt", "LOG"]
GRIDS = {
    "GeneralizedLinearRegression": {"family": FAMILIES, "link": [*LINKS, None], "linkPower": [None, 0.5]},
    "LinearRegression": {
        "loss": ["huber", "squaredError", None],
        "solver": ["normal", "auto", "l-bfgs", None],
        "elasticNetParam": [None, 0.0, 0.5],
    },
    "LogisticRegression": {
        "threshold": [None, 0.25, 0.5],
        "thresholds": [None, [0.75, 0.25], [0.5, 0.5], [1.0, 1.0], [1.0, 0.0]],
    },
    "LDA": {
        "optimizer": [None, "EM", "online"],
        "k": [None, 2],
        "docConcentration": [None, [0.5], [1.5, 2.0], [1.5, 1.5]],
        "topicConcentration": [None, 0.5],
    },
    "MinMaxScaler": {"min": [None, 0.0, 2.0], "max": [None, 0.0, 3.0]},
    "RobustScaler": {"lower": [None, 0.2, 0.8], "upper": [None, 0.2, 0.9]},
    "UnivariateFeatureSelector": {
        "featureType": ["continuous"],
        "labelType": ["categorical"],
        "selectionMode": [None, "percentile", "fpr", "fdr", "fwe", "numTopFeatures"],
        "selectionThreshold": [None, 0, 0.5, 1, 2, 2.5],
    },
}  # fmt: skip


@pytest.mark.parametrize("stage", sorted(GRIDS))
def test_params_contradict_each_other_if_and_only_if_spark_says_so(spark, tool, stage):
    from pyspark.errors import IllegalArgumentException
    from pyspark.ml.linalg import Vectors

    rows = spark.createDataFrame([(0.0, Vectors.dense(1.0, 2.0))], ["label", "features"])
    cls = next(cls for _, cls in tool.find_classes() if cls.__name__ == stage)
    verdicts = []
    for values in itertools.product(*GRIDS[stage].values()):
        params = {name: value for name, value in zip(GRIDS[stage], values, strict=True) if value is not None}
        made = cls()
        for name, value in params.items():
            made.set(made.getParam(name), value)
        for name in ("inputCol", "featuresCol"):
            if made.hasParam(name):
                made.set(made.getParam(name), "features")
        if made.hasParam("outputCol"):
            made.set(made.getParam("outputCol"), "made")
        try:
            made._transfer_params_to_java()
            made._java_obj.transformSchema(rows._jdf.schema())
            if stage == "LogisticRegression":
                made._java_obj.getThreshold()
            if params.get("optimizer") == "EM":
                made.setMaxIter(1).fit(rows)
        except (IllegalArgumentException, ValueError):
            is_taken = False
        else:
            is_taken = True
        verdicts.append(is_taken)
        assert is_taken is (conflicts(stage, params) == []), params
    assert set(verdicts) == {True, False}
