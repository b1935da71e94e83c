"""The values of `for_each:`: rows with a side in, the values that get a fitted model each, and their rows, out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.features import place_of_for_each
from sqlml.ir.project import ForEach, MlModel
from sqlml.run.ml.checks import MOST_PARTS, PART, SIDE, TRAINING
from sqlml.run.ml.sql_text import literal
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a column.

    Attributes:
        fitted: those that get a fitted model, as text, in order.
        others: how many other values there are, and how many rows they have; null is one of them.
        named: some of those others.
    """

    for_each: ForEach
    fitted: tuple[str, ...]
    others: tuple[int, int] = (0, 0)
    named: tuple[str, ...] = field(default_factory=tuple)

    def mark(self, sided: DataFrame) -> DataFrame:
        """Return `sided` with the column `PART`; rows of values without a fitted model are on neither side."""
        value = text_sql(self.for_each.column)
        is_fitted = f"coalesce({value} IN ({', '.join(map(literal, self.fitted))}), false)"
        kept = [quote(name) for name in sided.columns if name != SIDE]
        return sided.selectExpr(
            *kept, f"IF({is_fitted}, {SIDE}, NULL) AS {SIDE}", f"IF({is_fitted}, {value}, NULL) AS {PART}"
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What a version remembers of them."""
        values, rows = self.others
        others = {"values": values, "rows": rows, "predictions": self.for_each.others}
        return {"column": self.for_each.column, "min_rows": self.for_each.min_rows, "others": others}

    @property
    def warnings(self) -> list[str]:
        """What a person should know of those without a fitted model."""
        count, rows = self.others
        if not count:
            return []
        more = f" and {count - len(self.named)} more" if count > len(self.named) else ""
        said = f"value of '{self.for_each.column}' has" if count == 1 else f"values of '{self.for_each.column}' have"
        least = f"fewer than {self.for_each.min_rows} training rows"
        return [f"{count} {said} no fitted model ({least}; {rows} rows in all): {', '.join(self.named)}{more}"]


def text_sql(column: str, below: str = "") -> str:
    """Return the SQL of the text that names a value of a column; `below` stands before its name, as in `row.`."""
    return f"CAST({below}{quote(column)} AS STRING)"


def find_values(sided: DataFrame, ml_model: MlModel, for_each: ForEach) -> Values:
    """Return the values that have enough training rows, and what is said of the others.

    Raises:
        DataError: there is none, or more than can be fitted.
    """
    from pyspark.sql import functions as sf

    counted = sided.groupBy(sf.expr(text_sql(for_each.column)).alias("value")).agg(
        sf.expr(f"count_if({SIDE} <=> '{TRAINING}')").alias("training"), sf.count(sf.lit(1)).alias("n")
    )
    is_fitted = f"value IS NOT NULL AND training >= {for_each.min_rows}"
    fitted, count, rows, named = counted.selectExpr(
        _first(MOST_PARTS + 1, f"CASE WHEN {is_fitted} THEN value END"),
        f"count_if(NOT ({is_fitted}))",
        f"coalesce(sum(CASE WHEN NOT ({is_fitted}) THEN n END), 0)",
        _first(_MOST_NAMED, f"CASE WHEN NOT ({is_fitted}) THEN coalesce(value, '<null>') END"),
    ).collect()[0]
    what, place = f"'{for_each.column}' of ml model '{ml_model.name}'", place_of_for_each(ml_model)
    if not fitted:
        said = f"no value of {what} has {for_each.min_rows} training row{'' if for_each.min_rows == 1 else 's'}"
        raise DataError(said, place, "lower 'min_rows:', or bring more rows")
    if len(fitted) > MOST_PARTS:
        fix = "raise 'min_rows:', or make a coarser column in the SQL"
        raise DataError(f"{what} has more than {MOST_PARTS} values, each of which would be fitted", place, fix)
    return Values(for_each, tuple(fitted), (count, rows), tuple(named))


def _first(count: int, texts: str) -> str:
    return f"slice(sort_array(collect_list({texts})), 1, {count})"
