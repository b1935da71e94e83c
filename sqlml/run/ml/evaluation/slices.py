"""Which slices a row is in: the `slices:` of an ML model in, the SQL of an array of their names out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.errors import DataError, raise_all
from sqlml.ir.project import MlModel
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.sql_text import literal
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_VALUES = 100
NULL_VALUE = "<null>"


def slices_sql(ml_model: MlModel) -> str:
    """Return the SQL, over the training relation, of the names of a row's slices; empty where there are none.

    A column gives `carrier=UA` (`carrier=<null>` for null), a condition its name where it is true.
    """
    names = []
    for part in ml_model.slices:
        if part.where is None:
            value = f"coalesce(CAST({quote(part.name)} AS STRING), {literal(NULL_VALUE)})"
            names.append(f"concat({literal(part.name + '=')}, {value})")
        else:
            names.append(f"IF(({part.where}), {literal(part.name)}, NULL)")
    return f"array_compact(array({', '.join(names)}))" if names else ""


def check_slices(rows: DataFrame, ml_model: MlModel) -> None:
    """Check that no column of `slices:` has too many values; a scan only where there are such columns.

    Raises:
        DataError, ErrorList: one has.
    """
    from pyspark.sql import functions as sf

    # The values of `for_each:` are counted where it is decided which of them are fitted.
    own = "" if ml_model.for_each is None else ml_model.for_each.column
    columns = [part for part in ml_model.slices if part.where is None and part.name != own]
    if not columns:
        return
    prefixes = [literal(part.name + "=") for part in columns]
    values = [f"filter({SLICES}, name -> startswith(name, {prefix}))[0]" for prefix in prefixes]
    row = rows.agg(*[sf.expr(f"count(DISTINCT {sql})").alias(f"n{at}") for at, sql in enumerate(values)]).collect()[0]
    raise_all(
        [
            DataError(
                f"slice column '{part.name}' of ml model '{ml_model.name}' has {row[at]} values, and at most "
                f"{MOST_VALUES} are measured",
                part.location,
                "make a coarser column in the SQL, or conditions: {name: …, where: …}",
            )
            for at, part in enumerate(columns)
            if row[at] > MOST_VALUES
        ]
    )
