"""Makes sure that no key is on two sides: rows with a column that says which side they are on in, errors out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.project import MlModel
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SAID = {
    "split": "both in the training rows and in the hold-out",
    "folds": "in more than one fold",
    "windows": "in more than one window of the backtest",
}


def assert_disjoint(rows: DataFrame, column: str, ml_model: MlModel, what: str) -> int | None:
    """Return on how many sides too many keys are, which is none; None: the ML model has no keys.

    Rows with a null in a key, which names none of them, and rows on no side are not looked at.

    Args:
        column: says on which side a row is.
        what: `split`, `folds` or `windows`.

    Raises:
        DataError: a key is on two sides: what it is measured on is then not unseen.
    """
    from pyspark.sql import functions as sf

    if not ml_model.keys:
        return None
    names = [quote(name) for name in ml_model.keys]
    named = rows.where(" AND ".join(f"{name} IS NOT NULL" for name in names))
    by_key = named.groupBy(*[sf.col(name) for name in names])
    sides = by_key.agg(sf.expr(f"min({column}) != max({column})").alias("is_shared"))
    shared = int(sides.selectExpr("count_if(is_shared)").collect()[0][0])
    if shared:
        keys = ", ".join(ml_model.keys)
        said = f"{shared} key{' is' if shared == 1 else 's are'} {_SAID[what]}"
        raise DataError(
            f"{said} of ml model '{ml_model.name}', where rows of one key ({keys}) must not be seen before",
            ml_model.places.value_of("keys"),
            "name in 'keys:' all columns that tell rows apart, or split by hash of the keys",
        )
    return 0
