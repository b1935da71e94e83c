"""Checks the transforms of an ML model against what it reads: entries and known columns in, errors out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.compile.params import check_params
from sqlml.compile.readable import Readable
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.claims import names_like
from sqlml.ir.feature_stages import FEATURE_STAGES
from sqlml.ir.features import role_error
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.transforms import entry_stages, expression_sql


def check_transforms(ml_model: MlModel, training: Readable, features: tuple[str, ...] | None) -> Iterator[SqlmlError]:
    """Yield what is wrong with the transforms as far as names tell; types are looked at by `choose_transforms`.

    Args:
        ml_model: whose they are.
        training: its training relation; where its columns are unknown, no column is checked.
        features: those of its columns that are features; None: unknown.
    """
    for at, entry in enumerate(ml_model.transforms):
        yield from _check_params(entry, at, ml_model)
        if training.columns is not None:
            place = ml_model.places.value_of(f"transforms.{at}.columns")
            yield from _check_columns(entry, place, ml_model, training, features)
        yield from _check_expression(entry, at, ml_model, training)


def _check_params(entry: TransformSpec, at: int, ml_model: MlModel) -> Iterator[SqlmlError]:
    stages = entry_stages(entry)
    free = {name for stage in stages for name in FEATURE_STAGES[stage].params}
    set_by: dict[str, str] = {}
    for stage in stages:
        set_by = {**FEATURE_STAGES[stage].set_by, **set_by}
    title = f"'{stages[0]}' has no" if len(stages) == 1 else "no stage of this transform has a"
    for name in entry.params:
        place = ml_model.places.of(f"transforms.{at}.params.{name}")
        if name in set_by and name not in free:
            fix = f"remove it; it is set by {set_by[name]}"
            yield CompileError(f"param '{name}' may not stand in the params of a transform", place, fix)
        elif name not in free:
            yield CompileError(f"{title} param '{name}'", place, suggest(name, free, "there are"))
    params = {name: value for name, value in entry.params.items() if name in free}
    yield from check_params(stages, params, ml_model.places, f"transforms.{at}.params")


def _check_columns(
    entry: TransformSpec,
    place: SourceLocation,
    ml_model: MlModel,
    training: Readable,
    features: tuple[str, ...] | None,
) -> Iterator[SqlmlError]:
    columns = training.columns or ()
    known = {name.lower() for name in columns}
    chosen = {name.lower() for name in features or ()}
    for column in entry.columns:
        what = f"a transform of ml model '{ml_model.name}' names '{column}', which"
        if column != "*" and column.lower() not in known:
            fix = suggest(column, features or columns)
            yield CompileError(f"{what} '{training.title}' does not have", place, fix)
        elif column != "*" and features is not None and column.lower() not in chosen:
            has_role = role_error(column, ml_model, place)
            yield has_role or CompileError(f"{what} is not a feature", place, f"add '{column}' to 'features:'")
    if entry.like is not None and features is not None and not names_like(entry.like, features):
        what = f"a transform of ml model '{ml_model.name}' is for '{{like: {entry.like}}}', which no feature is"
        yield CompileError(what, place, suggest(entry.like.replace("*", ""), features, "the features are"))


def _check_expression(entry: TransformSpec, at: int, ml_model: MlModel, training: Readable) -> Iterator[SqlmlError]:
    """Check `expr:` once for one column that it is for; the SQL is the same for all others."""
    if entry.expr is None:
        return
    from sqlml.compile.row_expressions import check_expression

    place = ml_model.places.value_of(f"transforms.{at}.expr")
    named = [name for name in entry.columns if name != "*"]
    if len(named) != 1 and "{column}" not in entry.expr:
        what = f"an expr: of ml model '{ml_model.name}' is for several columns, and does not say '{{column}}'"
        yield CompileError(what, place, "write {column} where the column's name stands")
        return
    for column in named or ["column"]:
        title = f"expr: of '{column}'" if named else "expr:"
        what = f"{title} of ml model '{ml_model.name}'"
        sql = expression_sql(entry.expr, column)
        yield from check_expression(sql, column, training.type_of(column), what, place)
