"""Recommendations and patterns in one project and one build, against Spark ML by hand, numpy and Spark's examples.

The ratings are Spark's sample of MovieLens, with users that are texts; the baskets are those of Spark's example.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from sqlml.build import Request, build, compile_project, load_dag, open_engine, open_project_store
from sqlml.cli.progress import SilentProgress
from sqlml.errors import format_error
from sqlml.ir.results import Status
from sqlml.run.relations import Champions, Relations

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("warm")]

LINES = resources.files("pyspark").joinpath("data/mllib/als/sample_movielens_ratings.txt").read_text().split()
PARAMS = {"rank": 10, "maxIter": 10, "regParam": 0.1, "seed": 42, "numUserBlocks": 2, "numItemBlocks": 2}
SPLIT = "split: {by: column, column: part, holdout_values: [test]}"

FILES = {
    "sqlml_project.yml": "name: films\n",
    "seeds/ratings.csv": "line,user_id,movie_id,stars,rated_at\n"
    + "".join(
        f"{number},u{user},{movie},{stars},{moment}\n"
        for number, (user, movie, stars, moment) in enumerate(line.split("::") for line in LINES)
    ),
    "seeds/baskets.csv": 'basket,text\n1,"1,2,5"\n2,"1,2,3,5,2"\n3,"1,2"\n',
    "models/relations.yml": """version: 2
seeds:
  - name: ratings
    columns:
      - {name: line, data_type: int}
      - {name: user_id, data_type: string}
      - {name: movie_id, data_type: bigint}
      - {name: stars, data_type: int}
      - {name: rated_at, data_type: bigint}
  - name: baskets
    columns: [{name: basket, data_type: int}, {name: text, data_type: string}]
""",
    "models/known_ratings.sql": "select *, if(line % 5 = 0, 'test', 'train') as part, "
    "timestamp_seconds(rated_at + line) as at from {{ ref('ratings') }}",
    # One who is known, one who is not, and nobody.
    "models/active_users.sql": "select * from values ('u3'), ('u7'), ('u3'), ('stranger'), (null) as t(user_id)",
    "models/one_movie.sql": "select 2 as movie_id, 'x' as note",
    "models/purchases.sql": "select basket, split(text, ',') as products from {{ ref('baskets') }}",
    "models/new_pairs.sql": "select * from values (1, 'u3', 5L), (2, 'u3', 999L), (3, 'nobody', 5L), (4, null, 5L) "
    "as t(pair, user_id, movie_id)",
    "models/kept_scores.sql": "select * from {{ predict('taste', ref('new_pairs')) }}",
    "models/dropped_scores.sql": "select * from {{ predict('deeds', ref('new_pairs')) }}",
    "models/basket_scores.sql": "select * from {{ predict('habits', ref('purchases')) }}",
    "models/ml.yml": f"""version: 2
ml_models:
  - name: taste
    training_data: ref('known_ratings')
    estimator: ALS
    user: user_id
    item: movie_id
    rating: stars
    keys: [line]
    params: {json.dumps(PARAMS)}
    {SPLIT}
    slices:
      - {{name: good, where: "stars >= 3"}}
      - {{name: nobody, where: "stars < 0"}}
      - {{name: few, where: "movie_id < 9"}}
    gates:
      - {{metric: rmse, at_most: 0.99}}
      - {{metric: rmse, better_than: baseline}}
      - {{metric: ndcgAtK, k: 5, at_least: 0, slice: good}}
    outputs:
      - {{name: top_movies, kind: recommend_items, for: ref('active_users'), top: 4, exclude_seen: true}}
      - {{name: top_fans, kind: recommend_users, top: 3}}
      - {{name: alike, kind: similar_items, top: 5}}
      - {{name: like_two, kind: similar_items, for: ref('one_movie'), top: 2}}
  - name: deeds
    training_data: ref('known_ratings')
    estimator: ALS
    user: user_id
    item: movie_id
    rating: stars
    keys: [line]
    unseen: drop
    relevant_from: 3
    params: {{rank: 4, maxIter: 2, implicitPrefs: true, alpha: 5.0, numUserBlocks: 1, numItemBlocks: 1}}
    split: {{by: column, column: part, holdout_values: [test]}}
    outputs:
      - name: new_movies
        kind: recommend_items
        top: 2
        exclude_seen: ref('known_ratings')
        columns: [{{name: rank, data_tests: [not_null, {{accepted_values: {{values: [1, 2]}}}}]}}]
  - name: habits
    training_data: ref('purchases')
    estimator: FPGrowth
    items: products
    keys: [basket]
    params: {{minSupport: 0.5, minConfidence: 0.6}}
    outputs: [{{name: frequent, kind: itemsets}}, {{name: product_rules, kind: rules}}]
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films") / "project"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(project, warm):
    results = build(Request(project), SilentProgress()).results
    assert [format_error(found.error) for found in results.results if found.error] == []
    assert results.exit_code == 0, [found for found in results.results if found.status is Status.FAIL]
    return open_project_store(load_dag(Request(project)).project).snapshot()


