"""Reads the SQL of nodes with sqlglot: a node and what it may read in; facts, and placed errors, out.

This is the slow half of the compile phase; `sql_reader` asks for it where nothing is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlml.compile.checks.checker import check_statement
from sqlml.compile.checks.problem import Problem
from sqlml.compile.determinism import find_unstable
from sqlml.compile.facts import ColumnFacts, SqlFacts, SqlSlice
from sqlml.compile.lineage.grains import Unique
from sqlml.compile.lineage.nodes import LineageTracer
from sqlml.compile.queries import Output
from sqlml.compile.readable import Readable
from sqlml.compile.scopes import Analysis, analyze
from sqlml.compile.slices import slice_statement
from sqlml.compile.spans import Spans
from sqlml.compile.sql import Statement, parse_statement, take_apart
from sqlml.compile.tokens import digest_tokens
from sqlml.compile.types import SparkType, to_plain
from sqlml.compile.types.queries import ColumnsOf
from sqlml.compile.types.scope import Columns
from sqlml.errors import CompileError, SqlmlError
from sqlml.ir.aids import Timing
from sqlml.ir.dag import Rendered, SqlNode, TestNode
from sqlml.ir.state import Column
from sqlml.ir.storable import find_unstorable, find_untyped


@dataclass(frozen=True, slots=True)
class Reading:
    """The SQL of a node and what it may read.

    Attributes:
        what: whose SQL it is, for errors (`sql model 'x'`).
        readable: view name in lower case to relation.
        of_columns: what else is known of what it reads, by node id, if time of knowledge is to be judged.
        unique: which columns of what it reads name a row, by node id, if that alone is asked for.
    """

    node: SqlNode | TestNode
    what: str
    readable: Mapping[str, Readable]
    of_columns: Mapping[str, ColumnFacts] | None = None
    unique: Unique | None = None

    @property
    def sql(self) -> Rendered:
        """The text, with the way back to the user's file."""
        return self.node.sql

    @property
    def columns(self) -> dict[str, tuple[str, ...] | None]:
        """The columns of what it reads, by node id; None where unknown."""
        return {relation.node_id: relation.columns for relation in self.readable.values()}


class FreshReader:
    """Reads SQL that no earlier run has read.

    Args:
        refs: what a user might write in SQL instead of a reference, in lower case, to the reference.
    """

    def __init__(self, refs: Mapping[str, str], timing: Timing) -> None:
        self._refs = refs
        self._timing = timing
        # sqlglot logs what other dialects lack, which would reach the terminal and concerns nobody here.
        logger = logging.getLogger("sqlglot")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        # Kept only where a part of the statement will be asked for: trees take most of the memory.
        self._trees: dict[str, tuple[Statement, Analysis]] = {}

    def read(self, reading: Reading, errors: list[SqlmlError], *, is_kept: bool) -> SqlFacts | None:
        """Return the facts about the SQL of a node, None if it cannot be read; errors are appended to `errors`.

        Args:
            is_kept: whether `cut` will be called for it.
        """
        with self._timing.measure("compile", "parse SQL"):
            statement = self._parse(reading, errors)
        if statement is None:
            return None
        spans = Spans(statement.tokens)
        try:
            return self._read(reading, statement, spans, errors, is_kept)
        finally:
            spans.forget()
            if not is_kept:
                with self._timing.measure("compile", "let go of SQL"):
                    take_apart(statement.tree)

    def _read(
        self, reading: Reading, statement: Statement, spans: Spans, errors: list[SqlmlError], is_kept: bool
    ) -> SqlFacts:
        node = reading.node
        with self._timing.measure("compile", "resolve columns"):
            analysis = analyze(statement, reading.readable, reading.what, reading.sql.locate, self._refs)
            errors.extend(analysis.errors)
        if is_kept:
            self._trees[node.id] = (statement, analysis)
        with self._timing.measure("compile", "find types"):
            typed, problems = check_statement(statement, spans, _typed(reading.readable))
            errors.extend(_errors(reading, problems))
        found = None if isinstance(node, TestNode) else _columns(reading, analysis, typed, spans, errors)
        columns = None if found is None else tuple(found)
        lineage, of_columns = None, ColumnFacts()
        if isinstance(node, SqlNode):
            with self._timing.measure("compile", "trace lineage"):
                tracer = LineageTracer(reading.columns, reading.of_columns, reading.unique)
                lineage, of_columns = tracer.trace_sql(node, analysis, columns)
        return SqlFacts(
            length=len(statement.text),
            digest=digest_tokens(statement.tokens),
            columns=columns,
            types=tuple([to_plain(given) for given in (found or {}).values()]),
            is_exact=analysis.is_exact,
            lineage=lineage,
            of_columns=of_columns,
            foreign=tuple([(path, *spans.of(table)) for path, table in analysis.foreign]),
            doubts=tuple([(found.code, found.what, found.fix, *found.span) for found in problems if found.code]),
            unstable=tuple([(token.text, token.start, token.end + 1) for token in find_unstable(statement)]),
        )

    def cut(self, reading: Reading, columns: frozenset[str]) -> SqlSlice:
        """Return what some columns (lower case) of a SQL model without errors are made of."""
        if reading.node.id not in self._trees:
            statement = parse_statement(reading.sql.text, reading.what, reading.sql.locate)
            analysis = analyze(statement, reading.readable, reading.what, reading.sql.locate, self._refs)
            self._trees[reading.node.id] = (statement, analysis)
        statement, analysis = self._trees[reading.node.id]
        cut = slice_statement(statement, analysis.query, columns)
        parents = {parent: tuple(sorted(names)) for parent, names in cut.parents.items()}
        return SqlSlice(digest_tokens(cut.tokens), parents)

    def _parse(self, reading: Reading, errors: list[SqlmlError]) -> Statement | None:
        try:
            return parse_statement(reading.sql.text, reading.what, reading.sql.locate)
        except SqlmlError as error:
            errors.append(error)
            return None


