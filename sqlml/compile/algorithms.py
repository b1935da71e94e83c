"""Checks relations by an algorithm against what they read: a node and known columns in, columns and errors out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlml.compile.params import check_params
from sqlml.compile.readable import Readable
from sqlml.compile.types import SparkType, parse_type
from sqlml.errors import CompileError, SqlmlError, suggest
from sqlml.ir.algorithms import ALGORITHMS
from sqlml.ir.dag import AlgorithmNode
from sqlml.ir.roles import Domain
from sqlml.ir.type_rules import NUMBERS, is_atomic


def check_algorithm(node: AlgorithmNode, read: Readable, errors: list[SqlmlError]) -> Mapping[str, SparkType | None]:
    """Return the columns of a relation by an algorithm with their types.

    Args:
        read: what it reads.
        errors: gets what is wrong.
    """
    entry = node.algorithm_relation
    algorithm = ALGORITHMS[entry.algorithm]
    errors.extend(check_params([algorithm.spark_class], entry.params, entry.places, "params"))
    types: dict[str, str] = {}
    for role, column in entry.columns_read.items():
        place = entry.places.value_of(role)
        if not read.may_have(column):
            what = f"{node.kind} '{node.name}' uses '{column}' as {role}, which '{read.title}' does not have"
            errors.append(CompileError(what, place, suggest(column, read.columns or ())))
        types[role] = read.column(column).type
        for wrong, fix in find_misuse(types[role], algorithm.roles[role]) if types[role] else ():
            what = f"{role} '{column}' of {node.kind} '{node.name}' is of type {types[role]}, {wrong}"
            errors.append(CompileError(what, place, fix))
    if types.get("src") and types.get("dst") and types["src"] != types["dst"]:
        what = f"{node.kind} '{node.name}' has ids of two types: src is {types['src']}, dst is {types['dst']}"
        errors.append(CompileError(what, entry.places.value_of("dst"), "cast one of them in the SQL"))
    return {column.name: parse_type(column.type) if column.type else None for column in algorithm.columns(types)}


def find_misuse(data_type: str, domain: Domain) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a column of `data_type` that should hold `domain`, and the fix."""
    if domain is Domain.ID:
        if not is_atomic(data_type):
            yield "which names nothing", "take a number, a string or a time for an id"
    elif domain is Domain.LIST:
        inner = data_type[6:-1] if data_type.startswith("array<") else ""
        item = inner[6:-1] if inner.startswith("array<") else inner
        if not item or not is_atomic(item):
            yield "which is no array of single values, or of arrays of them", "collect the items in order in the SQL"
    elif data_type.partition("(")[0] not in (*NUMBERS, "boolean"):
        yield "which is no number", "make a number of it in the SQL"
