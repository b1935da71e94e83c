"""A Dag in, a Compiled out: every column, parameter and condition checked, every node fingerprinted."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from sqlml.compile.determinism import find_unstable
from sqlml.compile.findings import Finding, ancestors_of, decide_levels, ml_nodes
from sqlml.compile.from_clause import Readable
from sqlml.compile.hashing import Facts, Hasher, SqlFacts
from sqlml.compile.lineage import LineageTracer
from sqlml.compile.mistakes import MistakeFinder
from sqlml.compile.ml_models import check_ml_node, expect_signature, predicted_columns
from sqlml.compile.names import offset_of
from sqlml.compile.queries import Output
from sqlml.compile.schemas import read_columns
from sqlml.compile.scopes import analyze
from sqlml.compile.sql import parse_statement
from sqlml.compile.types import Columns, ColumnsOf, SparkType, type_query
from sqlml.errors import CompileError, SqlmlError, raise_all, suggest
from sqlml.ir.dag import Dag, MlNode, Node, PredictionNode, Rendered, SeedNode, SourceNode, SqlNode, TestNode
from sqlml.ir.location import SourceLocation
from sqlml.ir.plan import Compiled

_SPLIT = "split it into several SQL models"


def compile_dag(dag: Dag, data_versions: Mapping[str, str | None], *, with_lineage: bool = False) -> Compiled:
    """Check `dag` and fingerprint its nodes.

    Args:
        data_versions: id of each source and seed to the version of its data.
        with_lineage: trace every node; if not, only what lies above the ML models is traced, to find mistakes.

    Raises:
        CompileError: for what does not fit: SQL, a column, a parameter, a data file, a feature that knows the future.
        ErrorList: for several of these, over the whole project.
    """
    with _collector_off():
        try:
            return _Compiler(dag, data_versions).compile(with_lineage)
        except RecursionError:
            raise CompileError("the SQL is nested too deeply to be followed", None, _SPLIT) from None


@contextmanager
def _collector_off() -> Iterator[None]:
    """Compile without garbage collection: syntax trees are many objects, none of which is garbage yet."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Compiler:
    def __init__(self, dag: Dag, data_versions: Mapping[str, str | None]) -> None:
        self._dag = dag
        self._data_versions = data_versions
        self._errors: list[SqlmlError] = []
        self._findings = [Finding("S004", text, place) for text, place in dag.warnings]
        self._learnt_from = ancestors_of(dag, [node.id for node in ml_nodes(dag)])
        self._found = Facts()
        self._columns = self._found.columns
        self._nodes: dict[str, Node] = dict(dag.nodes)
        self._refs = dict(_references(dag))

    def compile(self, with_lineage: bool) -> Compiled:
        for node in self._dag.nodes.values():
            try:
                self._compile_node(node)
            except RecursionError:
                text = f"{node.kind.replace('_', ' ')} '{node.name}' is nested too deeply to be read"
                self._errors.append(CompileError(text, node.places.whole, _SPLIT))
            self._check_known(node)
        tracer = LineageTracer(self._dag, self._found)
        lineage = tracer.trace(None if with_lineage else self._learnt_from)
        finder = MistakeFinder(self._dag, lineage, self._found.features)
        for ml_node in ml_nodes(self._dag):
            self._findings.extend(finder.find(ml_node))
        diagnostics = decide_levels(self._findings, self._dag, self._errors)
        raise_all(self._errors)
        dag = replace(self._dag, nodes=self._nodes)
        hashes = Hasher(dag, self._data_versions, self._found).fingerprints()
        return Compiled(
            dag,
            self._columns,
            hashes,
            self._found.features,
            types={node_id: _texts(types.values()) for node_id, types in self._found.types.items()},
            signatures=self._found.signatures,
            diagnostics=diagnostics,
            lineage=lineage if with_lineage else None,
        )

    def _compile_node(self, node: Node) -> None:
        root = self._dag.project.root
        if isinstance(node, SourceNode):
            self._note(node.id, read_columns(node.source, f"source '{node.name}'", root, self._errors))
        elif isinstance(node, SeedNode):
            self._note(node.id, read_columns(node.seed, f"seed '{node.name}'", root, self._errors))
        elif isinstance(node, SqlNode):
            self._compile_sql(node)
        elif isinstance(node, MlNode):
            self._compile_ml(node)
        elif isinstance(node, PredictionNode):
            self._compile_prediction(node)
        elif isinstance(node, TestNode):
            self._compile_test(node)

    def _note(self, node_id: str, types: Mapping[str, SparkType | None] | None) -> None:
        """Keep the columns of a relation with their types; None: unknown."""
        self._columns[node_id] = None if types is None else tuple(types)
        if types is not None:
            self._found.types[node_id] = types

    def _readable(self, node_id: str) -> Readable:
        types = self._found.types.get(node_id, {})
        return Readable(node_id, self._dag.nodes[node_id].name, self._columns.get(node_id), types)

    def _analyze(self, node: SqlNode | TestNode, what: str) -> SqlFacts | None:
        """Return what the SQL of `node` reads and returns; None if it cannot be read."""
        sql = node.sql
        try:
            statement = parse_statement(sql.text, what, sql.locate)
        except SqlmlError as error:
            self._errors.append(error)
            return None
        readable = {
            self._dag.nodes[parent].relation.lower(): self._readable(parent)
            for parent in node.parents
            if self._dag.nodes[parent].relation
        }
        if node.relation:
            # What `this` names: to read it is an error.
            readable.setdefault(node.relation.lower(), Readable("", node.name, None))
        analysis = analyze(statement, readable, what, sql.locate, self._refs)
        self._errors.extend(analysis.errors)
        for path, offset in analysis.foreign:
            text = f"{what} reads '{path}' past the project: nobody will notice when it changes"
            fix = "declare it under sources: and read it with source()"
            self._findings.append(Finding("S002", text, sql.locate(offset), fix, node.id))
        for token in find_unstable(statement):
            self._findings.append(self._unstable(node, what, token.text, sql.locate(token.start)))
        if statement.text != sql.text:
            # Spark takes a trailing semicolon, but not inside of a view or a data test.
            self._nodes[node.id] = replace(node, sql=replace(sql, text=statement.text))
        return SqlFacts(statement, analysis, type_query(statement.tree, _typed(readable)))

    def _unstable(self, node: Node, what: str, function: str, place: SourceLocation) -> Finding:
        code, effect = "S001", "it is built again only when something else changes"
        if node.id in self._learnt_from:
            code, effect = "L007", "an ml model learns from it, and its fit cannot be repeated"
        fix = "read it from a column or from var()"
        return Finding(code, f"{what} calls {function}, whose value changes: {effect}", place, fix, node.id)

    def _check_known(self, node: Node) -> None:
        """Note an error for each `known: {at: …}` that names a column which the relation does not have."""
        relation = self._readable(node.id)
        for column in node.declared_columns:
            at = None if column.known is None else column.known.at
            if at is not None and not relation.may_have(at):
                what = f"column '{column.name}' of '{node.name}' is known at '{at}', which '{node.name}' does not have"
                self._errors.append(CompileError(what, column.location, suggest(at, relation.columns or ())))

    def _compile_sql(self, node: SqlNode) -> None:
        what = f"sql model '{node.name}'"
        facts = self._analyze(node, what)
        self._columns[node.id] = None
        if facts is None:
            return
        self._found.sql[node.id] = facts
        outputs = facts.analysis.query.outputs
        if outputs is None:
            # What a pivot or a generator returns follows from types; of a wrong name nothing does.
            self._note(node.id, None if facts.analysis.errors else _types_alone(facts.typed))
            return
        if not outputs:
            self._errors.append(
                CompileError(f"{what} returns no columns", node.sql.locate(0), "name some after SELECT")
            )
        found = list(_check_outputs(outputs, what, node.sql))
        self._errors.extend(found)
        if found:
            return
        names = facts.analysis.query.columns
        self._note(node.id, None if names is None else _types_of(names, facts.typed))
        known = {name.lower() for name in names or ()}
        for column in node.sql_model.columns:
            if names is not None and column.name.lower() not in known:
                text = f"{what} does not return column '{column.name}'"
                fix = suggest(column.name, names, "it returns")
                self._findings.append(Finding("S003", text, column.location, fix, node.id))

    def _compile_ml(self, node: MlNode) -> None:
        training = self._readable(node.training_relation)
        features, condition = check_ml_node(node, training.title, training.columns, self._errors)
        self._found.features[node.id] = features
        self._found.conditions[node.id] = condition
        self._found.signatures[node.id] = expect_signature(node.ml_model, training, features)

    def _compile_prediction(self, node: PredictionNode) -> None:
        ml_node = self._dag.nodes[node.ml_model]
        if isinstance(ml_node, MlNode):
            signature, scored = self._found.signatures[node.ml_model], self._readable(node.scored)
            self._note(node.id, predicted_columns(node, ml_node.ml_model, signature, scored, self._errors))

    def _compile_test(self, node: TestNode) -> None:
        what = f"data test '{node.name}'"
        tested = self._readable(node.parents[0])
        column = node.test.column
        if column is not None and not tested.may_have(column):
            text = f"{what} tests column '{column}', which '{tested.title}' does not have"
            self._errors.append(CompileError(text, node.test.location, suggest(column, tested.columns or ())))
            return
        facts = self._analyze(node, what)
        if facts is not None:
            self._found.sql[node.id] = facts


