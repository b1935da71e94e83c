"""Small projects, written and compiled; and builds that are only pretended, without Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sqlml.compile import compile_dag, make_plan
from sqlml.errors import SqlmlError, format_error
from sqlml.ir.dag import BuiltNode, MlNode, SeedNode, SourceNode, TestNode
from sqlml.ir.gates import check_gates, gate_dataset
from sqlml.ir.plan import Action, Compiled, Plan, PlanRequest, Step
from sqlml.ir.state import CHAMPION, Alias, Column, Metric, Output, Signature, Snapshot, TestOutcome, Version
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project, select_nodes

NOW = datetime(2030, 1, 1, tzinfo=UTC)

BASE = {
    "sqlml_project.yml": "name: small\n",
    "data/flights.csv": "id,carrier,origin,dest,miles,delay,ts\n1,AA,JFK,LAX,2475,10,2013-01-01 10:00:00\n",
    "seeds/airlines.csv": "code,name\nAA,American\n",
    "models/sources.yml": "version: 2\nsources:\n  - name: raw\n    tables:\n"
    "      - {name: flights, path: data/flights.csv}\n",
}


class Workshop:
    """One project's folder, and what builds of it left."""

    now = NOW

    def __init__(self, root: Path) -> None:
        self.root = root
        self.snapshot = Snapshot("dev")
        self.value = 0.9
        self._runs = 0
        self.write(BASE)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def compile(self, files: Mapping[str, str] | None = None) -> Compiled:
        self.write(files or {})
        dag = resolve_project(parse_project(ParseRequest(self.root)))
        paths = {node.id: node.source.path for node in dag.nodes.values() if isinstance(node, SourceNode)}
        paths |= {node.id: node.seed.path for node in dag.nodes.values() if isinstance(node, SeedNode)}
        versions = {node_id: str((self.root / path).read_bytes()) for node_id, path in paths.items()}
        return compile_dag(dag, versions, with_lineage=True)

    def errors(self, files: Mapping[str, str]) -> str:
        with pytest.raises(SqlmlError) as caught:
            self.compile(files)
        assert caught.value.exit_code == 2
        return format_error(caught.value)

    def columns(self, sql: str) -> tuple[str, ...] | None:
        return self.compile({"models/m.sql": sql}).columns["sql_model.m"]

    def plan(self, files: Mapping[str, str] | None = None, select: tuple[str, ...] = (), **request: object) -> Plan:
        compiled = self.compile(files)
        selected = frozenset(select_nodes(compiled.dag, select))
        return make_plan(compiled, self.snapshot, PlanRequest(selected=selected, now=NOW, **request))

    def build(self, files: Mapping[str, str] | None = None, select: tuple[str, ...] = (), **request: object) -> Plan:
        """Plan, then pretend that every step of it succeeded."""
        plan = self.plan(files, select, **request)
        self._runs += 1
        for step in plan.steps:
            if step.action is not Action.KEEP and not self._is_current(step):
                self._pretend(step, plan)
        return plan

    def _is_current(self, step: Step) -> bool:
        output = step.output
        is_same = output is not None and output.fingerprint.digest == step.fingerprint.digest
        return step.action is Action.DECIDE and is_same and output.champions == self._numbers(step.fingerprint)

    def _numbers(self, fingerprint) -> dict[str, int]:
        found = self.snapshot.champions()
        return {key: found[key].version for key in fingerprint.champions if key in found}

    def _pretend(self, step: Step, plan: Plan) -> None:
        node = step.node
        if isinstance(node, MlNode):
            self._fit(node, step, plan)
        elif isinstance(node, TestNode):
            self._test([node], plan)
        elif isinstance(node, BuiltNode) and node.is_stored:
            is_table = getattr(node, "materialized", "table") == "table"
            folder = self.root / "warehouse" / f"{node.name}_{self._runs}"
            folder.mkdir(parents=True, exist_ok=True)
            output = Output(
                node_id=node.id,
                build_id=str(self._runs),
                kind="table" if is_table else "view",
                fingerprint=step.fingerprint,
                relation=node.relation,
                location=str(folder) if is_table else None,
                sql=None if is_table else node.sql.text,
                columns=self._columns(node.id, plan.compiled),
                champions=self._numbers(step.fingerprint),
                parents=node.parents,
            )
            self.snapshot = replace(self.snapshot, outputs={**self.snapshot.outputs, node.id: output})
            self._test(step.tests, plan)
        else:
            self._test(step.tests, plan)

    def _columns(self, node_id: str, compiled: Compiled) -> tuple[Column, ...]:
        names, types = compiled.columns[node_id] or (), compiled.types.get(node_id, ())
        return tuple([Column(name, found or "") for name, found in zip(names, types, strict=True)])

    def _test(self, nodes, plan: Plan) -> None:
        tests = dict(self.snapshot.tests)
        for node in nodes:
            fingerprint = plan.compiled.fingerprints[node.id]
            tests[node.id] = TestOutcome(node.id, fingerprint, "pass", 0, self._numbers(fingerprint))
        self.snapshot = replace(self.snapshot, tests=tests)

    def _fit(self, node: MlNode, step: Step, plan: Plan) -> None:
        versions = self.snapshot.versions.get(node.name, ())
        number = len(versions) + 1
        folder = self.root / "warehouse" / f"{node.name}_v{number}"
        folder.mkdir(parents=True, exist_ok=True)
        metrics = tuple(Metric("holdout", gate.metric, self.value) for gate in node.ml_model.gates)
        gates = check_gates(node.ml_model.gates, metrics, gate_dataset(node.ml_model))
        expected = plan.compiled.signatures[node.id]
        features = tuple([replace(column, type=column.type or "double") for column in expected.features or ()])
        signature = Signature(node.name, node.ml_model.estimator, features, (), expected.outputs, expected.inputs)
        version = Version(
            node.name,
            number,
            str(folder),
            step.fingerprint,
            signature,
            metrics,
            gates,
            {"champions": self._numbers(step.fingerprint)},
            NOW.isoformat(),
        )
        aliases = dict(self.snapshot.aliases)
        if version.has_passed:
            others = [entry for entry in aliases.get(node.name, ()) if entry.alias != CHAMPION]
            aliases[node.name] = (Alias(CHAMPION, number), *others)
        self.snapshot = replace(
            self.snapshot, versions={**self.snapshot.versions, node.name: (*versions, version)}, aliases=aliases
        )


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def actions() -> Callable[[Plan], dict[str, str]]:
    """Return name -> `action: reasons` of the selected steps that do something."""

    def read(plan: Plan) -> dict[str, str]:
        return {
            step.node.name: f"{step.action}: {', '.join(step.reasons)}"
            for step in plan.steps
            if step.action is not Action.KEEP
        }

    return read


_LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def say(request: pytest.FixtureRequest):
    """Return a function that shows a line after the run."""
    return lambda line: request.config.stash.setdefault(_LINES, []).append(line)


def pytest_terminal_summary(terminalreporter) -> None:
    for line in terminalreporter.config.stash.get(_LINES, []):
        terminalreporter.write_line(line)