@pytest.fixture(scope="module")
def rows_of(project, built):
    """Return a maker of the rows of a node, as dicts."""
    dag = load_dag(Request(project))
    by_name = {node.name: node for node in dag.nodes.values()}

    def rows_of(name: str) -> list[dict]:
        node = by_name[name]
        with open_engine(dag.project) as engine:
            Relations(dag, built, engine, Champions.of(built)).define(node.id)
            return [row.asDict() for row in engine.relation(node.relation).collect()]

    return rows_of


@pytest.fixture(scope="module")
def ratings():
    """Return (line, user, movie, stars) of the fit and of the hold-out."""
    split = [line.split("::") for line in LINES]
    rows = [(number, f"u{u}", int(m), float(s)) for number, (u, m, s, _) in enumerate(split)]
    return [row for row in rows if row[0] % 5], [row for row in rows if not row[0] % 5]


@pytest.fixture(scope="module")
def scores(spark, built):
    """Fit as the documentation says sqlml does; return users, movies, all predictions and the movies' factors."""
    from pyspark.ml.feature import StringIndexer
    from pyspark.ml.recommendation import ALS
    from pyspark.sql import functions as sf

    read = ["line", "user_id", "movie_id", "stars", "part"]
    rows = spark.read.parquet(built.outputs["sql_model.known_ratings"].location).select(*read)
    laid = rows.where("part != 'test'").repartition(1, "line").sortWithinPartitions("line", sf.xxhash64(*read))
    texts = laid.selectExpr("*", "cast(user_id as string) as u", "cast(movie_id as string) as m").persist()
    indexer = StringIndexer(inputCols=["u", "m"], outputCols=["user", "item"], handleInvalid="keep").fit(texts)
    als = ALS(userCol="user", itemCol="item", ratingCol="stars", **PARAMS)
    fitted = als.fit(indexer.transform(texts).withColumn("stars", sf.col("stars").cast("double")))
    users, movies = indexer.labelsArray
    factors = [
        np.array([row.features for row in table.orderBy("id").collect()], dtype=np.float64)
        for table in (fitted.userFactors, fitted.itemFactors)
    ]
    return list(users), [int(movie) for movie in movies], factors[0] @ factors[1].T, factors[1]


def metrics_of(version, dataset="holdout"):
    return {entry.metric: entry.value for entry in version.metrics if (entry.dataset, entry.slice) == (dataset, "")}


def test_the_error_is_the_one_that_is_known(built):
    """Ten seeds of ALS by numpy on the same split gave 0.934 to 0.990; the mean rating gives 1.164."""
    assert 0.934 <= metrics_of(built.champion("taste"))["rmse"] <= 0.990


def test_predictions_are_those_of_spark_ml_by_hand(rows_of, scores):
    users, movies, matrix, _ = scores
    found = {row["pair"]: row["predicted_stars"] for row in rows_of("kept_scores")}
    assert found[1] == pytest.approx(matrix[users.index("u3"), movies.index(5)], rel=1e-5)
    # Whom or what the fit did not see is null, and never NaN.
    assert (found[2], found[3], found[4]) == (None, None, None)
    assert [row["pair"] for row in rows_of("dropped_scores")] == [1]


ALONE = """
import sys, json
sys.modules["sqlml"] = None
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
taste, habits = (PipelineModel.load(path) for path in sys.argv[1:3])
pairs = spark.sql("select * from values ('u3', 5L), ('u3', 999L), ('nobody', 5L), (null, 5L) as t(user_id, movie_id)")
print("TASTE", json.dumps([repr(row.prediction) for row in taste.transform(pairs).collect()]))
baskets = spark.sql("select * from values (array('1', '1', null)), (array('9')), (null) as t(products)")
print("HABITS", json.dumps([sorted(row.prediction) for row in habits.transform(baskets).collect()]))
spark.stop()
"""