def _typed(readable: Mapping[str, Readable]) -> ColumnsOf:
    """Return what tells the columns of a relation by its view's name, in lower case."""

    def columns_of(name: str) -> Mapping[str, SparkType | None] | None:
        found = readable.get(name)
        return None if found is None or found.columns is None else found.types

    return columns_of


def _types_of(names: tuple[str, ...], typed: Columns | None) -> dict[str, SparkType | None]:
    """Return each of `names` with its type, as far as `typed` has the same columns."""
    is_same = typed is not None and [column.name for column in typed] == list(names)
    return {column.name or "": column.type for column in typed or ()} if is_same else dict.fromkeys(names)


def _types_alone(typed: Columns | None) -> dict[str, SparkType | None] | None:
    """Return the columns that `typed` knows; None: not all of them have a name that can be used."""
    found = {column.name or "": column.type for column in typed or ()}
    is_usable = len({name.lower() for name in found}) == len(typed or ()) and not any("." in name for name in found)
    return found if found and "" not in found and is_usable else None


def _texts(types: Iterable[SparkType | None]) -> tuple[str | None, ...]:
    return tuple([None if found is None else str(found) for found in types])


def _check_outputs(outputs: list[Output], what: str, sql: Rendered) -> Iterator[SqlmlError]:
    seen: dict[str, str] = {}
    for at, output in enumerate(outputs):
        found = _check_output(output, at, seen)
        if found is not None:
            yield CompileError(f"{what} returns {found[0]}", sql.locate(offset_of(output.node)), found[1])
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
    both = f"'{name}' twice" if first == name else f"'{first}' and '{name}', which are one name to Spark"
    return both, "rename one, or leave it out with `* except (…)`"


def _references(dag: Dag) -> Iterator[tuple[str, str]]:
    """Yield what a user might write in SQL instead of a reference, in lower case, and the reference."""
    for node in dag.nodes.values():
        if isinstance(node, SourceNode):
            reference = f"source('{node.source.source_name}', '{node.source.name}')"
            yield node.source.name.lower(), reference
            yield node.name.lower(), reference
    for node in dag.nodes.values():
        if isinstance(node, SeedNode | SqlNode):
            yield node.name.lower(), f"ref('{node.name}')"
