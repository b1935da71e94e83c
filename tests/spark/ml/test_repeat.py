"""The same fit on other cores is the same bit for bit, and a saved model needs no sqlml."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import score

pytestmark = pytest.mark.slow

FIT_ON_CORES = """
import json, sys
from pathlib import Path
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import MlModel
from sqlml.run.ml import layout
from sqlml.run.ml.artifact import read_pipeline
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.session import SessionSettings, close, open_session

cores, folder, rows_sql = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
layout.ROWS_PER_PARTITION = 800
settings = {"spark.sql.shuffle.partitions": str(3 * cores), "spark.default.parallelism": str(cores)}
spark = open_session(SessionSettings(folder / "logs", cores=cores, memory="1g", spark=settings))
rows = spark.sql(rows_sql).repartition(5 * cores)
fits = {
    "LogisticRegression": ("late", {"maxIter": 10}), "GBTRegressor": ("amount", {"maxIter": 2, "subsamplingRate": 0.7}),
    "LinearRegression": ("amount", {}), "KMeans": (None, {"k": 3, "maxIter": 5}),
}
fits = {name: fits[name] for name in sys.argv[4:]}
seen = {}
for name, (label, params) in fits.items():
    ml_model = MlModel(name=name, path="", places=Places(SourceLocation("m", 1)), training_data="", estimator=name,
                       label=label, params=params, keys=("id",), include=("x", "n", "flag", "colour"))
    fitted = fit_ml_model(spark, ml_model, rows, folder / name)
    assert fitted.facts["layout"]["partitions"] == 6, fitted.facts
    stages = read_pipeline(folder / name).stages
    last = stages[-1]
    text = [stages[1].surrogateDF.collect()[0].asDict()]
    text += [last.toDebugString.split(chr(10))[1:]] if hasattr(last, "toDebugString") else []
    text += [[v.hex() for v in last.coefficients.toArray()]] if hasattr(last, "coefficients") else []
    text += [[v.hex() for c in last.clusterCenters() for v in c]] if hasattr(last, "clusterCenters") else []
    seen[name] = {"model": text, "metrics": {f"{m.dataset} {m.metric}": m.value for m in fitted.metrics}}
(folder / "seen.json").write_text(json.dumps(seen))
close(spark)
"""

LOAD_ALONE = """
import sys
sys.modules["sqlml"] = None
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
model = PipelineModel.load(sys.argv[1])
rows = model.transform(spark.read.parquet(sys.argv[2])).orderBy("id")
rows = rows.select("id", vector_to_array("probability")[1].alias("p"))
print("RESULT", [(row.id, row.p.hex()) for row in rows.collect()])
spark.stop()
try:
    import sqlml
except ImportError:
    print("ALONE")
"""


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], check=False, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize(
    ("estimators", "all_cores"),
    [
        (["GBTRegressor"], (1, 2)),
        pytest.param(
            ["LogisticRegression", "GBTRegressor", "LinearRegression", "KMeans"], (1, 2, 4), marks=pytest.mark.long
        ),
    ],
)
def test_cores_make_no_difference(tmp_path, rows_sql, estimators, all_cores):
    """Six partitions, on other cores, with other shuffle partitions and rows that come in another order."""
    seen = []
    for cores in all_cores:
        folder = tmp_path / str(cores)
        folder.mkdir()
        run(FIT_ON_CORES, cores, folder, rows_sql.format(rows=5800), *estimators)
        seen.append(json.loads((folder / "seen.json").read_text()))
    assert set(seen[0]) == set(estimators)
    for name in estimators:
        for other in seen[1:]:
            assert seen[0][name]["model"] == other[name]["model"], name
            assert seen[0][name]["metrics"] == pytest.approx(other[name]["metrics"], rel=1e-12), name


def test_a_saved_model_needs_no_sqlml(spark, rows, spec, tmp_path):
    """Loaded where sqlml cannot be imported, it gives the same probabilities to the last bit."""
    data, folder = tmp_path / "rows", tmp_path / "a b"
    given = rows.drop("late")
    given.unionAll(given.limit(1).selectExpr("cast(-1 as bigint)", *["null"] * (len(given.columns) - 1))).write.parquet(
        str(data)
    )
    result = fit_ml_model(spark, spec("GBTClassifier", params={"maxIter": 2}), rows, folder)
    scored = score(read_pipeline(folder), result.signature, spark.read.parquet(str(data))).orderBy("id")
    mine = [(row.id, row.probability.hex()) for row in scored.collect()]
    output = run(LOAD_ALONE, folder / "pipeline", data)
    assert f"RESULT {mine}" in output
    assert "ALONE" in output
