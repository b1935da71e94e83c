"""Brings `TreeShap.java` to Spark: a session in, its class where every executor finds it out.

Spark compiles what it makes of queries by Janino, which so is there wherever Spark is. A jar is made once and kept;
Spark gives it to executors as it does those of a user.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.run.ml.contributions.packing import pack_trees
from sqlml.run.ml.contributions.trees import Node

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SOURCE = "TreeShap.java"
_CLASS = "sqlml.TreeShap"


def register_contributions(
    spark: SparkSession, name: str, trees: Sequence[Node], groups: Sequence[int], folder: Path
) -> None:
    """Register a SQL function `name(features, prediction)`: what each group of slots adds to the sum of the trees.

    It returns an array of doubles, for the output that is numbered by `prediction` if the trees have several.

    Args:
        groups: for each slot of the vector the group that it belongs to.
        folder: keeps the jar, at least as long as the session lives.
    """
    from pyspark.sql.types import ArrayType, DoubleType

    jvm: Any = spark._jvm
    returns = jvm.org.apache.spark.sql.types.DataType.fromJson(ArrayType(DoubleType(), False).json())
    made = _new_instance(spark, _make_jar(jvm, folder), pack_trees(trees, groups))
    jvm_session: Any = spark._jsparkSession
    jvm_session.udf().register(name, made, returns)


def _make_jar(jvm: Any, folder: Path) -> Path:
    source = Path(__file__).with_name(_SOURCE).read_text(encoding="utf-8")
    jar = folder.absolute() / f"tree-shap-{hashlib.sha256(source.encode()).hexdigest()[:16]}.jar"
    if jar.exists():
        return jar
    folder.mkdir(parents=True, exist_ok=True)
    compiler = jvm.org.codehaus.janino.SimpleCompiler()
    compiler.cook(source)
    draft = jar.with_suffix(f".{jvm.java.util.UUID.randomUUID()}")
    with zipfile.ZipFile(draft, "w") as archive:
        for name, code in compiler.getBytecodes().items():
            archive.writestr(name.replace(".", "/") + ".class", bytes(code))
    # Another process may be making the same one.
    draft.replace(jar)
    return jar


def _new_instance(spark: SparkSession, jar: Path, packed: bytes) -> Any:
    jvm: Any = spark._jvm
    gateway: Any = spark.sparkContext._gateway
    java_context: Any = spark.sparkContext._jsc
    uri = jar.as_uri()
    # What was added before, Spark leaves as it is.
    java_context.addJar(uri)
    urls = gateway.new_array(jvm.java.net.URL, 1)
    urls[0] = jvm.java.net.URI(uri).toURL()
    # Executors load the jar that Spark gives them; here nothing has loaded it yet.
    loader = jvm.java.net.URLClassLoader(urls, jvm.java.lang.Thread.currentThread().getContextClassLoader())
    arguments = gateway.new_array(jvm.java.lang.Object, 1)
    arguments[0] = packed
    return loader.loadClass(_CLASS).getConstructors()[0].newInstance(arguments)
