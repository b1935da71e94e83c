"""A first fit of 20 boosted trees on 327,346 flights, beside the same fit written by hand against Spark ML.

Both split, prepare features, fit, measure hold-out and training rows and save. By hand that is two evaluators and
`cache()`; sqlml checks and describes the rows, measures all its metrics with intervals and curves, and keeps a version.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from measure import STOP, compare

DATA = Path(__file__).parent.parent / "data" / "flights.parquet"
PROJECT = "name: fit\ntarget: dev\ntargets: {dev: {schema: dev}}\n"
SOURCES = f"version: 2\nsources:\n  - name: raw\n    tables: [{{name: flights, path: {DATA}}}]\n"
FLIGHTS = """SELECT month, day, hour, minute, carrier, origin, dest, distance, dep_delay, arr_delay > 15 AS is_late
FROM {source} WHERE arr_delay IS NOT NULL AND dep_delay IS NOT NULL"""
ML_MODEL = """version: 2
ml_models:
  - name: late
    training_data: ref('late_flights')
    estimator: GBTClassifier
    params: {maxIter: 20, maxDepth: 5, seed: 7}
    label: is_late
    split: {by: hash, holdout: 0.2}
"""
SCRIPT = f"""
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import Imputer, StringIndexer, VectorAssembler
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
         .config("spark.driver.memory", "4g").config("spark.log.level", "ERROR").getOrCreate())
spark.read.parquet("{DATA}").createOrReplaceTempView("flights")
rows = spark.sql(\"\"\"{FLIGHTS.format(source="flights")}\"\"\").selectExpr("*", "double(is_late) AS label")
training, holdout = (part.cache() for part in rows.randomSplit([0.8, 0.2], seed=42))
numbers, texts = ["month", "day", "hour", "minute", "distance", "dep_delay"], ["carrier", "origin", "dest"]
pipeline = Pipeline(stages=[
    Imputer(strategy="median", inputCols=numbers, outputCols=[f"{{name}}_" for name in numbers]),
    StringIndexer(inputCols=texts, outputCols=[f"{{name}}_" for name in texts], handleInvalid="keep"),
    VectorAssembler(inputCols=[f"{{name}}_" for name in numbers + texts], outputCol="features"),
    GBTClassifier(maxIter=20, maxDepth=5, seed=7, maxBins=128),
])
fitted = pipeline.fit(training)
for part in (training, holdout):
    for metric in ("areaUnderROC", "areaUnderPR"):
        print(BinaryClassificationEvaluator(metricName=metric).evaluate(fitted.transform(part)))
fitted.write().overwrite().save("plain")
"""

with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    (folder / "models").mkdir()
    (folder / "sqlml_project.yml").write_text(PROJECT, encoding="utf-8")
    (folder / "models" / "sources.yml").write_text(SOURCES, encoding="utf-8")
    (folder / "models" / "late_flights.sql").write_text(
        FLIGHTS.format(source="{{ source('raw', 'flights') }}"), encoding="utf-8"
    )
    (folder / "models" / "late.yml").write_text(ML_MODEL, encoding="utf-8")

    def prepare(name: str) -> None:
        """Let every fit be a first one."""
        shutil.rmtree(folder / ("plain" if name.startswith("by hand") else "warehouse"), ignore_errors=True)

    commands = {
        "sqlml build": (sys.executable, "-m", "sqlml", "build"),
        "by hand": (sys.executable, "-c", SCRIPT + STOP),
    }
    compare(commands, folder, prepare=prepare)
