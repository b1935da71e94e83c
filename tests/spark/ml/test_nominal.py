"""What trees are told of features: categories stay nominal on every way, ranges and means are numbers in order."""

from __future__ import annotations

import json
import re

import pytest

from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Split
from sqlml.ir.transform_spec import TransformSpec
from sqlml.run.ml.fit import fit_ml_model

TREE = {"numTrees": 1, "maxDepth": 4, "seed": 5}


def entry(*columns, **words):
    return TransformSpec(columns=columns, location=SourceLocation("m.yml", 9), **words)


@pytest.fixture(scope="module")
def table(rows_of):
    """Rows whose label hangs on a category, on a number in ranges, and on a slot of an array."""
    return rows_of(800).selectExpr(
        "*", "if(colour = 'blue' or n in (2, 3, 7), 9, 0) + amount / 100 as y",
        "array(cast(n % 3 as double), n / 2d) as a",
        "concat('c', n) as category",
    )  # fmt: skip


def splits_of(fitted, folder):
    """Return slot -> the ways in which the tree asks for it (`in`, `<=`), and the slots' attributes."""
    from pyspark.ml import PipelineModel

    text = PipelineModel.load(f"file://{folder}/pipeline").stages[-1].toDebugString
    found = {}
    for slot, way in re.findall(r"If \(feature (\d+) (in|<=)", text):
        found.setdefault(fitted.signature.slots[int(slot)], set()).add(way)
    return found


def test_a_tree_asks_for_categories_by_name_and_for_ranges_in_order(spark, spec, table, tmp_path):
    entries = (
        entry("category", max_categories=6),
        entry("x", quantiles=5),
        entry("colour", encode="target"),
        entry("a", encode="index", max_categories=4),
    )
    ml_model = spec(
        "RandomForestRegressor", label="y", params=TREE | {"featureSubsetStrategy": "all"}, transforms=entries,
        include=("category", "x", "colour", "a", "n"), split=Split(by="none"),
    )  # fmt: skip
    result = fit_ml_model(spark, ml_model, table, tmp_path / "m")
    splits = splits_of(result, tmp_path / "m")
    nominal = {"category", "a[0]"}
    assert {slot: way for slot, way in splits.items() if slot in nominal} == {
        slot: {"in"} for slot in nominal & splits.keys()
    }
    assert "category" in splits
    assert all(way == {"<="} for slot, way in splits.items() if slot not in nominal)
    # Each slot says what it is, also to programs that know nothing of sqlml.
    from pyspark.ml import PipelineModel

    stages = PipelineModel(PipelineModel.load(f"file://{tmp_path}/m/pipeline").stages[:-1])
    attributes = stages.transform(table).schema["features"].metadata["ml_attr"]["attrs"]
    kinds = {slot["idx"]: kind for kind, slots in attributes.items() for slot in slots}
    named = {name: kinds[at] for at, name in enumerate(result.signature.slots)}
    assert named == {"category": "nominal", "x": "numeric", "colour": "numeric", "a[0]": "nominal", "a[1]": "numeric",
                     "n": "numeric"}  # fmt: skip


def test_a_category_stays_nominal_through_a_selection(spark, spec, table, tmp_path):
    entries = (entry("category", "x", "n", select=("univariate", 2)),)
    ml_model = spec(
        "GBTClassifier", params={"maxIter": 2, "maxDepth": 3}, transforms=entries, include=("category", "x", "n"),
        split=Split(by="none"),
    )  # fmt: skip
    result = fit_ml_model(spark, ml_model, table, tmp_path / "m")
    assert len(result.signature.slots) == 2
    assert splits_of(result, tmp_path / "m").get("category", {"in"}) == {"in"}


def test_new_words_learn_from_training_rows_only(spark, rows, spec, tmp_path):
    """A hold-out with other values changes nothing that was learnt."""
    split = Split(by="column", columns=("grade",), holdout_values=("top",))
    texts = "concat_ws(' ', 'a', if(n % 2 = 0, 'b', null), if(n % 3 = 0, 'c', null)) as remarks"
    table = rows.selectExpr("*", texts, "n * 3 as m", "n + 1 as k", "colour as shade")
    entries = (
        entry("x", quantiles=4),
        entry("n", impute="mean", clip=(1.0, 8.0)),
        entry("remarks", text="tf_idf"),
        entry("colour", encode="target"),
        entry("m", "k", scale="standard", reduce=("pca", 1)),
        entry("shade", encode="one_hot", max_categories=2),
    )
    ml_model = spec(
        "LinearRegression", label="amount", params={"maxIter": 2}, split=split, transforms=entries,
        include=("x", "n", "remarks", "colour", "m", "k", "shade"),
    )  # fmt: skip
    changed = table.selectExpr(
        "* except (x, n, remarks, colour, m, k, shade)",
        *[f"if(grade = 'top', {other}, {name}) as {name}" for name, other in {
            "x": "1e6", "n": "10000", "remarks": "'z z z'", "colour": "'other'", "m": "-5", "k": "77", "shade": "'odd'",
        }.items()],
    )  # fmt: skip
    kept, moved = (
        fit_ml_model(spark, ml_model, given, tmp_path / name) for name, given in (("a", table), ("b", changed))
    )
    assert kept.signature.slots == moved.signature.slots
    assert learnt(spark, tmp_path / "a") == learnt(spark, tmp_path / "b")


def learnt(spark, folder):
    """Return what each stage of a saved pipeline holds, without what is made up anew for each fit."""
    found = []
    for stage in sorted((folder / "pipeline" / "stages").iterdir(), key=lambda path: int(path.name.split("_")[0])):
        metadata = json.loads(next((stage / "metadata").glob("part-*")).read_text())
        data = spark.read.parquet(f"file://{stage}/data").collect() if (stage / "data").exists() else None
        found.append((metadata["class"], metadata["paramMap"], data))
    return found
