"""The example in plain Spark ML, as one writes it without sqlml: same sources, same SQL text, same row layout.

    python plain_spark_ml.py PROJECT OUTPUT

PROJECT is the example after `sqlml build`: its sources, its seeds and the SQL in `target/compiled` are read, and so are
the fitted models in `warehouse/models`, for which PipelineModel.load needs no sqlml. OUTPUT gets `models.json`, where
each is described twice, as fitted here and as sqlml saved it, and as Parquet what the saved ones predict.
"""

import json
import math
import re
import sys
from pathlib import Path

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import GBTClassificationModel, GBTClassifier
from pyspark.ml.clustering import KMeans, KMeansModel
from pyspark.ml.evaluation import BinaryClassificationEvaluator, ClusteringEvaluator, RegressionEvaluator
from pyspark.ml.feature import (
    Imputer,
    OneHotEncoder,
    SQLTransformer,
    StandardScaler,
    StringIndexerModel,
    VectorAssembler,
)
from pyspark.ml.functions import vector_to_array
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

CSV_FILES = {
    "source__raw__weather": (
        "data/weather.csv",
        "origin string, year int, month int, day int, hour int, temp double, dewp double, humid double, "
        "wind_dir double, wind_speed double, wind_gust double, precip double, pressure double, visib double, "
        "time_hour timestamp",
    ),
    "dev__airlines": ("seeds/airlines.csv", "carrier string, name string"),
    "dev__airports": (
        "seeds/airports.csv",
        "faa string, name string, lat double, lon double, alt int, tz int, dst string, tzone string",
    ),
    "dev__planes": (
        "seeds/planes.csv",
        "tailnum string, year double, type string, manufacturer string, model string, engines int, seats int, "
        "speed double, engine string",
    ),
}
VIEWS = ("staging/stg_airports", "staging/stg_planes", "staging/stg_weather")
TABLES = ("staging/stg_flights", "features/flight_features", "features/route_features")

LAST_WEEK = "sched_dep_ts >= timestamp '2013-12-25 05:00:00'"
NO_FEATURES = ("flight_id", "sched_dep_ts", "tail_number", "is_late", "arr_delay")
CATEGORIES = ("carrier", "origin", "dest", "manufacturer")


def start():
    settings = {
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "3g",
        "spark.driver.defaultJavaOptions": "-XX:+UseParallelGC",
        "spark.ui.enabled": "false",
        # Not sqlml's number: nothing may depend on it.
        "spark.sql.shuffle.partitions": "7",
    }
    builder = SparkSession.builder.master("local[2]").appName("plain")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def read_project(spark, project):
    """Make every relation that the ML models read a temp view."""
    spark.read.parquet(str(project / "data/flights.parquet")).createOrReplaceTempView("source__raw__flights")
    for name, (path, columns) in CSV_FILES.items():
        spark.read.csv(str(project / path), columns, header=True, escape='"').createOrReplaceTempView(name)
    for name in VIEWS + TABLES:
        sql = (project / "target/compiled/models" / f"{name}.sql").read_text("utf-8")
        rows = spark.sql(sql)
        (rows.cache() if name in TABLES else rows).createOrReplaceTempView("dev__" + name.split("/")[1])


def lay_out(rows, *keys):
    """The documented layout: 50,000 rows to a partition, by the keys, sorted by them and then by the row's hash."""
    partitions = min(max(math.ceil(rows.count() / 50_000), 1), 200)
    return rows.repartition(partitions, *keys).sortWithinPartitions(*keys, F.xxhash64(*rows.columns)).persist()


def split_by_time(rows, holdout):
    """The last rows by time, at most `holdout` of them, none of which shares its time with an earlier one."""
    micros = "unix_micros(sched_dep_ts)"
    quantile = rows.selectExpr(f"percentile_disc({1 - holdout}D) within group (order by {micros})").first()[0]
    cut = rows.where(f"{micros} > {int(quantile)}").selectExpr(f"min({micros})").first()[0]
    return rows.where(f"{micros} < {cut}"), rows.where(f"{micros} >= {cut}")


def number_stages(names):
    casts = ", ".join(f"cast({name} as double) as {name}_number" for name in names)
    filled = [f"{name}_filled" for name in names]
    return [
        SQLTransformer(statement=f"select *, {casts} from __THIS__"),
        Imputer(strategy="median", inputCols=[f"{name}_number" for name in names], outputCols=filled),
    ]


def category_stages(training, names):
    """Index each: the 100 most frequent values, null, and one slot for all others."""
    texts = ", ".join(f"coalesce({name}, '<null>') as {name}_text" for name in names)
    stages = [SQLTransformer(statement=f"select *, {texts} from __THIS__")]
    for name in names:
        counted = training.where(F.col(name).isNotNull()).groupBy(name).count()
        top = [row[name] for row in counted.orderBy(F.desc("count"), name).limit(100).collect()]
        stages.append(
            StringIndexerModel.from_labels([*top, "<null>"], f"{name}_text", f"{name}_index", handleInvalid="keep")
        )
    return stages


