"""A first build of ten SQL models with their data tests, beside the same SQL written as tables by a plain script."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from measure import STOP, compare
from projects import write_project

SCRIPT = """
import json, sys
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
         .config("spark.sql.shuffle.partitions", "4").config("spark.log.level", "ERROR").getOrCreate())
spark.read.parquet("data/events.parquet").createOrReplaceTempView("events")
for name, sql, reads in json.load(open("queries.json")):
    spark.sql(sql.format(a=reads[0], b=reads[1], c=reads[2])).write.mode("overwrite").parquet(f"plain/{name}")
    spark.read.parquet(f"plain/{name}").createOrReplaceTempView(name)
"""

with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary) / "project"
    made = write_project(folder, 10, layers=4)
    (folder / "queries.json").write_text(json.dumps(made), encoding="utf-8")

    def prepare(name: str) -> None:
        """Let every build be a first one."""
        shutil.rmtree(folder / ("plain" if name.startswith("a plain") else "warehouse"), ignore_errors=True)

    commands = {
        "sqlml build, 30 data tests": (sys.executable, "-m", "sqlml", "build"),
        "a plain script, no tests": (sys.executable, "-c", SCRIPT + STOP),
    }
    compare(commands, folder, prepare=prepare)
