"""Writes sqlml/ir/spark_params.json: each class of Spark ML with its params, their types, bounds, values and defaults.

All of it is read from the JVM of the installed pyspark. Run it for a new version of Spark:
`python tools/make_spark_params.py`.

A param of Spark ML holds a function that says whether a value is valid. Most are made by `ParamValidators` (`gtEq(0)`,
`inRange(0, 1)`, `inArray(values)`), and what they were made with is read from the function itself, which Scala compiles
to a serializable lambda: its name and what it captured. A function that was written for one param cannot be read so;
it has an entry in `WRITTEN_OUT`, and a new one ends this script with its name. `tests/spark/ml/test_spark_params.py`
asks Spark about many values of each param and compares.
"""

from __future__ import annotations

import importlib
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from inspect import isabstract
from pathlib import Path
from typing import Any

from pyspark.errors import IllegalArgumentException
from pyspark.ml import Model
from pyspark.ml.param import Param, Params
from pyspark.sql import SparkSession

MODULES = ("classification", "regression", "clustering", "recommendation", "fpm", "feature", "evaluation")
TABLE = Path(__file__).parent.parent / "sqlml" / "ir" / "spark_params.json"

# Bases of other classes, which cannot be made.
BASES = frozenset({"JavaEvaluator"})

STORAGE_LEVELS = [
    *("DISK_ONLY", "DISK_ONLY_2", "DISK_ONLY_3", "MEMORY_ONLY", "MEMORY_ONLY_2", "MEMORY_ONLY_SER"),
    *("MEMORY_ONLY_SER_2", "MEMORY_AND_DISK", "MEMORY_AND_DISK_2", "MEMORY_AND_DISK_SER", "MEMORY_AND_DISK_SER_2"),
    "OFF_HEAP",
]
INCREASING = {"min_items": 3, "rule": "increasing"}

WRITTEN_OUT: dict[tuple[str, str], dict[str, Any]] = {
    ("AFTSurvivalRegressionParams", "quantileProbabilities"): {"each": {"above": 0, "below": 1}, "min_items": 1},
    ("ALSModelParams", "coldStartStrategy"): {"values": ["nan", "drop"]},
    ("ALSParams", "finalStorageLevel"): {"values": ["NONE", *STORAGE_LEVELS]},
    ("HasIntermediateStorageLevel", "intermediateStorageLevel"): {"values": STORAGE_LEVELS},
    ("Bucketizer", "splits"): INCREASING,
    ("Bucketizer", "splitsArray"): {"each": INCREASING},
    ("GBTClassifierParams", "lossType"): {"values": ["logistic"]},
    ("GBTRegressorParams", "lossType"): {"values": ["squared", "absolute"]},
    ("GeneralizedLinearRegressionBase", "family"): {
        "values": ["gaussian", "binomial", "poisson", "gamma", "tweedie"],
    },
    ("GeneralizedLinearRegressionBase", "link"): {
        "values": ["identity", "log", "inverse", "logit", "probit", "cloglog", "sqrt"],
    },
    ("GeneralizedLinearRegressionBase", "variancePower"): {"at_least": 1, "also": [0]},
    ("HasCheckpointInterval", "checkpointInterval"): {"at_least": 1, "also": [-1]},
    ("HasThresholds", "thresholds"): {"each": {"at_least": 0}, "rule": "at_most_one_zero"},
    ("HasVarianceImpurity", "impurity"): {"values": ["variance"]},
    ("TreeClassifierParams", "impurity"): {"values": ["entropy", "gini"]},
    ("TreeEnsembleParams", "featureSubsetStrategy"): {
        "values": ["auto", "all", "onethird", "sqrt", "log2"],
        "rule": "count_or_share",
    },
    ("LDAParams", "docConcentration"): {"each": {"at_least": 0}},
    ("LDAParams", "optimizer"): {"values": ["online", "em"]},
    ("LogisticRegressionParams", "family"): {"values": ["auto", "binomial", "multinomial"]},
    ("MultilayerPerceptronParams", "layers"): {"each": {"above": 0}, "min_items": 2},
    ("PowerIterationClusteringParams", "srcCol"): {},
    ("PowerIterationClusteringParams", "dstCol"): {},
    ("QuantileDiscretizerBase", "numBucketsArray"): {"each": {"at_least": 2}},
    ("VectorSizeHint", "size"): {"at_least": 0},
    ("VectorSlicer", "indices"): {"each": {"at_least": 0}, "rule": "distinct"},
    ("VectorSlicer", "names"): {"rule": "distinct_names"},
    # The locales of a Java differ by its version.
    ("ParamValidators$", "locale"): {"rule": "locale"},
}
"""Where a validator was written and for which param, to what it says."""


def find_classes() -> Iterator[tuple[str, type[Params]]]:
    """Yield the module's name and each class of it that is made with params and not by a fit."""
    for module_name in MODULES:
        module = importlib.import_module(f"pyspark.ml.{module_name}")
        for name, cls in vars(module).items():
            if not isinstance(cls, type) or not issubclass(cls, Params) or issubclass(cls, Model):
                continue
            if cls.__module__ != module.__name__ or name.startswith("_") or isabstract(cls) or name in BASES:
                continue
            yield module_name, cls


