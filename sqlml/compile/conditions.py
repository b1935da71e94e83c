"""Reads the conditions of ML models: their text and known columns in, what it reads and placed errors out."""

from __future__ import annotations

from sqlglot import exp

from sqlml.compile.checks.checker import check_statement
from sqlml.compile.facts import Condition
from sqlml.compile.readable import Readable
from sqlml.compile.scopes import analyze
from sqlml.compile.slices import slice_statement
from sqlml.compile.spans import Spans
from sqlml.compile.sql import Statement, parse_statement
from sqlml.compile.tokens import digest_tokens
from sqlml.errors import CompileError, SqlmlError
from sqlml.ir.location import SourceLocation

# A condition is read as the WHERE clause of a statement over this relation.
_TRAINING = "training"
_FRAME = f"select 1 as kept from {_TRAINING} where "


def read_condition(
    condition: str, what: str, place: SourceLocation, training: Readable, errors: list[SqlmlError]
) -> Condition | None:
    """Return what a condition reads, None if it cannot be read; errors are appended to `errors`.

    Args:
        what: it is, as errors call it.
        place: where it stands.
        training: the relation whose rows it chooses.
    """
    shift = len(_FRAME)

    def locate(start: int, end: int | None = None) -> SourceLocation:
        return place.part(condition, start - shift, None if end is None else end - shift)

    try:
        statement = parse_statement(_FRAME + condition, what, locate)
    except SqlmlError as error:
        errors.append(error)
        return None
    if not _is_condition(statement):
        errors.append(CompileError(f"{what} is not one condition", place, "write what stands after WHERE, and no more"))
        return None
    readable = {_TRAINING: Readable(_TRAINING, training.title, training.columns)}
    analysis = analyze(statement, readable, what, locate)
    errors.extend(analysis.errors)
    types = None if training.columns is None else training.types
    _, problems = check_statement(statement, Spans(statement.tokens), {_TRAINING: types}.get)
    errors.extend(
        [CompileError(f"{what} {found.what}", locate(*found.span), found.fix) for found in problems if not found.code]
    )
    if not analysis.is_exact:
        return Condition(digest_tokens(statement.tokens), None)
    read = slice_statement(statement, analysis.query, ["kept"]).parents.get(_TRAINING, frozenset())
    return Condition(digest_tokens(statement.tokens), read)


def _is_condition(statement: Statement) -> bool:
    tree = statement.tree
    if not isinstance(tree, exp.Select):
        return False
    return {key for key, value in tree.args.items() if value} == {"expressions", "from_", "where"}
