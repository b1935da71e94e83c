"""Relations by an algorithm: the entries of `graphs:` and `patterns:` in, AlgorithmRelations out."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sqlml.errors import SqlmlError, suggest
from sqlml.ir.algorithms import ALGORITHMS, AlgorithmKind, AlgorithmRelation, algorithms_of
from sqlml.parse.columns import read_columns
from sqlml.parse.data_tests import Relation
from sqlml.parse.entries import RawEntry
from sqlml.parse.problems import validate
from sqlml.parse.relation_specs import ColumnEntry, Spec
from sqlml.parse.subject import Subject
from sqlml.parse.value_types import Column, Identifier, Reference, Tags


class AlgorithmSpec(Spec):
    """What `graphs:` and `patterns:` have in common.

    Attributes:
        name: The name, for ref().
        algorithm: What makes the relation.
        params: Spark ML's own params of the algorithm.
        description: What it is for.
        columns: Its columns, with data tests.
        tags: Names to select it by.
        enabled: false: it is not there.
    """

    name: Identifier
    algorithm: str
    params: dict[str, Any] = Field(default_factory=dict)
    description: str = ""
    columns: list[ColumnEntry] = Field(default_factory=list)
    tags: Tags = Field(default_factory=list)
    enabled: bool = True


class GraphSpec(AlgorithmSpec):
    """A relation that an algorithm makes of a graph, without a fitted model: a table for ref().

    Attributes:
        edges: The relation with an edge a row: ref('x') or source('x', 'y').
        src: The column of the id at one end; any type.
        dst: The column of the id at the other end, of the same type.
        weight: How alike both ends are, 0 or more; 1 unless it is said.
    """

    edges: Reference
    src: Column
    dst: Column
    weight: Column | None = None


class PatternSpec(AlgorithmSpec):
    """A relation of what often comes after what, without a fitted model: a table for ref().

    Attributes:
        rows: The relation with a sequence a row: ref('x') or source('x', 'y').
        sequence: An array of items, or of arrays of items that came at once.
    """

    rows: Reference
    sequence: Column


ALGORITHM_SPECS: dict[AlgorithmKind, type[GraphSpec | PatternSpec]] = {"graph": GraphSpec, "pattern": PatternSpec}


def read_algorithm(raw: RawEntry, kind: AlgorithmKind, errors: list[SqlmlError]) -> AlgorithmRelation | None:
    """Return what an entry declares; None if it is not enabled or cannot be read, with what is wrong in `errors`."""
    places = raw.entry.places
    subject = Subject(raw.subject(kind), raw.kind, places)
    spec = None if raw.entry.broken else validate(ALGORITHM_SPECS[kind], raw.entry.value, subject, errors)
    if spec is None or not spec.enabled:
        return None
    if spec.algorithm not in algorithms_of(kind):
        what = f"there is no algorithm '{spec.algorithm}'"
        errors.append(subject.value_error("algorithm", what, suggest(spec.algorithm, algorithms_of(kind), "there are")))
        return None
    algorithm = ALGORITHMS[spec.algorithm]
    columns, tests = read_columns(spec.columns, Relation(f"{kind} '{spec.name}'", places, errors))
    given = {role: getattr(spec, role) for role in algorithm.roles}
    return AlgorithmRelation(
        name=spec.name,
        kind=kind,
        algorithm=spec.algorithm,
        path=raw.path,
        places=places,
        over=getattr(spec, algorithm.over),
        columns_read={role: column for role, column in given.items() if column is not None},
        params=spec.params,
        columns=columns,
        tests=tests,
        description=spec.description,
        tags=tuple(spec.tags),
    )