def _errors(reading: Reading, problems: Iterable[Problem]) -> Iterator[SqlmlError]:
    for found in problems:
        if not found.code:
            yield CompileError(f"{reading.what} {found.what}", reading.sql.locate(*found.span), found.fix)


def _typed(readable: Mapping[str, Readable]) -> ColumnsOf:
    """Return what tells the columns of a relation by its view's name, in lower case."""

    def columns_of(name: str) -> Mapping[str, SparkType | None] | None:
        found = readable.get(name)
        return None if found is None or found.columns is None else found.types

    return columns_of


def _columns(
    reading: Reading, analysis: Analysis, typed: Columns | None, spans: Spans, errors: list[SqlmlError]
) -> Mapping[str, SparkType | None] | None:
    """Return the columns of a SQL model with their types, None if they are unknown; errors are appended to `errors`."""
    outputs = analysis.query.outputs
    if outputs is None:
        # What a pivot or a generator returns follows from types; of a wrong name nothing does.
        return None if analysis.errors else _types_alone(reading, typed, errors)
    if not outputs:
        place = reading.sql.locate(0)
        errors.append(CompileError(f"{reading.what} returns no columns", place, "name some after SELECT"))
    found = list(_check_outputs(outputs, reading.what, reading.sql, spans))
    errors.extend(found)
    names = None if found else analysis.query.columns
    if names is None:
        return None
    types = _types_of(names, typed)
    errors.extend(_check_types(outputs, types, reading, spans))
    return types


def _types_of(names: tuple[str, ...], typed: Columns | None) -> dict[str, SparkType | None]:
    """Return each of `names` with its type, as far as `typed` has the same columns."""
    is_same = typed is not None and [column.name for column in typed] == list(names)
    return {column.name or "": column.type for column in typed or ()} if is_same else dict.fromkeys(names)


def _types_alone(
    reading: Reading, typed: Columns | None, errors: list[SqlmlError]
) -> dict[str, SparkType | None] | None:
    """Return the columns that `typed` knows; None: not all of them have a name that can be used."""
    seen: dict[str, str] = {}
    for column in typed or ():
        first = seen.get((column.name or "").lower())
        if column.name and first is not None:
            errors.append(CompileError(f"{reading.what} returns {_both(first, column.name)}", reading.sql.locate(0)))
        seen[(column.name or "").lower()] = column.name or ""
    found = {column.name or "": column.type for column in typed or ()}
    return found if found and "" not in found and not any("." in name for name in found) else None


def _check_types(
    outputs: list[Output], types: Mapping[str, SparkType | None], reading: Reading, spans: Spans
) -> Iterator[SqlmlError]:
    """Yield an error for each output whose type no relation, or no table, can have."""
    node = reading.node
    is_table = isinstance(node, SqlNode) and node.materialized == "table"
    for output in outputs:
        column = Column(output.name or "", str(types.get(output.name or "") or ""))
        wrong = find_untyped(column, node.name) or (find_unstorable(column, node.name) if is_table else None)
        if wrong is not None:
            yield CompileError(wrong[0], reading.sql.locate(*spans.of(output.node)), wrong[1])


def _check_outputs(outputs: list[Output], what: str, sql: Rendered, spans: Spans) -> Iterator[SqlmlError]:
    seen: dict[str, str] = {}
    for at, output in enumerate(outputs):
        found = _check_output(output, at, seen)
        if found is not None:
            yield CompileError(f"{what} returns {found[0]}", sql.locate(*spans.of(output.node)), found[1])
        elif output.name is not None:
            seen[output.name.lower()] = output.name


def _check_output(output: Output, at: int, seen: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what is wrong with the name of an output, and the fix."""
    name = output.name
    if name is None:
        return f"an expression without a name (column {at + 1})", "add `as name`"
    if "." in name:
        fix = f"name it '{name.replace('.', '_')}'"
        return f"a column '{name}': a dot in a name is read as a field of a struct", fix
    first = seen.get(name.lower())
    if first is None:
        return None
    return _both(first, name), "rename one, or leave it out with `* except (…)`"


def _both(first: str, name: str) -> str:
    return f"'{name}' twice" if first == name else f"'{first}' and '{name}', which are one name to Spark"
