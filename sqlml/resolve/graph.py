"""Project -> Dag: every template rendered, every reference followed, every node after its parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from sqlml.errors import ResolveError, SqlmlError, raise_all
from sqlml.ir.aids import Aids
from sqlml.ir.algorithms import ALGORITHMS, AlgorithmRelation
from sqlml.ir.dag import (
    AlgorithmNode,
    Dag,
    MlNode,
    MlOutputNode,
    Node,
    PredictionNode,
    Rendered,
    SeedNode,
    SourceNode,
    SqlNode,
    TestNode,
)
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.ml_outputs import OUTPUT_KINDS, TRAINING_DATA
from sqlml.ir.project import DataTest, Materialized, MlModel, MlOutput, Project, SqlModel
from sqlml.resolve.data_tests import failing_condition, name_test, write_test
from sqlml.resolve.index import Entry, Index, Relation, check_relations, index_project, quoted
from sqlml.resolve.order import order_nodes
from sqlml.resolve.references import SQL_MODEL_KEYS, TEST_KEYS, MlTableCall, check_materialized, check_tags
from sqlml.resolve.templates import ReadTemplate, TemplateReader


def resolve_project(project: Project, aids: Aids | None = None) -> Dag:
    """Return the graph of `project`; disabled SQL models and their data tests are not in it.

    Raises:
        ParseError: for templates that cannot be read or that fail.
        ResolveError: for references that lead nowhere, names that are taken and cycles.
        ErrorList: for several of these, over all files.
    """
    return _Resolution(project, aids or Aids()).resolve()


class _Resolution:
    """The nodes, edges and errors of one project, as they are found."""

    def __init__(self, project: Project, aids: Aids) -> None:
        self.project = project
        self.timing = aids.timing
        self.errors: list[SqlmlError] = []
        self.warnings: list[tuple[str, SourceLocation]] = []
        with self.timing.measure("resolve", "index names"):
            self.index: Index = index_project(project, self.errors)
        with self.timing.measure("resolve", "read macros"):
            self.templates = TemplateReader(project, self.index, aids.cache)
        self.nodes: dict[str, Node] = {}
        self.edges: dict[str, Mapping[str, SourceLocation]] = {}
        self.disabled: dict[str, SourceLocation] = {}

    def resolve(self) -> Dag:
        """Return the graph, or raise all that is wrong."""
        self._add_inputs()
        with self.timing.measure("resolve", "render templates"):
            for sql_model in sorted(self.project.sql_models, key=lambda sql_model: (sql_model.path, sql_model.name)):
                self._add_sql_model(sql_model)
            for ml_model in sorted(self.project.ml_models, key=lambda ml_model: (ml_model.path, ml_model.name)):
                self._add_ml_model(ml_model)
            for entry in sorted(self.project.algorithms, key=lambda entry: (entry.path, entry.name)):
                self._add_algorithm(entry)
            tests = self._singular_tests()
        with self.timing.measure("resolve", "write data tests"):
            tests |= self._generic_tests()
        with self.timing.measure("resolve", "order nodes"):
            self._check_disabled()
            relations = {node.id: (node.relation, node.places.whole) for node in self.nodes.values() if node.relation}
            check_relations(relations, self.errors)
            order = order_nodes({node_id: self.edges.get(node_id, {}) for node_id in self.nodes}, self.errors)
            raise_all(self.errors)
            return Dag(self.project, self._in_order(order, tests), tuple(self.warnings))

    def _add_inputs(self) -> None:
        for source in self.project.sources:
            entry = self.index.sources[source.source_name][source.name]
            self.nodes[entry.node_id] = SourceNode(
                id=entry.node_id,
                name=f"{source.source_name}.{source.name}",
                path=source.places.whole.path,
                places=source.places,
                tags=source.tags,
                relation=entry.relation,
                source=source,
            )
        for seed in self.project.seeds:
            entry = self.index.relations[seed.name]
            self.nodes[f"seed.{seed.name}"] = SeedNode(
                id=f"seed.{seed.name}",
                name=seed.name,
                path=seed.path,
                places=seed.places,
                tags=seed.tags,
                relation=entry.relation,
                seed=seed,
            )

    def _add_sql_model(self, sql_model: SqlModel) -> None:
        entry = self._entry_of(sql_model)
        if entry is None:
            return
        if sql_model.config.get("enabled") is False:
            self.disabled[entry.node_id] = sql_model.places.of("config.enabled")
            return
        read, errors = self.templates.read(sql_model.text, sql_model.path, SQL_MODEL_KEYS, entry.relation)
        if read.config.get("enabled") is False:
            self.disabled[entry.node_id] = SourceLocation(sql_model.path, 1)
            return
        config = self._merge_config(sql_model, read.config)
        self._note(read, errors)
        self.edges[entry.node_id] = read.parents
        self.nodes[entry.node_id] = SqlNode(
            id=entry.node_id,
            name=sql_model.name,
            path=sql_model.path,
            places=sql_model.places,
            tags=tuple(config["tags"]),
            parents=tuple(read.parents),
            relation=entry.relation,
            sql_model=sql_model,
            sql=Rendered(read.text, sql_model.path, sql_model.text, read.segments),
            materialized=cast("Materialized", config["materialized"]),
            config=config,
        )
        for word, calls in (("predict()", read.predictions), ("ml_table()", read.ml_tables)):
            if config["materialized"] != "table" and calls:
                how = config["materialized"]
                what = f"{word} may not stand in '{sql_model.name}', which is materialized as '{how}'"
                fix = "a prediction is made once, when its reader is built: write config(materialized='table')"
                self.errors.append(ResolveError(what, calls[0].place, fix))

    def _entry_of(self, sql_model: SqlModel) -> Entry | None:
        """Return the entry of `sql_model`, or None if its name was taken by another, which is an error already."""
        entry = self.index.relations.get(sql_model.name)
        return entry if entry is not None and entry.place.path == sql_model.path else None

    def _merge_config(self, sql_model: SqlModel, called: Mapping[str, Any]) -> dict[str, Any]:
        config = {"materialized": "table", **sql_model.config, **called}
        try:
            config["materialized"] = check_materialized(config["materialized"])
            declared = check_tags(sql_model.config.get("tags", ()))
        except ResolveError as error:
            error.location = sql_model.places.value_of("config.materialized")
            self.errors.append(error)
            declared = ()
        config["tags"] = tuple(dict.fromkeys([*declared, *called.get("tags", ())]))
        return config

    def _add_ml_model(self, ml_model: MlModel) -> None:
        node_id = f"ml_model.{ml_model.name}"
        place = ml_model.places.value_of("training_data")
        trained_on = self._evaluate(ml_model.training_data, place, "training_data")
        parents = {trained_on.node_id: place} if trained_on is not None else {}
        node = MlNode(
            id=node_id,
            name=ml_model.name,
            path=ml_model.path,
            places=ml_model.places,
            tags=ml_model.tags,
            parents=tuple(parents),
            ml_model=ml_model,
        )
        self._add(node, parents)
        for output in ml_model.outputs:
            self._add_ml_output(output, ml_model, None if trained_on is None else trained_on.node_id)

    def _add_ml_output(self, output: MlOutput, ml_model: MlModel, training: str | None) -> None:
        node_id, owner = f"ml_output.{output.name}", f"ml_model.{ml_model.name}"
        place = output.places.of("kind")
        over = self._evaluate(output.over, output.places.of("for"), "for") if output.over is not None else None
        is_own = output.seen == TRAINING_DATA
        seen = training if is_own else None
        if output.seen is not None and not is_own:
            found = self._evaluate(output.seen, output.places.of("exclude_seen"), "exclude_seen")
            seen = None if found is None else found.node_id
        parents = {owner: place}
        parents |= {} if over is None else {over.node_id: output.places.of("for")}
        if seen is not None:
            parents.setdefault(seen, output.places.of("exclude_seen"))
        among = training if OUTPUT_KINDS[output.kind].is_near else None
        if among is not None:
            parents.setdefault(among, place)
        node = MlOutputNode(
            id=node_id,
            name=output.name,
            path=ml_model.path,
            places=output.places,
            tags=output.tags,
            parents=tuple(parents),
            relation=self.index.relations[output.name].relation,
            ml_model=owner,
            output=output,
            over=None if over is None else over.node_id,
            seen=seen,
            seen_where=ml_model.where if is_own else None,
            among=among,
            among_where=ml_model.where if among is not None else None,
            keys=ml_model.keys if among is not None else (),
        )
        self._add(node, parents)

    def _add_algorithm(self, entry: AlgorithmRelation) -> None:
        node_id, key = f"{entry.kind}.{entry.name}", ALGORITHMS[entry.algorithm].over
        place = entry.places.value_of(key)
        over = self._evaluate(entry.over, place, key)
        parents = {} if over is None else {over.node_id: place}
        node = AlgorithmNode(
            id=node_id,
            name=entry.name,
            path=entry.path,
            places=entry.places,
            tags=entry.tags,
            parents=tuple(parents),
            relation=self.index.relations[entry.name].relation,
            algorithm_relation=entry,
            read="" if over is None else str(over),
        )
        self._add(node, parents)

    def _add(self, node: Node, parents: Mapping[str, SourceLocation]) -> None:
        """Keep a node with the places that name its parents, unless one of its id is there."""
        self.nodes.setdefault(node.id, node)
        self.edges.setdefault(node.id, parents)

    def _evaluate(self, text: str, place: SourceLocation, key: str) -> Relation | None:
        """Return the relation that a reference in YAML names, or None with the error noted."""
        try:
            value, errors = self.templates.evaluate(text, place)
        except SqlmlError as error:
            if text in self.index.relations:
                error.fix = f"write {key}: ref('{text}')"
            self.errors.append(error)
            return None
        self.errors.extend(errors)
        if isinstance(value, Relation):
            return value if value.node_id else None
        self.errors.append(ResolveError(f"'{key}' is not a reference: {text}", place, f"write {key}: ref('name')"))
        return None

    def _note(self, read: ReadTemplate, errors: Iterable[SqlmlError]) -> None:
        """Keep what a template was found to read, and what was wrong in it."""
        self.errors.extend(errors)
        self.warnings.extend(read.warnings)
        for call in read.predictions:
            parents = {call.ml_model: call.place, call.scored: call.place}
            node = PredictionNode(
                id=call.node_id,
                name=call.name,
                path=call.place.path,
                places=Places(call.place),
                parents=tuple(parents),
                relation=call.relation,
                ml_model=call.ml_model,
                scored=call.scored,
                explain=call.explain,
            )
            self._add(node, parents)
        for table in read.ml_tables:
            self._add(_ml_table_node(table), {table.ml_model: table.place})

    def _singular_tests(self) -> dict[str, TestNode]:
        tests: dict[str, TestNode] = {}
        for test in sorted(self.project.singular_tests, key=lambda test: (test.name or "", test.location.path)):
            path = test.location.path
            name = test.name or path.rpartition("/")[2].removesuffix(".sql")
            read, errors = self.templates.read(test.text or "", path, TEST_KEYS)
            if read.config.get("enabled") is False:
                continue
            self._note(read, errors)
            if not read.parents and not errors:
                what = f"data test '{name}' reads no node of the project"
                self.errors.append(ResolveError(what, test.location, "read what it is about with ref('name')"))
            elif name in tests:
                what = f"data test '{name}' is defined twice: {tests[name].path} and {path}"
                self.errors.append(ResolveError(what, test.location, "rename one of the two files"))
            tags = tuple(dict.fromkeys([*test.tags, *read.config.get("tags", ())]))
            declared = replace(test, severity=read.config.get("severity", test.severity), tags=tags)
            sql = Rendered(read.text, path, test.text or "", read.segments)
            tests.setdefault(name, _test_node(name, declared, sql, read.parents))
            self.edges.setdefault(f"test.{name}", read.parents)
        return tests

    def _generic_tests(self) -> dict[str, TestNode]:
        tests: dict[str, TestNode] = {}
        taken = {test.name or "" for test in self.project.singular_tests}
        for owner, test in self._declared_tests():
            name = _free_name(name_test(test, owner.name), taken)
            parents = {owner.id: test.location}
            to: Relation | None = None
            if "to" in test.arguments:
                to = self._evaluate(str(test.arguments["to"]), test.location, "to")
                if to is None:
                    continue
                parents.setdefault(to.node_id, test.location)
            try:
                text = write_test(test, quoted(owner.relation), to)
            except ResolveError as error:
                error.location = test.location
                self.errors.append(error)
                continue
            sql = Rendered(text, test.location.path, "", origin=test.location)
            tests[name] = _test_node(name, test, sql, parents, failing_condition(test))
            self.edges[f"test.{name}"] = parents
        return tests

    def _declared_tests(self) -> Iterator[tuple[Node, DataTest]]:
        for node_id in sorted(self.nodes):
            node = self.nodes[node_id]
            for test in node.data_tests:
                yield node, test

    def _check_disabled(self) -> None:
        for child, parents in self.edges.items():
            for parent, place in parents.items():
                if parent in self.disabled:
                    name = parent.partition(".")[2]
                    what = f"'{child.partition('.')[2]}' reads '{name}', which is disabled"
                    fix = f"enable '{name}' (disabled at {self.disabled[parent]}), or do not read it"
                    self.errors.append(ResolveError(what, place, fix))

    def _in_order(self, order: tuple[str, ...], tests: Mapping[str, TestNode]) -> dict[str, Node]:
        """Return the nodes in order, each followed by the tests it owns."""
        ranks = {node_id: rank for rank, node_id in enumerate(order)}
        owned: dict[str, list[TestNode]] = {}
        for _, test in sorted(tests.items()):
            owner = max(test.parents, key=ranks.__getitem__)
            owned.setdefault(owner, []).append(replace(test, owner=owner))
        nodes: dict[str, Node] = {}
        for node_id in order:
            nodes[node_id] = self.nodes[node_id]
            nodes |= {test.id: test for test in owned.get(node_id, ())}
        return nodes


def _ml_table_node(call: MlTableCall) -> MlOutputNode:
    return MlOutputNode(
        id=call.node_id,
        name=call.name,
        path=call.place.path,
        places=Places(call.place),
        parents=(call.ml_model,),
        relation=call.relation,
        ml_model=call.ml_model,
        output=MlOutput(call.name, call.table, Places(call.place)),
        is_called=True,
        version=call.version,
    )


def _test_node(
    name: str, test: DataTest, sql: Rendered, parents: Mapping[str, SourceLocation], condition: str | None = None
) -> TestNode:
    return TestNode(
        id=f"test.{name}",
        name=name,
        path=test.location.path,
        places=Places(test.location),
        tags=test.tags,
        parents=tuple(parents),
        test=test,
        owner="",
        sql=sql,
        condition=condition,
    )


def _free_name(name: str, taken: set[str]) -> str:
    """Return `name`, numbered if it is taken, and take it."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free
