"""The Plan: what a build would do, step by step, and why (the compile phase's product)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlml.ir.dag import Dag, MlNode, Node, TestNode
from sqlml.ir.deferral import Deferral
from sqlml.ir.diagnostics import Diagnostic
from sqlml.ir.lineage import Lineage
from sqlml.ir.location import SourceLocation
from sqlml.ir.signatures import ExpectedSignature
from sqlml.ir.state import Fingerprint, GateResult, Output, Snapshot, alias_key
from sqlml.ir.transforms import FeatureTransform


@dataclass(frozen=True, slots=True)
class Compiled:
    """A Dag that was checked.

    Attributes:
        columns: node id to its column names in the user's spelling; None where they cannot be known without Spark.
        types: node id to the Spark types of its columns (`bigint`, `array<string>`), in their order, None for one that
            is unknown; a node whose columns are unknown has none.
        fingerprints: node id to fingerprint (sources too; predictions and tests as well).
        features: ML model id to its feature names; None where unknown.
        signatures: ML model id to what a fit would read and return.
        transforms: ML model id to the transform of each feature whose type is known, in the order of its features.
        diagnostics: what is doubtful, none of them errors.
        lineage: what each column is computed from; None where it was not asked for.
        data_versions: id of a source or a seed to the digest of its content; None where nothing is there.
    """

    dag: Dag
    columns: Mapping[str, tuple[str, ...] | None]
    fingerprints: Mapping[str, Fingerprint]
    features: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    types: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    signatures: Mapping[str, ExpectedSignature] = field(default_factory=dict)
    transforms: Mapping[str, tuple[FeatureTransform, ...]] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    lineage: Lineage | None = None
    data_versions: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[tuple[str, SourceLocation | None], ...]:
        """Text and place of the diagnostics that warn."""
        return tuple([(found.what, found.location) for found in self.diagnostics if found.level == "warn"])


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is made for.

    Attributes:
        selected: node ids.
        full_refresh: run and retrain everything selected.
        retrain: names of ML models to fit whatever their fingerprint says.
        no_retrain: fit nothing; wins over all else.
        now: UTC, for `at_most_every`.
        deferral: another target that is read where this one has nothing.
    """

    selected: frozenset[str]
    now: datetime
    full_refresh: bool = False
    retrain: frozenset[str] = frozenset()
    no_retrain: bool = False
    deferral: Deferral | None = None


class Action(StrEnum):
    """What a build does with a node."""

    RUN = "run"
    KEEP = "keep"
    DECIDE = "decide"  # below a fit of this build: run if that fit becomes champion, else keep


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a plan.

    Attributes:
        reasons: why it runs (`new`, `SQL changed`, `parent 'x' changed` …) or is kept (`unchanged`).
        tests: for a relation: the data tests that it owns and that this build must run to publish it.
        gates: for a kept ML model: its gates on the newest version's metrics, so that a failure is reported again.
        is_selected: False for what is only read because a selected node needs it.
        takes_over: whether the newest version of a kept ML model becomes champion now, its gates having been loosened.
        due: when a change of a kept ML model will lead to a fit, UTC; None: no change waits for its day.
    """

    node: Node
    action: Action
    reasons: tuple[str, ...]
    fingerprint: Fingerprint
    tests: tuple[TestNode, ...] = ()
    gates: tuple[GateResult, ...] = ()
    is_selected: bool = True
    output: Output | None = None
    due: str | None = None
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a build, parents first, over what existed when it was made.

    Attributes:
        deferral: another target that is read where this one has nothing.
        outdated: ids of the nodes that are read as they were built, from other code or data than those of now.
    """

    compiled: Compiled
    snapshot: Snapshot
    steps: tuple[Step, ...]
    deferral: Deferral | None = None
    outdated: frozenset[str] = frozenset()

    @property
    def has_work(self) -> bool:
        """Whether any step must run (if not, no JVM is needed)."""
        return any(step.action is not Action.KEEP for step in self.steps)

    def deferred(self) -> tuple[tuple[str, str], ...]:
        """Return what is read from another target: each node's name with the build or the version, parents first."""
        champions = self.snapshot.champions()
        found: dict[str, str] = {}
        for step in self.steps:
            node, output = step.node, step.output
            if output is not None and output.of_target and not step.is_selected:
                found[node.name] = "view" if output.kind == "view" else f"build {output.build_id}"
            asked = [] if node.alias_read is None else [node.alias_read]
            if isinstance(node, MlNode) and step.action is not Action.KEEP:
                rivals = [gate.not_worse_than for gate in node.ml_model.gates if gate.not_worse_than]
                asked += [alias_key(node.name, alias) for alias in rivals]
            for key in asked:
                version = champions.get(key)
                if version is not None and version.of_target:
                    found[version.ml_model] = f"version {version.version}"
        return tuple(found.items())
