"""A Dag in, a Compiled out: every column, parameter and condition checked, every node fingerprinted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlml.compile.algorithms import check_algorithm
from sqlml.compile.condition_reader import ConditionReader
from sqlml.compile.contracts import check_declared_types, read_contract
from sqlml.compile.evaluation import check_evaluation
from sqlml.compile.facts import Facts, SqlFacts
from sqlml.compile.findings import Finding, ancestors_of, decide_levels, ml_nodes
from sqlml.compile.fingerprints import engine_part
from sqlml.compile.hashing import Hasher
from sqlml.compile.kept_schemas import SchemaReader
from sqlml.compile.knowledge import declares_knowledge
from sqlml.compile.lineage.dag_lineage import DagLineage
from sqlml.compile.mistakes import MistakeFinder
from sqlml.compile.ml_models import check_ml_node, expect_signature, predicted_columns
from sqlml.compile.ml_outputs import check_ml_output
from sqlml.compile.ml_types import check_types
from sqlml.compile.readable import Readable
from sqlml.compile.schemas import read_columns
from sqlml.compile.sql_reader import SqlReader, of_columns, readable_of, title_of
from sqlml.compile.types import SparkType
from sqlml.errors import CompileError, SqlmlError, raise_all, suggest
from sqlml.ir.aids import Aids
from sqlml.ir.dag import (
    AlgorithmNode,
    BuiltNode,
    Dag,
    MlNode,
    MlOutputNode,
    Node,
    PredictionNode,
    SeedNode,
    SourceNode,
    SqlNode,
    TestNode,
)
from sqlml.ir.location import SourceLocation
from sqlml.ir.ml_outputs import Trained
from sqlml.ir.plan import Compiled

_SPLIT = "split it into several SQL models"


def compile_dag(
    dag: Dag, data_versions: Mapping[str, str | None], aids: Aids | None = None, *, with_lineage: bool = False
) -> Compiled:
    """Check `dag` and fingerprint its nodes.

    Args:
        data_versions: id of each source and seed to the version of its data.
        with_lineage: return the lineage of every node.

    Raises:
        CompileError: for what does not fit: SQL, a column, a parameter, a data file, a feature that knows the future.
        ErrorList: for several of these, over the whole project.
    """
    try:
        return _Compiler(dag, data_versions, aids or Aids()).compile(with_lineage)
    except RecursionError:
        raise CompileError("the SQL is nested too deeply to be followed", None, _SPLIT) from None


class _Compiler:
    def __init__(self, dag: Dag, data_versions: Mapping[str, str | None], aids: Aids) -> None:
        self._dag = dag
        self._aids = aids
        self._data_versions = data_versions
        self._errors: list[SqlmlError] = []
        self._findings = [Finding("S004", text, place) for text, place in dag.warnings]
        self._learnt_from = ancestors_of(dag, [node.id for node in ml_nodes(dag)])
        self._found = Facts()
        self._columns = self._found.columns
        self._nodes: dict[str, Node] = dict(dag.nodes)
        judged = self._learnt_from if declares_knowledge(dag) else frozenset()
        self._reader = SqlReader(dag, self._found, aids, self._learnt_from, judged)
        self._conditions = ConditionReader(aids.cache)
        self._schemas = SchemaReader(dag.project.root, data_versions, aids.cache)

    def compile(self, with_lineage: bool) -> Compiled:
        measure = self._aids.timing.measure
        with measure("compile", "check nodes"):
            for node in self._dag.nodes.values():
                try:
                    self._compile_node(node)
                except RecursionError:
                    text = f"{node.kind.replace('_', ' ')} '{node.name}' is nested too deeply to be read"
                    self._errors.append(CompileError(text, node.places.whole, _SPLIT))
                self._check_known(node)
                if isinstance(node, SqlNode):
                    self._check_types(node)
        with measure("compile", "find mistakes"):
            lineage = DagLineage(self._dag, self._found).of(None if with_lineage else self._learnt_from)
            finder = MistakeFinder(self._dag, lineage, self._found)
            for ml_node in ml_nodes(self._dag):
                self._findings.extend(finder.find(ml_node))
            diagnostics = decide_levels(self._findings, self._dag, self._errors)
            raise_all(self._errors)
        dag = replace(self._dag, nodes=self._nodes)
        with measure("compile", "fingerprint"):
            engine = engine_part(self._aids.cache)
            hashes = Hasher(dag, self._data_versions, self._found, self._reader.cut, engine).fingerprints()
        return Compiled(
            dag,
            self._columns,
            hashes,
            self._found.features,
            types={node_id: _texts(types.values()) for node_id, types in self._found.types.items()},
            signatures=self._found.signatures,
            transforms=self._found.transforms,
            diagnostics=diagnostics,
            lineage=lineage if with_lineage else None,
            data_versions=self._data_versions,
        )

    def _compile_node(self, node: Node) -> None:
        if isinstance(node, SourceNode | SeedNode):
            self._note(node.id, read_columns(node, self._schemas, self._dag.project.root, self._errors))
        elif isinstance(node, SqlNode):
            self._compile_sql(node)
        elif isinstance(node, MlNode):
            self._compile_ml(node)
        elif isinstance(node, PredictionNode):
            self._compile_prediction(node)
        elif isinstance(node, MlOutputNode):
            self._compile_ml_output(node)
        elif isinstance(node, AlgorithmNode):
            self._note(node.id, check_algorithm(node, self._readable(node.parents[0]), self._errors))
            self._check_declared(node)
        elif isinstance(node, TestNode):
            self._compile_test(node)

    def _note(self, node_id: str, types: Mapping[str, SparkType | None] | None) -> None:
        """Keep the columns of a relation with their types; None: unknown."""
        self._columns[node_id] = None if types is None else tuple(types)
        if types is not None:
            self._found.types[node_id] = types

    def _readable(self, node_id: str) -> Readable:
        return readable_of(self._dag, self._found, node_id)

    def _read_sql(self, node: SqlNode | TestNode) -> SqlFacts | None:
        """Note what the SQL of `node` says, and return it; None if it cannot be read."""
        facts, errors = self._reader.read(node)
        self._errors.extend(errors)
        if facts is None:
            return None
        self._found.sql[node.id] = facts
        what, sql = title_of(node), node.sql
        for path, start, end in facts.foreign:
            text = f"{what} reads '{path}' past the project: nobody will notice when it changes"
            fix = "declare it under sources: and read it with source()"
            self._findings.append(Finding("S002", text, sql.locate(start, end), fix, node.id))
        for code, said, mend, start, end in facts.doubts:
            self._findings.append(Finding(code, f"{what} {said}", sql.locate(start, end), mend, node.id))
        for function, start, end in facts.unstable:
            self._findings.append(self._unstable(node, what, function, sql.locate(start, end)))
        if facts.length != len(sql.text):
            # Spark takes a trailing semicolon, but not inside of a view or a data test.
            self._nodes[node.id] = replace(node, sql=replace(sql, text=sql.text[: facts.length]))
        return facts

    def _unstable(self, node: Node, what: str, function: str, place: SourceLocation) -> Finding:
        code, effect = "S001", "it is built again only when something else changes"
        if node.id in self._learnt_from:
            code, effect = "L007", "an ml model learns from it, and its fit cannot be repeated"
        if function.lower() == "tablesample":
            fix = "add REPEATABLE (seed), or choose rows by a hash: pmod(xxhash64(key), 10) = 0"
            return Finding(code, f"{what} reads a {function}, whose rows change: {effect}", place, fix, node.id)
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

    def _check_types(self, node: SqlNode) -> None:
        """Hold what a SQL model declares against what it returns, and keep what it promises."""
        returned = self._found.types.get(node.id)
        self._findings.extend(check_declared_types(node, returned or {}))
        promised = read_contract(node, returned, self._errors)
        if promised is not None:
            self._nodes[node.id] = replace(self._nodes[node.id], contract=promised)  # type: ignore[call-arg]

    def _compile_sql(self, node: SqlNode) -> None:
        facts = self._read_sql(node)
        self._note(node.id, None if facts is None else facts.typed())
        if not node.has_contract:
            self._check_declared(node)

    def _check_declared(self, node: BuiltNode) -> None:
        """Note a finding for each declared column that the node does not return."""
        names = self._columns[node.id]
        known = {name.lower() for name in names or ()}
        for column in node.declared_columns:
            if names is not None and column.name.lower() not in known:
                text = f"{title_of(node)} does not return column '{column.name}'"
                fix = suggest(column.name, names, "it returns")
                self._findings.append(Finding("S003", text, column.location, fix, node.id))

    def _compile_ml(self, node: MlNode) -> None:
        training, before = self._readable(node.training_relation), len(self._errors)
        features, condition = check_ml_node(node, training, self._conditions, self._errors)
        is_sound = len(self._errors) == before
        self._found.transforms[node.id] = check_types(node.ml_model, training, is_sound, self._errors)
        sliced = check_evaluation(node.ml_model, training, self._conditions, self._errors)
        self._found.slice_columns[node.id] = sliced
        self._found.features[node.id] = features
        self._found.conditions[node.id] = condition
        present = of_columns(self._dag, self._found, node.training_relation).present
        self._found.signatures[node.id] = expect_signature(node.ml_model, training, features, present)

    def _compile_prediction(self, node: PredictionNode) -> None:
        ml_node = self._dag.nodes[node.ml_model]
        if isinstance(ml_node, MlNode):
            signature, scored = self._found.signatures[node.ml_model], self._readable(node.scored)
            self._note(node.id, predicted_columns(node, ml_node.ml_model, signature, scored, self._errors))

    def _compile_ml_output(self, node: MlOutputNode) -> None:
        ml_node = self._dag.nodes[node.ml_model]
        if isinstance(ml_node, MlNode):
            signature, transforms = self._found.signatures[ml_node.id], self._found.transforms[ml_node.id]
            training = self._readable(ml_node.training_relation)
            keys = tuple([training.column(key) for key in ml_node.ml_model.keys])
            trained = Trained(ml_node.ml_model, signature, transforms, keys)
            read = {parent: self._readable(parent) for parent in node.parents}
            self._note(node.id, check_ml_output(node, trained, read, self._errors))
            self._check_declared(node)

    def _compile_test(self, node: TestNode) -> None:
        tested = self._readable(node.parents[0])
        column = node.test.column
        if column is not None and not tested.may_have(column):
            text = f"{title_of(node)} tests column '{column}', which '{tested.title}' does not have"
            self._errors.append(CompileError(text, node.test.location, suggest(column, tested.columns or ())))
            return
        self._read_sql(node)


def _texts(types: Iterable[SparkType | None]) -> tuple[str | None, ...]:
    return tuple([None if found is None else str(found) for found in types])
