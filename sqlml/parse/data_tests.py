"""Data tests: the entries of `data_tests:` of a column in, DataTest out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from sqlml.errors import SqlmlError, suggest
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import DataTest
from sqlml.parse.problems import validate
from sqlml.parse.relation_specs import Spec
from sqlml.parse.subject import Subject
from sqlml.parse.value_types import Column, Identifier, Reference, Tags, Value


class DataTestConfig(Spec):
    """What every data test may have, beside its name or under `config:`.

    Attributes:
        name: A name for the data test.
        severity: warn: rows that it finds are told of, and nothing fails.
        where: SQL condition: only these rows are tested.
        tags: Names to select it by.
        enabled: false: it is not there.
    """

    name: Identifier | None = None
    severity: Literal["error", "warn"] | None = None
    where: str | None = None
    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None


class AcceptedValues(DataTestConfig):
    """`accepted_values`.

    Attributes:
        values: The values that the column may hold.
    """

    values: list[Value]


class Relationships(DataTestConfig):
    """`relationships`.

    Attributes:
        to: The relation that has the column's values: ref('x') or source('x', 'y').
        field: Its column that has them.
    """

    to: Reference
    field: Column


DATA_TESTS: Mapping[str, type[DataTestConfig]] = MappingProxyType(
    {
        "not_null": DataTestConfig,
        "unique": DataTestConfig,
        "accepted_values": AcceptedValues,
        "relationships": Relationships,
    }
)
"""Kind of test to the keys that it takes."""

PLAIN_TESTS = frozenset({"not_null", "unique"})
# Where dbt has put a test's keys over the years.
TEST_BLOCKS = ("config", "arguments")


@dataclass(frozen=True, slots=True)
class Relation:
    """Whose columns are read.

    Attributes:
        name: as in "sql model 'orders'".
        places: of its entry.
        errors: where errors go.
    """

    name: str
    places: Places
    errors: list[SqlmlError]


def read_data_tests(relation: Relation, column: str, items: list[Any], path: str) -> Iterator[DataTest]:
    """Yield the data tests of a column; `items` stand below the dotted `path` of the relation's places."""
    for position, item in enumerate(items):
        item_path = f"{path}.{position}"
        place = relation.places.of(item_path)
        if isinstance(item, str) and item in PLAIN_TESTS:
            yield DataTest(item, place, column=column)
            continue
        subject = Subject(f"{relation.name}, column '{column}'", "data_tests", Places(place))
        kind = _kind_of(item, subject, relation.errors)
        if kind is not None:
            given = item[kind] if isinstance(item, dict) else {}
            spec = _read_spec(relation, subject, kind, given, f"{item_path}.{kind}")
            if spec is not None and spec.enabled is not False:
                yield _to_data_test(spec, kind, column, place)


def _kind_of(item: Any, subject: Subject, errors: list[SqlmlError]) -> str | None:
    if isinstance(item, dict) and len(item) != 1:
        fix = f"indent the keys of '{next(iter(item))}' two steps further" if item else "name a test"
        errors.append(subject.error("", "a data test is one name with its keys below it", fix))
        return None
    kind = next(iter(item)) if isinstance(item, dict) else item
    if not isinstance(kind, str):
        errors.append(
            subject.error("", "a data test is a name, or a name with keys", suggest("", DATA_TESTS, "there are"))
        )
        return None
    if kind not in DATA_TESTS:
        errors.append(subject.error("", f"unknown data test '{kind}'", suggest(kind, DATA_TESTS, "there are")))
        return None
    return kind


def _read_spec(relation: Relation, owner: Subject, kind: str, given: Any, path: str) -> DataTestConfig | None:
    values, origins, twice = _flatten(given)

    def written(key: str) -> str:
        first, dot, rest = key.partition(".")
        return f"{path}.{origins.get(first, first)}{dot}{rest}" if key else path

    subject = Subject(f"{owner.name}, data test '{kind}'", "data_tests", relation.places, written)
    for key in twice:
        relation.errors.append(subject.error(key, f"key '{key}' is given twice", "remove one of the two"))
    spec = validate(DATA_TESTS[kind], values, subject, relation.errors)
    if isinstance(spec, AcceptedValues) and not spec.values:
        what = "'values' is an empty list, which no row can pass"
        relation.errors.append(subject.value_error("values", what, "name the values"))
    return spec


def _to_data_test(spec: DataTestConfig, kind: str, column: str, place: SourceLocation) -> DataTest:
    arguments: dict[str, Any] = {}
    if isinstance(spec, AcceptedValues):
        arguments = {"values": tuple(spec.values)}
    elif isinstance(spec, Relationships):
        arguments = {"to": spec.to, "field": spec.field}
    return DataTest(
        kind,
        place,
        name=spec.name,
        column=column,
        arguments=arguments,
        severity=spec.severity or "error",
        where=spec.where,
        tags=tuple(spec.tags),
    )


def _flatten(given: Any) -> tuple[Any, dict[str, str], list[str]]:
    """Return the keys of a test without dbt's blocks, the path each stood at, and those that stood at two."""
    if given is None:
        return {}, {}, []
    if not isinstance(given, dict):
        return given, {}, []
    values = {key: value for key, value in given.items() if key not in TEST_BLOCKS}
    origins: dict[str, str] = {}
    twice: list[str] = []
    for block in TEST_BLOCKS:
        inner = given.get(block)
        if inner is None:
            continue
        if not isinstance(inner, dict):
            values[block] = inner
            continue
        for key, value in inner.items():
            if key in values:
                twice.append(key)
            values[key] = value
            origins[key] = f"{block}.{key}"
    return values, origins, twice
