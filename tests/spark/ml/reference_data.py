"""The tables of the reference results as files: scikit-learn's, Spark's samples and tests/data/reference."""

from __future__ import annotations

import os
import shutil
from importlib import resources
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TITANIC = "SQLML_TITANIC"
COPIED = Path(__file__).parents[2] / "data" / "reference"
SAMPLES = {
    "sample_linear": ("sample_linear_regression_data.txt", 10),
    "sample_classes": ("sample_multiclass_classification_data.txt", 4),
    "sample_digits": ("sample_libsvm_data.txt", 692),
    "sample_isotonic": ("sample_isotonic_regression_libsvm_data.txt", 1),
    "sample_points": ("sample_kmeans_data.txt", 3),
}
# Of aft_survival_regression.py: label, censor and two features.
TIMES = [
    (1.218, 1.0, [1.560, -0.605]),
    (2.949, 0.0, [0.346, 2.158]),
    (3.627, 0.0, [1.380, 0.231]),
    (0.273, 1.0, [0.520, 1.151]),
    (4.199, 0.0, [0.795, -0.226]),
]


def write_tables(folder: Path) -> list[str]:
    """Write every table below `folder` and return the files' names."""
    folder.mkdir(parents=True)
    for path in COPIED.iterdir():
        if path.suffix != ".md":
            shutil.copy(path, folder / path.name)
    if path := os.environ.get(TITANIC):
        shutil.copy(path, folder / "titanic.csv")
    for name, table in {**learning_sets(), **spark_samples()}.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return sorted(path.name for path in folder.iterdir())


def learning_sets() -> dict[str, pa.Table]:
    """Return scikit-learn's sets, columns named as theirs with `_` for what is no letter or digit."""
    from sklearn import datasets

    found = {
        "breast_cancer": datasets.load_breast_cancer(),
        "diabetes": datasets.load_diabetes(scaled=False),
        "iris": datasets.load_iris(),
        "wine": datasets.load_wine(),
    }
    tables = {}
    for name, bunch in found.items():
        columns = {"row_id": range(len(bunch.target))}
        for at, feature in enumerate(bunch.feature_names):
            columns[feature.replace(" (cm)", "").replace(" ", "_").replace("/", "_")] = bunch.data[:, at]
        columns["target"] = bunch.target
        tables[name] = pa.table({key: pa.array(values) for key, values in columns.items()})
    return tables


def spark_samples() -> dict[str, pa.Table]:
    """Return the samples that come with pyspark: label, and the features as the array x."""
    tables = {name: read_libsvm(file, size) for name, (file, size) in SAMPLES.items()}
    label, censor, x = zip(*TIMES, strict=True)
    tables["sample_times"] = pa.table({"row_id": range(len(TIMES)), "label": label, "censor": censor, "x": x})
    return tables


def read_libsvm(file: str, size: int) -> pa.Table:
    labels, vectors = [], []
    for line in (resources.files("pyspark") / "data" / "mllib" / file).read_text().splitlines():
        label, *pairs = line.split()
        vector = [0.0] * size
        for pair in pairs:
            place, _, value = pair.partition(":")
            vector[int(place) - 1] = float(value)
        labels.append(float(label))
        vectors.append(vector)
    return pa.table({"row_id": range(len(labels)), "label": labels, "x": vectors})
