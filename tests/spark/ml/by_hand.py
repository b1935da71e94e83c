"""The pipelines that the documentation says sqlml makes, written with Spark ML alone; runs in a process without sqlml.

    python by_hand.py FOLDER

loads every `FOLDER/CASE/pipeline`, lets the rows of `FOLDER/rows` pass it, and writes what comes out to
`FOLDER/CASE/predictions.json`.
"""

import json
import sys
from collections import Counter
from pathlib import Path

ADDED = ("prediction", "probability", "rawPrediction", "predictionQuantiles", "topicDistribution")


def usual_stages(training, encode, scaled):
    """Return the stages of the features x, n, flag (median for null) and colour (three most frequent values)."""
    from pyspark.ml import feature as f

    counts = Counter(row.colour for row in training.select("colour").collect() if row.colour is not None)
    top = [colour or "<empty>" for colour, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]]
    stages = [
        f.SQLTransformer(
            statement="select *, cast(x as double) x1, cast(n as double) n1, cast(flag as double) flag1, "
            "coalesce(case when colour = '' then '<empty>' else colour end, '<null>') colour1 from __THIS__"
        ),
        f.Imputer(strategy="median", inputCols=["x1", "n1", "flag1"], outputCols=["x2", "n2", "flag2"]),
        f.StringIndexerModel.from_arrays_of_labels([[*top, "<null>"]], ["colour1"], ["colour2"], handleInvalid="keep"),
    ]
    colour = "colour2"
    if encode == "one_hot":
        stages.append(f.OneHotEncoder(inputCol="colour2", outputCol="colour3", dropLast=False))
        colour = "colour3"
    inputs = ["x2", "n2", "flag2", colour]
    if scaled:
        stages += [
            f.VectorAssembler(inputCols=["x2", "n2"], outputCol="s1"),
            f.StandardScaler(inputCol="s1", outputCol="s2"),
        ]
        inputs = ["s2", "flag2", colour]
    return [*stages, f.VectorAssembler(inputCols=inputs, outputCol="features")]


def array_stages(name, size):
    """Return the stages of one feature that is an array of numbers."""
    from pyspark.ml import feature as f

    columns = [f"{name}_{slot}" for slot in range(size)]
    made = ", ".join(f"cast(get({name}, {slot}) as double) {column}" for slot, column in enumerate(columns))
    return [
        f.SQLTransformer(statement=f"select *, {made} from __THIS__"),
        f.VectorAssembler(inputCols=columns, outputCol="features", handleInvalid="keep"),
    ]


def lay_out(rows):
    """Return the rows in the order in which sqlml fits them: by the id, which each has for itself."""
    return rows.repartition(1, "id").sortWithinPartitions("id")


def plain_rows(scored):
    """Return what a fitted pipeline adds, by id, as JSON has it."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as sf

    columns = [
        sf.col(name) if name == "prediction" else vector_to_array(name).alias(name)
        for name in ADDED
        if name in scored.columns
    ]
    return {str(row["id"]): row.asDict() for row in scored.select("id", *columns).collect()}


def main(folder):
    sys.modules["sqlml"] = None
    from pyspark.ml import PipelineModel
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "1").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.sql.codegen.wholeStage", "false")
    spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    rows = spark.read.parquet(str(folder / "rows"))
    for path in sorted(folder.glob("*/pipeline")):
        found = plain_rows(PipelineModel.load(str(path)).transform(rows))
        (path.parent / "predictions.json").write_text(json.dumps(found))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
