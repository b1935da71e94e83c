"""How much a fitted model relies on each feature: held-out rows in, the same with one feature shuffled at a time out.

Every row is scored once for each feature, with the feature's value of another row, and once as it is; all in one query,
in which the shuffled features are slices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlml.ir.explanations import Row
from sqlml.ir.metrics import METRICS
from sqlml.ir.state import Metric
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.layout import own_columns, row_hash
from sqlml.run.ml.sql_text import literal
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_ROWS = 5000
AS_IT_IS = ""


def shuffle_features(rows: DataFrame, features: Sequence[str], count: int) -> DataFrame:
    """Return `rows` once as they are and once for each feature, whose values then are another row's.

    Args:
        count: how many rows there are; of more than 5,000 a part is taken, by their hash.

    Returns:
        The columns of `rows`; `SLICES` says what is shuffled, by an array with the feature's name (`''`: nothing).
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as sf

    parts = math.ceil(count / MOST_ROWS)
    hashed = rows.drop(SLICES).withColumn("__sqlml_hash", row_hash(rows))
    chosen = hashed.where(f"pmod(__sqlml_hash, {parts}) = 0")
    # Two orders that have nothing to do with each other make a permutation.
    orders = [Window.orderBy("__sqlml_hash"), Window.orderBy(sf.xxhash64("__sqlml_hash", sf.lit(1)), "__sqlml_hash")]
    left, right = (chosen.withColumn("__sqlml_at", sf.row_number().over(order)) for order in orders)
    values = [sf.col(quote(name)).alias(f"__sqlml_other_{at}") for at, name in enumerate(features)]
    paired = left.join(right.select("__sqlml_at", *values), "__sqlml_at")
    names = ", ".join(literal(name) for name in (AS_IT_IS, *features))
    each = paired.withColumn("__sqlml_feature", sf.expr(f"explode(array({names}))"))
    place = {name: at for at, name in enumerate(features)}
    columns = [
        f"IF(__sqlml_feature = {literal(name)}, __sqlml_other_{place[name]}, {quote(name)}) AS {quote(name)}"
        if name in place
        else quote(name)
        for name in [column.name for column in own_columns(rows)]
    ]
    # `''` is how all rows are called, so that what is as it is has another name.
    return each.selectExpr(*columns, f"array(concat('=', __sqlml_feature)) AS {SLICES}")


def importance_rows(metrics: Sequence[Metric]) -> list[Row]:
    """Return a row for each feature: how much worse the model's first metric is where the feature is shuffled.

    Args:
        metrics: of the rows that `shuffle_features` gave, by slice.
    """
    found = {(entry.slice.removeprefix("="), entry.metric): entry for entry in metrics if entry.slice}
    name = next((name for name in METRICS if (AS_IT_IS, name) in found), None)
    if name is None:
        return []
    whole, sign = found[AS_IT_IS, name], 1 if METRICS[name].is_higher_better else -1
    return [
        {
            "dataset": "holdout",
            "slice": "",
            "feature": feature,
            "metric": name,
            "importance": sign * (whole.value - entry.value),
            "value": whole.value,
            "shuffled": entry.value,
            "rows": whole.rows,
        }
        for (feature, measured), entry in found.items()
        if measured == name and feature != AS_IT_IS
    ]
