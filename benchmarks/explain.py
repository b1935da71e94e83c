"""Predicting with `explain=5`, beside predicting alone: CPU time of Spark a row, for boosted trees and forests.

What is fitted has 30 features; rows are read, scored, and thrown away. As a program: explain.py [MODEL …].
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sqlml.run.ml.contributions.explainer import Making, make_explainer
from sqlml.run.ml.dispatch import load_parts, score_parts
from sqlml.run.session import SessionSettings, close, open_session

FEATURES, ROWS, RUNS = 30, 10_000, 3
MODELS = {
    "linear": ("LogisticRegression", "{}"),
    "20 boosted trees of depth 5": ("GBTClassifier", "{maxIter: 20, seed: 1}"),
    "100 boosted trees of depth 5": ("GBTClassifier", "{maxIter: 100, seed: 1}"),
    "100 trees of depth 8": ("RandomForestClassifier", "{numTrees: 100, maxDepth: 8, seed: 1}"),
    "100 trees of depth 10": ("RandomForestClassifier", "{numTrees: 100, maxDepth: 10, seed: 1}"),
}
PROJECT = "name: explained\nversion: '1.0'\n"
ENTRY = """  - {{name: {name}, training_data: ref('rows'), estimator: {estimator}, params: {params}, label: y,
     keys: [id], positive: 1, split: {{by: none}}}}
"""


def name_of(chosen: str) -> str:
    """Return the name of the ML model."""
    return f"m{list(MODELS).index(chosen)}"


def write_project(folder: Path, chosen: list[str]) -> None:
    """Write a project that fits what was chosen on rows whose label depends on products and steps of features."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=(ROWS, FEATURES))
    margin = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + x[:, 3] * abs(x[:, 4]) + 0.3 * x[:, 5] + draw.normal(size=ROWS)
    columns = {"id": np.arange(ROWS), "y": (margin > 0).astype(int)} | {f"x{at}": x[:, at] for at in range(FEATURES)}
    for name in ("models", "seeds"):
        (folder / name).mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "seeds" / "rows.parquet")
    (folder / "sqlml_project.yml").write_text(PROJECT, encoding="utf-8")
    entries = [ENTRY.format(name=name_of(one), estimator=MODELS[one][0], params=MODELS[one][1]) for one in chosen]
    (folder / "models" / "ml.yml").write_text("version: 2\nml_models:\n" + "".join(entries), encoding="utf-8")


def cpu_s(spark: Any, act: Callable[[], None]) -> float:
    """Return the median CPU seconds that the JVM takes for something, once it is warm."""
    process = spark._jvm.java.lang.ProcessHandle.current()

    def measure() -> float:
        before = process.info().totalCpuDuration().get().toNanos()
        act()
        return float(process.info().totalCpuDuration().get().toNanos() - before) / 1e9

    return statistics.median([measure() for _ in range(RUNS + 2)][2:])


def main(chosen: list[str]) -> None:
    """Fit, and print a row for each of what was chosen."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_project(folder, chosen)
        subprocess.run([sys.executable, "-m", "sqlml", "build"], cwd=folder, check=True, capture_output=True)
        spark = open_session(SessionSettings(folder / "logs", cores=1))
        # Read once; what is measured has the files of the operating system's cache.
        rows = spark.read.parquet((folder / "seeds" / "rows.parquet").as_uri()).drop("y")
        print(f"{'':32}{'predict':>12}{'explain=5':>12}{'ratio':>8}   (CPU microseconds a row)")
        for one in chosen:
            parts = load_parts(spark, folder / "warehouse" / "models" / "dev" / name_of(one) / "1")
            part, signature = parts[0], parts[0].signature
            explainers = [make_explainer(Making(spark, part.pipeline, signature, part.folder, folder))]
            costs = []
            for explained in (None, (explainers, 5)):
                scored = score_parts(parts, signature, rows, explained=explained)
                costs.append(cpu_s(spark, scored.write.format("noop").mode("overwrite").save) / ROWS * 1e6)
            print(f"{one:32}{costs[0]:12.0f}{costs[1]:12.0f}{costs[1] / costs[0]:8.1f}", flush=True)
        close(spark)


if __name__ == "__main__":
    main(sys.argv[1:] or list(MODELS))
