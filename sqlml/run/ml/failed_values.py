"""Says which values of `for_each:` cannot be fitted: what is wrong with each in, one error out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlml.errors import DataError, SqlmlError
from sqlml.ir.features import place_of_for_each
from sqlml.ir.project import MlModel


def refuse_values(failed: Mapping[str, Sequence[SqlmlError]], of: int, ml_model: MlModel) -> None:
    """Raise one error for all values of `for_each:` that cannot be fitted, if there are any.

    Args:
        failed: value to what is wrong with its rows.
        of: how many values are fitted in all.

    Raises:
        DataError: its lines say what is wrong with each.
    """
    if not failed:
        return
    column = ml_model.for_each.column if ml_model.for_each is not None else ""
    what = f"{len(failed)} of {of} values of '{column}' cannot be fitted for ml model '{ml_model.name}'"
    fix = "raise 'min_rows:', leave their rows out by 'where:', or merge values in the SQL"
    error = DataError(f"{what}: {', '.join(map(repr, failed))}", place_of_for_each(ml_model), fix)
    error.lines = tuple(f"'{value}': {one.what}" for value, errors in failed.items() for one in errors)
    raise error