def flight_stages(training, is_one_hot):
    features = [name for name in training.columns if name not in NO_FEATURES]
    stages = number_stages([name for name in features if name not in CATEGORIES])
    stages += category_stages(training, CATEGORIES)
    encoded = "one_hot" if is_one_hot else "index"
    if is_one_hot:
        indexes = [f"{name}_index" for name in CATEGORIES]
        one_hots = [f"{name}_one_hot" for name in CATEGORIES]
        stages.append(OneHotEncoder(inputCols=indexes, outputCols=one_hots, dropLast=False))
    inputs = [f"{name}_{encoded}" if name in CATEGORIES else f"{name}_filled" for name in features]
    return [*stages, VectorAssembler(inputCols=inputs, outputCol="features", handleInvalid="keep")]


def fit(estimator, stages, training, label=None):
    """Fit the stages, then the estimator on persisted features."""
    prepared = Pipeline(stages=stages).fit(training)

    def features(rows):
        columns = ["features", *([F.col(label).cast("double").alias("label")] if label else [])]
        return prepared.transform(rows).select(*columns).persist()

    return estimator.fit(features(training)), features


def flights(spark, label, but):
    rows = spark.table("dev__flight_features").drop("tail_number", but)
    training, holdout = split_by_time(rows.where(f"not ({LAST_WEEK}) and {label} is not null"), 0.2)
    return lay_out(training, "flight_id"), lay_out(holdout, "flight_id")


def fit_late_arrival(spark):
    training, holdout = flights(spark, "is_late", but="arr_delay")
    # A slot for each of 100 airports, for null and for all others: more than Spark's 32 bins.
    trees = GBTClassifier(maxIter=20, maxDepth=5, seed=7, maxBins=102)
    fitted, features = fit(trees, flight_stages(training, is_one_hot=False), training, "is_late")
    area = BinaryClassificationEvaluator(numBins=0).evaluate(fitted.transform(features(holdout)))
    return fitted, {"rows": training.count(), "areaUnderROC": area}


def fit_arrival_delay(spark):
    training, holdout = flights(spark, "arr_delay", but="is_late")
    line = LinearRegression(regParam=0.1)
    fitted, features = fit(line, flight_stages(training, is_one_hot=True), training, "arr_delay")
    error = RegressionEvaluator(metricName="rmse").evaluate(fitted.transform(features(holdout)))
    return fitted, {"rows": training.count(), "rmse": error}


def fit_route_groups(spark):
    training = lay_out(spark.table("dev__route_features"), "origin", "dest")
    names = [name for name in training.columns if name not in ("origin", "dest")]
    stages = [
        *number_stages(names),
        VectorAssembler(inputCols=[f"{name}_filled" for name in names], outputCol="raw", handleInvalid="keep"),
        StandardScaler(inputCol="raw", outputCol="features"),
    ]
    fitted, features = fit(KMeans(k=4, seed=7), stages, training)
    silhouette = ClusteringEvaluator().evaluate(fitted.transform(features(training)))
    return fitted, {"rows": training.count(), "trainingCost": fitted.summary.trainingCost, "silhouette": silhouette}


def describe(fitted):
    """What a fitted estimator has learnt, by values only: no uids, sets in order."""
    if isinstance(fitted, GBTClassificationModel):
        return {"trees": [describe_tree(tree) for tree in fitted.trees], "weights": list(fitted.treeWeights)}
    if isinstance(fitted, KMeansModel):
        return {"centres": [list(map(float, centre)) for centre in fitted.clusterCenters()]}
    return {"coefficients": list(map(float, fitted.coefficients)), "intercept": fitted.intercept}


def describe_tree(tree):
    def in_order(found):
        return "{" + ",".join(sorted(found[1].split(","), key=float)) + "}"

    return re.sub(r"{([^}]*)}", in_order, tree.toDebugString.partition("\n")[2])


def predict_with_saved(spark, project, output):
    """Let the fitted models of sqlml predict, and return the estimators in them."""
    flight_rows = spark.table("dev__flight_features")
    unseen = flight_rows.where("sched_dep_ts >= timestamp '2013-10-01'")
    asked = {
        "late_arrival": (unseen, ["flight_id", vector_to_array("probability")[1].alias("probability")]),
        "arrival_delay": (unseen, ["flight_id", "prediction"]),
        "route_groups": (spark.table("dev__route_features"), ["origin", "dest", "prediction"]),
    }
    fitted = {}
    for name, (rows, columns) in asked.items():
        pipeline = PipelineModel.load(str(project / "warehouse/models/dev" / name / "1/pipeline"))
        pipeline.transform(rows).select(*columns).write.parquet(str(output / name))
        fitted[name] = pipeline.stages[-1]
    return fitted


def main(project, output):
    spark = start()
    read_project(spark, project)
    saved = predict_with_saved(spark, project, output)
    models = {}
    for name, by_hand in (
        ("route_groups", fit_route_groups),
        ("arrival_delay", fit_arrival_delay),
        ("late_arrival", fit_late_arrival),
    ):
        fitted, metrics = by_hand(spark)
        models[name] = {"by_hand": describe(fitted), "saved": describe(saved[name]), "metrics": metrics}
    (output / "models.json").write_text(json.dumps(models, indent=1), "utf-8")
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
