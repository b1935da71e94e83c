"""Makes relations readable when something is about to read them: a node's id in, a temp view of the engine out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlml.errors import DataError
from sqlml.ir.dag import Dag, MlNode, Node, PredictionNode, SourceNode, SqlNode
from sqlml.ir.deferral import Deferral
from sqlml.ir.engine import Engine
from sqlml.ir.state import Output, Snapshot, Version, VersionRef


@dataclass(slots=True)
class Champions:
    """Which version each ML model's predictions use, as this run goes on."""

    versions: dict[str, Version]
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Champions:
        """Take the champions that exist when a run starts."""
        return cls(snapshot.champions())

    def get(self, ml_model: str) -> Version | None:
        """Return the champion of `ml_model`, or None."""
        with self.lock:
            return self.versions.get(ml_model)

    def crown(self, version: Version) -> None:
        """Make `version` the one that predictions use from now on."""
        with self.lock:
            self.versions[version.ml_model] = version

    def refs(self, names: Sequence[str]) -> dict[str, VersionRef]:
        """Return the version of each named champion that exists, as what is made with it remembers it."""
        found = {name: self.get(name) for name in names}
        return {name: version.ref for name, version in found.items() if version is not None}


class Relations:
    """The relations of one session, each defined once, from what exists.

    Safe to use from several threads: defining is quick (no rows are read), so one lock keeps parents before children.

    Args:
        champions: whose predictions are read, as the run goes on.
        deferral: another target, of which `snapshot` has what this one lacks.
    """

    def __init__(
        self,
        dag: Dag,
        snapshot: Snapshot,
        engine: Engine,
        champions: Champions,
        deferral: Deferral | None = None,
    ) -> None:
        self._nodes = dag.nodes
        self._outputs = snapshot.outputs
        self._engine = engine
        self._champions = champions
        self._defined: set[str] = set()
        self._lock = threading.RLock()
        self._other: Relations | None = None
        if deferral is not None:
            there = deferral.snapshot
            self._other = Relations(deferral.dag, there, engine, Champions.of(there))

    def is_defined(self, node_id: str) -> None:
        """Note that the engine reads `node_id` from what this run built."""
        with self._lock:
            self._defined.add(node_id)

    def define_parents(self, node: Node, but: str | None = None) -> None:
        """Make what `node` reads readable, except the relation `but`."""
        for parent in node.parents:
            if parent != but and not parent.startswith("ml_model."):
                self.define(parent)

    def define(self, node_id: str) -> None:
        """Make the relation of `node_id` readable, and before it all that it reads.

        Raises:
            DataError: it was never built, or an ML model on the way has no champion.
        """
        with self._lock:
            if node_id not in self._defined:
                self._define(node_id)
                self._defined.add(node_id)

    def _define(self, node_id: str) -> None:
        node = self._nodes.get(node_id)
        output = self._outputs.get(node_id)
        if isinstance(node, SourceNode):
            self._engine.define_source(node)
        elif isinstance(node, PredictionNode):
            self._define_prediction(node)
        elif isinstance(node, SqlNode) and node.materialized == "ephemeral":
            self.define_parents(node)
            self._engine.define_view(node)
        elif output is not None and output.of_target and node is not None:
            self._define_deferred(node, output)
        elif output is not None:
            self._define_output(output)
        else:
            name = node.name if node else node_id
            raise DataError(
                f"'{name}' has not been built",
                node.places.whole if node else None,
                f"run: sqlml build --select +{name}",
            )

    def _define_output(self, output: Output) -> None:
        if output.kind == "table":
            self._engine.define_table(output)
        else:
            for parent in output.parents:
                self.define(parent)
            self._engine.define_stored_view(output)

    def _define_deferred(self, node: Node, output: Output) -> None:
        """Let the name that the relation has here stand for what another target has."""
        if output.kind == "table":
            self._engine.define_table(replace(output, relation=node.relation))
        elif self._other is not None:
            self._other.define(node.id)
            self._engine.define_alias(node.relation, output.relation)

    def _define_prediction(self, node: PredictionNode) -> None:
        ml_node = self._nodes[node.ml_model]
        champion = self._champions.get(ml_node.name)
        if champion is None:
            raise DataError(f"'{ml_node.name}' has no champion to predict with", node.places.whole)
        self.define(node.scored)
        prefix = ml_node.ml_model.output_prefix if isinstance(ml_node, MlNode) else ""
        self._engine.define_prediction(node, self._nodes[node.scored].relation, champion, prefix)
