"""Contracts before Spark starts: what was promised and what would be given in, errors out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlml.compile.findings import Finding
from sqlml.compile.types import SparkType, parse_type
from sqlml.errors import CompileError, SqlmlError
from sqlml.ir.contracts import Breach, Promise, find_ml_breaches, say_ml_breach, sql_breach
from sqlml.ir.dag import Dag, MlNode, PredictionNode, SqlNode
from sqlml.ir.signatures import ExpectedSignature
from sqlml.ir.state import Column, Fingerprint, Version

# Spark ML's own, which is no type of SQL.
_VECTOR = "vector"


def read_contract(
    node: SqlNode, returned: Mapping[str, SparkType | None] | None, errors: list[SqlmlError]
) -> tuple[Column, ...] | None:
    """Return what a SQL model promises; None: it has no contract, or one that says too little or is broken.

    Args:
        returned: its columns with their types, as far as they are known; None: not even their names.
        errors: gets what is wrong.
    """
    if not node.has_contract:
        return None
    found = list(_check_declaration(node, returned))
    errors.extend(found)
    if found:
        return None
    promised = tuple([Column(c.name, _type_text(c.data_type or "") or "") for c in node.declared_columns])
    columns = [Column(name, "" if found is None else str(found)) for name, found in (returned or {}).items()]
    error = sql_breach(replace(node, contract=promised), columns, CompileError) if returned is not None else None
    if error is not None:
        errors.append(error)
    return promised


def check_declared_types(node: SqlNode, returned: Mapping[str, SparkType | None]) -> Iterator[Finding]:
    """Yield what is declared of the types of a SQL model and is not so."""
    types = {name.lower(): found for name, found in returned.items()}
    for column in node.declared_columns if not node.has_contract else ():
        found = types.get(column.name.lower())
        declared = None if column.data_type is None else _type_text(column.data_type)
        if column.data_type is None or found is None or str(found).lower() == (declared or "").lower():
            continue
        what = f"column '{column.name}' of sql model '{node.name}' is declared {column.data_type}, and it is {found}"
        fix = f"write data_type: {found}, or cast it in the SQL"
        yield Finding("S005", what, node.place_of(column.name), fix, node.id)


def check_ml_contract(
    dag: Dag, node: MlNode, now: ExpectedSignature, fingerprint: Fingerprint, champion: Version
) -> Iterator[SqlmlError]:
    """Yield an error if an ML model would read or return something else than its champion."""
    rows = breaches_of(node, now, fingerprint, champion)
    if rows:
        what, fix = say_ml_breach(node.name, champion.version, rows, tuple(readers_of(dag, node.id)))
        yield CompileError(what, node.ml_model.places.of("contract"), fix)


def breaches_of(node: MlNode, now: ExpectedSignature, fingerprint: Fingerprint, champion: Version) -> list[Breach]:
    """Return what a fit would change of what the champion reads and returns."""
    prefix = champion.fingerprint.parts.get("output_prefix")
    promise = Promise(
        reads=None if now.features is None else (*now.features, *now.inputs),
        returns=now.outputs,
        returns_all=now.has_all_outputs,
        positive=node.ml_model.positive,
        is_renamed=prefix is not None and prefix != fingerprint.parts.get("output_prefix"),
    )
    return find_ml_breaches(champion, promise)


def readers_of(dag: Dag, ml_model: str) -> Iterator[str]:
    """Yield the names of what reads predictions of an ML model."""
    predictions = {
        node.id for node in dag.nodes.values() if isinstance(node, PredictionNode) and node.ml_model == ml_model
    }
    for node in dag.nodes.values():
        if isinstance(node, SqlNode) and predictions & {*node.parents}:
            yield node.name


def _check_declaration(node: SqlNode, returned: Mapping[str, SparkType | None] | None) -> Iterator[SqlmlError]:
    what = f"contract of sql model '{node.name}'"
    place = node.sql_model.places.of("config.contract")
    types = {name.lower(): found for name, found in (returned or {}).items()}
    if node.materialized == "ephemeral":
        fix = "write materialized: view or table, or contract: {enforced: false}"
        yield CompileError(f"{what}: it is for tables and views, and this is an ephemeral", place, fix)
    elif not node.declared_columns:
        shown = ", ".join(f"{name} {found or '?'}" for name, found in (returned or {}).items())
        fix = f"it returns: {shown}" if shown else "write name and data_type of each column"
        yield CompileError(f"{what}: no columns are declared", place, fix)
    for column in node.declared_columns:
        found = types.get(column.name.lower())
        write = None if found is None else f"write data_type: {found}"
        if column.data_type is None:
            text = f"{what}: column '{column.name}' has no data_type"
            yield CompileError(text, node.place_of(column.name), write or "add data_type:")
        elif _type_text(column.data_type) is None:
            text = f"{what}: column '{column.name}' is declared '{column.data_type}', which is no type of Spark's"
            yield CompileError(text, node.place_of(column.name), write)


def _type_text(data_type: str) -> str | None:
    """Return a type as Spark spells it; None: there is no such type."""
    if data_type.strip().lower() == _VECTOR:
        return _VECTOR
    found = parse_type(data_type)
    return None if found is None else str(found)