@pytest.mark.slow
def test_saved_models_need_no_sqlml(built, scores):
    folders = [f"{built.champion(name).location}/pipeline" for name in ("taste", "habits")]
    done = subprocess.run([sys.executable, "-c", ALONE, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("TASTE", "HABITS")))
    users, movies, matrix, _ = scores
    first, *others = [float(value) for value in json.loads(said["TASTE"])]
    assert first == pytest.approx(matrix[users.index("u3"), movies.index(5)], rel=1e-5)
    assert all(np.isnan(others))
    assert json.loads(said["HABITS"]) == [["2", "5"], [], []]


def ranked(names, values, top, without=()):
    """Return the `top` of `names` by value, greatest first."""
    order = sorted((-value, at) for at, value in enumerate(values) if names[at] not in without)
    return [(names[at], pytest.approx(-value, rel=1e-5)) for value, at in order[:top]]


def by_text(pair):
    return pair[0], str(pair[1])


def by_rank(rows, column, value):
    return sorted((row for row in rows if row[column] == value), key=lambda row: row["rank"])


def test_recommended_items_are_the_best_that_were_not_rated(rows_of, scores, ratings):
    users, movies, matrix, _ = scores
    rows = rows_of("top_movies")
    assert [*rows[0]] == ["user_id", "rank", "movie_id", "predicted_stars"]
    assert {row["user_id"] for row in rows} == {"u3", "u7"}
    for user in ("u3", "u7"):
        own = by_rank(rows, "user_id", user)
        rated = {movie for side in ratings for _, who, movie, _ in side if who == user}
        assert [row["rank"] for row in own] == [1, 2, 3, 4]
        assert len(rated) > 10
        expected = ranked(movies, matrix[users.index(user)], 4, rated)
        assert [(row["movie_id"], row["predicted_stars"]) for row in own] == expected


def test_recommended_users_are_those_of_every_item(rows_of, scores):
    users, movies, matrix, _ = scores
    rows = rows_of("top_fans")
    assert len(rows) == 3 * len(movies)
    for at, movie in enumerate(movies):
        own = [(row["user_id"], row["predicted_stars"]) for row in by_rank(rows, "movie_id", movie)]
        assert own == ranked(users, matrix[:, at], 3)


def test_similar_items_have_the_greatest_cosine(rows_of, scores):
    _, movies, _, factors = scores
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    rows = rows_of("alike")
    assert len(rows) == 5 * len(movies)
    for at, movie in enumerate(movies):
        own = [(row["similar_movie_id"], row["similarity"]) for row in by_rank(rows, "movie_id", movie)]
        assert own == ranked(movies, (unit @ unit.T)[at], 5, {movie})
    two = [row for row in rows if row["movie_id"] == 2 and row["rank"] <= 2]
    assert sorted(map(str, rows_of("like_two"))) == sorted(map(str, two))


def test_ranking_metrics_are_those_of_spark(spark, built, scores, ratings):
    """Of all held-out rows and of slices of them; and so are those of the films that most training rows have."""
    from pyspark.ml.evaluation import RankingEvaluator

    users, movies, matrix, _ = scores
    training, held_out = ratings
    counts = Counter(movie for _, _, movie, _ in training)
    popular = [-counts[movie] for movie in movies]
    slices = {"": held_out, "good": [row for row in held_out if row[3] >= 3], "few": [r for r in held_out if r[2] < 9]}
    found = {(entry.slice, entry.metric): entry for entry in built.champion("taste").metrics}
    for part, rows in slices.items():
        own, most, shown = [], [], {5: (set(), set()), 10: (set(), set())}
        for user in sorted({who for _, who, _, _ in rows if who in users}):
            rated = {movie for _, who, movie, _ in training if who == user}
            liked = [float(movie) for _, who, movie, _ in rows if who == user]
            by_fit = [movie for movie, _ in ranked(movies, matrix[users.index(user)], 10, rated)]
            by_rows = [movie for _, movie in sorted(zip(popular, movies, strict=True), key=by_text)]
            by_rows = [movie for movie in by_rows if movie not in rated][:10]
            own.append(([float(movie) for movie in by_fit], liked))
            most.append(([float(movie) for movie in by_rows], liked))
            for k, (fit, trivial) in shown.items():
                fit |= set(by_fit[:k])
                trivial |= set(by_rows[:k])
        for k in (5, 10):
            for name in ("ndcgAtK", "precisionAtK", "recallAtK", "meanAveragePrecisionAtK"):
                entry = found[part, f"{name[:-1]}{k}"]
                for lists, value in ((own, entry.value), (most, entry.baseline)):
                    table = spark.createDataFrame(lists, "prediction array<double>, label array<double>")
                    expected = RankingEvaluator(metricName=name, k=k).evaluate(table)
                    assert 0 < expected < 1
                    assert value == pytest.approx(expected, abs=1e-9), (part, name, k)
                assert entry.rows == len(own)
                assert entry.low < entry.value < entry.high
                assert entry.gain_low < entry.value - entry.baseline < entry.gain_high
            coverage = found[part, f"coverageAt{k}"]
            expected = [len(seen) / len(movies) for seen in shown[k]]
            assert [coverage.value, coverage.baseline] == pytest.approx(expected)
    assert not [part for part, _ in found if part == "nobody"]


