"""Columns of a relation: the entries of `columns:` in, ColumnSpecs and their data tests out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlml.errors import ParseError
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import ColumnSpec, DataTest, Known
from sqlml.parse.data_tests import Relation, read_data_tests
from sqlml.parse.relation_specs import ColumnEntry


def read_columns(
    columns: Sequence[ColumnEntry], relation: Relation
) -> tuple[tuple[ColumnSpec, ...], tuple[DataTest, ...]]:
    """Return the columns of a relation and their data tests; a column declared twice is an error."""
    specs: dict[str, ColumnSpec] = {}
    tests: list[DataTest] = []
    for position, column in enumerate(columns):
        path = f"columns.{position}"
        place = relation.places.value_of(f"{path}.name")
        first = specs.get(column.name.lower())
        if first is not None:
            relation.errors.append(_declared_twice(relation, column.name, first, place))
            continue
        known = None if column.known is None else Known(column.known.at)
        specs[column.name.lower()] = ColumnSpec(column.name, place, column.data_type, column.description, known)
        tests += read_data_tests(relation, column.name, column.data_tests, f"{path}.data_tests")
        tests += read_data_tests(relation, column.name, column.tests, f"{path}.tests")
    return tuple(specs.values()), tuple(tests)


def _declared_twice(relation: Relation, name: str, first: ColumnSpec, place: SourceLocation) -> ParseError:
    what = f"{relation.name}: column '{name}' is declared twice, first as '{first.name}' in line {first.location.line}"
    fix = "Spark does not tell capital letters apart: rename one" if first.name != name else "remove one of the two"
    return ParseError(what, place, fix)