def make_java(spark: SparkSession, module_name: str, cls: type[Params]) -> Any:
    """Return an instance of the Scala class of `cls`."""
    package = getattr(spark.sparkContext._jvm.org.apache.spark.ml, module_name)
    return getattr(package, cls.__name__)()


def read_params(spark: SparkSession) -> dict[str, dict[str, dict[str, Any]]]:
    """Return class name -> param name -> what `sqlml.ir.spark_params.SparkParam` holds."""
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for module_name, cls in find_classes():
        java = make_java(spark, module_name, cls)
        java_params = {param.name(): param for param in java.params()}
        own = [param for key in dir(cls) if isinstance(param := getattr(cls, key, None), Param)]
        found = {param.name: _read_param(spark, java, java_params[param.name], param) for param in own}
        if found:
            table[cls.__name__] = dict(sorted(found.items()))
    return dict(sorted(table.items()))


def _read_param(spark: SparkSession, java: Any, java_param: Any, param: Param[Any]) -> dict[str, Any]:
    kind = _type(java_param, param)
    entry = {"type": kind, **_read_validator(spark, java_param)}
    values = entry.get("values")
    if values and all(is_valid(java_param, text.swapcase()) for text in values):
        entry["ignore_case"] = True
    default = _default(java, java_param)
    # A seed's is a hash of the class's name, and a locale's that of the machine.
    if default is not None and param.name not in ("seed", "locale") and not param.name.endswith(("Col", "Cols")):
        entry["default"] = default
    return {**entry, "doc": " ".join(java_param.doc().split())}


def _type(java_param: Any, param: Param[Any]) -> str:
    """Return what the param takes, in the words of `SparkParam`."""
    word = param.typeConverter.__name__.removeprefix("to")
    lists = {"ListInt": "list of int", "ListFloat": "list of float", "ListString": "list of string"}
    lists |= {"ListListFloat": "list of list of float", "List": "list"}
    if java_param.getClass().getSimpleName() == "LongParam":
        return "long"
    return lists.get(word, "any" if word == "identity" else word.lower())


def _read_validator(spark: SparkSession, java_param: Any) -> dict[str, Any]:
    """Return what the param's own function says of a value."""
    owner, method, captured = _open_lambda(spark, java_param.isValid())
    written = WRITTEN_OUT.get((owner, java_param.name()))
    if written is not None:
        return dict(written)
    if owner != "ParamValidators$" or method not in _MADE:
        raise NotImplementedError(f"{java_param} is checked by {owner}.{method}: add it to WRITTEN_OUT")
    return _MADE[method](*captured)


def _open_lambda(spark: SparkSession, function: Any) -> tuple[str, str, list[Any]]:
    """Return the class and the method that a Scala function was written in, and what it captured."""
    gateway, jvm = spark.sparkContext._gateway, spark.sparkContext._jvm
    replace = function.getClass().getDeclaredMethod("writeReplace", gateway.new_array(jvm.java.lang.Class, 0))
    replace.setAccessible(True)
    form = replace.invoke(function, gateway.new_array(jvm.java.lang.Object, 0))
    captured = [form.getCapturedArg(at) for at in range(form.getCapturedArgCount())]
    # `$anonfun$gtEq$1$adapted`
    return form.getImplClass().split("/")[-1], form.getImplMethodName().split("$")[2], captured


def _in_range(has_low: bool, low: float, has_high: bool, high: float) -> dict[str, Any]:
    return {
        "at_least" if has_low else "above": _number(low),
        "at_most" if has_high else "below": _number(high),
    }


_MADE: dict[str, Callable[..., dict[str, Any]]] = {
    "alwaysTrue": lambda: {},
    "gt": lambda bound: {"above": _number(bound)},
    "gtEq": lambda bound: {"at_least": _number(bound)},
    "lt": lambda bound: {"below": _number(bound)},
    "ltEq": lambda bound: {"at_most": _number(bound)},
    "inRange": _in_range,
    "inArray": lambda values: {"values": list(values)},
    "arrayLengthGt": lambda bound: {"min_items": int(bound) + 1},
}
"""Name of a function of `ParamValidators` to what it says, from what it was given."""


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _default(java: Any, java_param: Any) -> Any:
    if not java.hasDefault(java_param):
        return None
    value = java.getDefault(java_param).get()
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    # A stop word list is long, and says nothing to a reader.
    if value.getClass().isArray() and len(value) <= 20:
        return list(value)
    return None


def is_valid(java_param: Any, value: Any) -> bool:
    """Ask Spark whether a param takes `value`, which is of the param's type."""
    try:
        java_param.w(value)
    except IllegalArgumentException:
        return False
    return True


if __name__ == "__main__":
    from sqlml.run.session import SessionSettings, close, open_session

    with tempfile.TemporaryDirectory() as logs:
        session = open_session(SessionSettings(Path(logs), cores=1, memory="1g"))
        try:
            text = json.dumps(read_params(session), indent=1, ensure_ascii=False)
        finally:
            close(session)
    TABLE.write_text(text + "\n", encoding="utf-8")
