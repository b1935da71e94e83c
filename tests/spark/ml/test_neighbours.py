"""Outputs of rows that lie near each other, compared with distances that are computed here."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import pytest

from sqlml.build import Request, build, load_dag, open_project_store
from sqlml.cli.progress import SilentProgress
from sqlml.ir.results import Status
from sqlml.run.ml.artifact import read_pipeline

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("warm")]

PLACES = [(number, number * 37 % 23 / 4, number * 53 % 31 / 4) for number in range(40)]
NOTES = ["late gate snow", "late gate", "gate late wind", "crew", "crew ice", "", None, "fuel bag", "bag fuel", "snow"]
FILES = {
    "sqlml_project.yml": "name: near\n",
    "seeds/places.csv": "id,x,y\n" + "".join(f"{number},{x},{y}\n" for number, x, y in PLACES),
    "models/new_places.sql": "select cast(id as bigint) as id, y, x + 0.1 as x from {{ ref('places') }} where id > 34",
    "models/notes.sql": "select * from values "
    + ", ".join(f"({at}, {'null' if note is None else repr(note)})" for at, note in enumerate(NOTES))
    + " as notes(id, note)",
    "models/ml.yml": """version: 2
ml_models:
  - name: place_groups
    training_data: ref('places')
    where: id < 36
    estimator: KMeans
    params: {k: 2, maxIter: 1}
    keys: [id]
    split: {by: none}
    transforms: [{columns: [x, y], scale: none, near: {random_projection: 2.0}, params: {numHashTables: 2}}]
    outputs:
      - {name: nearest_places, kind: neighbours, top: 3}
      - {name: near_new_places, kind: neighbours, for: ref('new_places'), top: 2}
      - {name: place_pairs, kind: similar_pairs, max_distance: 1.5}
  - name: note_groups
    training_data: ref('notes')
    estimator: KMeans
    params: {k: 2, maxIter: 1}
    keys: [id]
    split: {by: none}
    transforms: [{columns: note, text: tokens, near: {min_hash: 12}}]
    outputs: [{name: note_pairs, kind: similar_pairs, max_distance: 0.7}]
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, warm) -> Path:
    folder = tmp_path_factory.mktemp("near")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    results = build(Request(folder), SilentProgress()).results.results
    assert [result.error for result in results if result.status is not Status.SUCCESS] == []
    return folder


@pytest.fixture(scope="module")
def built(project, spark):
    """Return a reader of a table that was built, and one of the hashes that a champion gives rows."""
    snapshot = open_project_store(load_dag(Request(project)).project).snapshot()

    def table(name):
        return spark.read.parquet(snapshot.outputs[f"ml_output.{name}"].location)

    def hashes(name, rows):
        stages = read_pipeline(Path(snapshot.champion(name).location)).stages
        at = next(at for at, stage in enumerate(stages) if "LSH" in type(stage).__name__)
        for stage in stages[: at + 1]:
            rows = stage.transform(rows)
        return {row.id: [part[0] for part in row[stages[at].getOutputCol()]] for row in rows.collect()}

    return table, hashes


def shares(left, right):
    return any(a == b for a, b in zip(left, right, strict=True))


def nearest(key, place, known, hashes, top):
    """Return (key, rank, key of the other, distance) for the nearest that share a hash."""
    found = [
        (math.dist(place[1:], other[1:]), other[0])
        for other in known
        if other[0] != place[0] and shares(hashes[key], hashes[other[0]])
    ]
    return [(place[0], rank, other, distance) for rank, (distance, other) in enumerate(sorted(found)[:top], 1)]


def same(rows, expected):
    assert len(rows) == len(expected) > 0
    for row, wanted in zip(sorted(rows), sorted(expected), strict=True):
        assert tuple(row) == pytest.approx(wanted, abs=1e-9)


def test_neighbours_are_the_nearest_of_those_that_share_a_hash(spark, built):
    table, hashes = built
    places = spark.createDataFrame(PLACES, "id bigint, x double, y double")
    known, found = PLACES[:36], hashes("place_groups", places)
    made = table("nearest_places")
    assert [(field.name, field.dataType.simpleString()) for field in made.schema] == [
        ("id", "int"), ("rank", "int"), ("near_id", "int"), ("distance", "double"),
    ]  # fmt: skip
    same(made.collect(), [row for place in known for row in nearest(place[0], place, known, found, 3)])


def test_neighbours_of_other_rows(spark, built):
    """The keys get the type that they have in the training data, and a row is not near itself."""
    table, hashes = built
    new = [(number, x + 0.1, y) for number, x, y in PLACES if number > 34]
    moved = spark.createDataFrame([(-number, x, y) for number, x, y in new], "id bigint, x double, y double")
    known = spark.createDataFrame(PLACES[:36], "id bigint, x double, y double")
    found = hashes("place_groups", known.unionAll(moved))
    rows = [row for place in new for row in nearest(-place[0], place, PLACES[:36], found, 2)]
    made = table("near_new_places")
    assert made.schema["id"].dataType.simpleString() == "int"
    same(made.collect(), rows)


def test_pairs_are_those_below_the_distance_once_each(spark, built):
    table, hashes = built
    found = hashes("place_groups", spark.createDataFrame(PLACES, "id bigint, x double, y double"))
    pairs = [
        (left[0], right[0], distance)
        for left, right in combinations(PLACES[:36], 2)
        if (distance := math.dist(left[1:], right[1:])) < 1.5 and shares(found[left[0]], found[right[0]])
    ]
    same(table("place_pairs").collect(), pairs)


def test_pairs_of_texts_by_the_words_that_they_share(spark, built):
    """The distance is Jaccard's; texts without a word are all the same."""
    table, hashes = built
    found = hashes("note_groups", spark.createDataFrame([*enumerate(NOTES)], "id int, note string"))
    words = {at: set((note or "").split()) or {""} for at, note in enumerate(NOTES)}
    pairs = [
        (left, right, distance)
        for left, right in combinations(words, 2)
        if (distance := 1 - len(words[left] & words[right]) / len(words[left] | words[right])) < 0.7
        and shares(found[left], found[right])
    ]
    assert {(7, 8, 0.0), (5, 6, 0.0)} <= set(pairs)
    same(table("note_pairs").collect(), pairs)
