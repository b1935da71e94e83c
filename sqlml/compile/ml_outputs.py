"""Checks the outputs of ML models against what they read: a node and known columns in, columns and errors out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlml.compile.ml_types import typed_columns
from sqlml.compile.readable import Readable
from sqlml.compile.types import SparkType, parse_type
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.dag import MlOutputNode
from sqlml.ir.estimators import estimator_of
from sqlml.ir.ml_outputs import OUTPUT_KINDS, SEEN_ROLES, Trained
from sqlml.ir.ml_tables import ml_table_columns, tables_of
from sqlml.ir.signatures import find_misfit
from sqlml.ir.state import Column


def check_ml_output(
    node: MlOutputNode, trained: Trained, read: Mapping[str, Readable], errors: list[SqlmlError]
) -> dict[str, SparkType | None] | None:
    """Return the columns of an output with their types; None where they are not known before a fit.

    Args:
        trained: the ML model that it is made from.
        read: the relations that it reads, by node id.
        errors: gets what is wrong.
    """
    if node.is_called:
        return _ml_table(node, trained, errors)
    kind = OUTPUT_KINDS[node.output.kind]
    for key, node_id, roles in (("for", node.over, kind.over), ("exclude_seen", node.seen, SEEN_ROLES)):
        if node_id is not None and trained.ml_model.role_columns:
            errors.extend(_missing(node, trained, key, read[node_id], roles))
    if kind.is_near and node.over is not None:
        errors.extend(_cannot_be_near(node, trained, read[node.over]))
    columns = kind.columns(trained)
    if columns is None:
        return None
    twice = list(_repeated(columns))
    for name in twice:
        what = f"output '{node.name}', of kind '{kind.name}', would have two columns '{name}'"
        fix = "give the feature or the id of that name another one in the SQL of the training data"
        errors.append(CompileError(what, node.places.of("kind"), fix))
    return None if twice else {column.name: parse_type(column.type) for column in columns}


def _ml_table(node: MlOutputNode, trained: Trained, errors: list[SqlmlError]) -> dict[str, SparkType | None]:
    ml_model, table = trained.ml_model, node.output.kind
    has = tables_of(estimator_of(ml_model))
    if table not in has:
        what = f"ml_table('{ml_model.name}', '{table}'): a version of '{ml_model.estimator}' has no such table"
        errors.append(CompileError(what, node.places.whole, suggest(table, has, "it has")))
    return {column.name: parse_type(column.type) for column in ml_table_columns(table)}


def _missing(
    node: MlOutputNode, trained: Trained, key: str, relation: Readable, roles: Sequence[str]
) -> Iterator[SqlmlError]:
    """Yield an error if a relation does not have the columns with `roles`, or has them of another type."""
    if relation.columns is None:
        return
    misfit = find_misfit(typed_columns(relation), [trained.role(role) for role in roles])
    if misfit:
        what = f"output '{node.name}' reads '{relation.title}', which {misfit}"
        fix = suggest(misfit.missing[0].name, relation.columns) if misfit.missing else "cast them in its SQL"
        yield CompileError(what, node.places.value_of(key), fix)


def _cannot_be_near(node: MlOutputNode, trained: Trained, relation: Readable) -> Iterator[SqlmlError]:
    """Yield an error if the rows of a relation cannot be compared with those of the training data."""
    if relation.columns is None:
        return
    keys = [Column(key.name, "") for key in trained.keys]
    needed = (*keys, *(trained.signature.features or ()), *trained.signature.inputs)
    misfit = find_misfit(typed_columns(relation), needed)
    if misfit:
        what = f"output '{node.name}' looks for rows near those of '{relation.title}', which {misfit}"
        fix = f"add what is missing to '{relation.title}', or build both relations from one SQL model"
        yield CompileError(what, node.places.value_of("for"), fix)


def _repeated(columns: Sequence[Column]) -> Iterator[str]:
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() in seen:
            yield column.name
        seen.add(column.name.lower())