def test_of_deeds_only_rankings_are_measured(built):
    names = ("ndcg", "meanAveragePrecision", "precision", "recall", "coverage")
    found = {(entry.metric, entry.dataset) for entry in built.champion("deeds").metrics}
    assert found == {(f"{name}At10", "holdout") for name in names}


def test_what_another_relation_has_is_not_recommended(rows_of, ratings):
    rated = {(user, movie) for side in ratings for _, user, movie, _ in side}
    rows = rows_of("new_movies")
    assert len(rows) == 60
    assert not {(row["user_id"], row["movie_id"]) for row in rows} & rated


def test_patterns_are_those_of_sparks_example(rows_of):
    """7 itemsets and 9 rules, as Spark's documentation prints them."""
    found = {tuple(row["items"]): row["freq"] for row in rows_of("frequent")}
    assert found == {
        ("1",): 3, ("2",): 3, ("5",): 2, ("1", "2"): 3, ("1", "5"): 2, ("2", "5"): 2, ("1", "2", "5"): 2,
    }  # fmt: skip
    rules = {(tuple(row["antecedent"]), tuple(row["consequent"])): row for row in rows_of("product_rules")}
    assert {sides: (row["confidence"], row["lift"]) for sides, row in rules.items()} == {
        (("1",), ("2",)): (1.0, 1.0), (("1",), ("5",)): (2 / 3, 1.0), (("2",), ("1",)): (1.0, 1.0),
        (("2",), ("5",)): (2 / 3, 1.0), (("5",), ("1",)): (1.0, 1.0), (("5",), ("2",)): (1.0, 1.0),
        (("1", "2"), ("5",)): (2 / 3, 1.0), (("1", "5"), ("2",)): (1.0, 1.0), (("2", "5"), ("1",)): (1.0, 1.0),
    }  # fmt: skip
    found = {row["basket"]: row["predicted_items"] for row in rows_of("basket_scores")}
    assert found == {1: [], 2: [], 3: ["5"]}


def test_columns_have_the_types_that_were_compiled(project, built):
    dag = load_dag(Request(project))
    compiled = compile_project(dag, open_project_store(dag.project))
    made = {node_id: output for node_id, output in built.outputs.items() if node_id.startswith("ml_output.")}
    assert len(made) == 7
    for node_id, output in made.items():
        expected = [*zip(compiled.columns[node_id], compiled.types[node_id], strict=True)]
        assert [(column.name, column.type) for column in output.columns] == expected


def test_nothing_is_made_again_and_data_that_counts_makes_it_again(project, built):
    assert not build(Request(project), SilentProgress()).plan.has_work
    path = project / "models/active_users.sql"
    path.write_text(path.read_text().replace("'u7'", "'u8'"))
    results = build(Request(project), SilentProgress()).results
    done = {found.node_id for found in results.results if found.status is Status.SUCCESS}
    assert done == {"sql_model.active_users", "ml_output.top_movies"}


def test_an_id_that_is_null_is_named(project, built, tmp_path):
    copy = tmp_path / "nulls"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("target", "warehouse"))
    path = copy / "models/known_ratings.sql"
    path.write_text(path.read_text().replace("select *,", "select * except (user_id), nullif(user_id, 'u3') user_id,"))
    results = build(Request(copy, select=("+taste",)), SilentProgress()).results
    error = next(found.error for found in results.results if found.node_id == "ml_model.taste")
    assert error.what.startswith("user 'user_id' of ml model 'taste' is null in ")
