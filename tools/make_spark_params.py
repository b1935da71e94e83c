"""Writes sqlml/ir/spark_params.json: each class of Spark ML with its params and the types they take.

It reads the installed pyspark; no JVM is needed. Run it for a new version of Spark:
`python tools/make_spark_params.py`.
"""

from __future__ import annotations

import importlib
import json
from inspect import isabstract
from pathlib import Path

from pyspark.ml import Estimator, Model, Transformer
from pyspark.ml.param import Param

MODULES = ("classification", "regression", "clustering", "recommendation", "fpm", "feature")
TABLE = Path(__file__).parent.parent / "sqlml" / "ir" / "spark_params.json"


def read_params() -> dict[str, dict[str, str]]:
    """Return class name -> param name -> type (`int`, `float`, `boolean`, `string`, `list of float` …)."""
    table: dict[str, dict[str, str]] = {}
    for module_name in MODULES:
        module = importlib.import_module(f"pyspark.ml.{module_name}")
        for name, cls in vars(module).items():
            is_stage = (
                isinstance(cls, type) and issubclass(cls, (Estimator, Transformer)) and not issubclass(cls, Model)
            )
            if not is_stage or cls.__module__ != module.__name__ or name.startswith("_") or isabstract(cls):
                continue
            params = {key: getattr(cls, key, None) for key in dir(cls)}
            found = {key: _type(param) for key, param in params.items() if isinstance(param, Param)}
            if found:
                table[name] = dict(sorted(found.items()))
    return dict(sorted(table.items()))


def _type(param: object) -> str:
    """Return what the param's converter takes, in words."""
    converter = param.typeConverter.__name__  # type: ignore[attr-defined]
    word = converter.removeprefix("to")
    lists = {"ListInt": "list of int", "ListFloat": "list of float", "ListString": "list of string"}
    lists |= {"ListListFloat": "list of list of float", "List": "list"}
    return lists.get(word, "any" if converter == "identity" else word.lower())


if __name__ == "__main__":
    TABLE.write_text(json.dumps(read_params(), indent=1) + "\n", encoding="utf-8")
