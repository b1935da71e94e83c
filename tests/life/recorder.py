"""An engine that computes nothing: it records what a run asks of it, in order, and does what a test tells it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlml.errors import StepError
from sqlml.ir.comparisons import Rival
from sqlml.ir.dag import AlgorithmNode, MlNode, MlOutputNode, PredictionNode, SeedNode, SourceNode, SqlNode, TestNode
from sqlml.ir.engine import Fitted, Written
from sqlml.ir.kept_trials import OpenTrials, no_trials
from sqlml.ir.state import Column, Metric, Output, Signature, Version


class Recorder:
    """Fulfils `sqlml.ir.engine.Engine`.

    Attributes:
        events: what was asked, as `verb name`, in the order in which it began; tables and fits also when they `end`.
        failing: names of nodes whose table, view or fit fails.
        failures: rows that fail, by data test's name.
        metric, value: of every fit.
        during: called with a node's name while its table is written or it is fitted.
        is_cancelled: set once a run that ends early asked for it.
        most: the most tables and fits there were at once.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        self.failing: set[str] = set()
        self.failures: dict[str, int] = {}
        self.metric = "areaUnderROC"
        self.value = 0.9
        self.during: Callable[[str], None] = lambda name: time.sleep(0.01)
        self.is_cancelled = threading.Event()
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def define_source(self, node: SourceNode) -> None:
        self._note(f"source {node.name}")

    def define_table(self, output: Output) -> None:
        assert Path(output.location or "").is_dir()
        self._note(f"table {output.node_id.partition('.')[2]}")

    def define_view(self, node: SqlNode) -> tuple[Column, ...]:
        self._note(f"view {node.name}")
        self._fail(node.name)
        return (Column("id", "int"),)

    def define_stored_view(self, output: Output) -> None:
        self._note(f"stored view {output.node_id.partition('.')[2]}")

    def define_prediction(self, node: PredictionNode, scored: str, version: Version, output_prefix: str) -> None:
        self._note(f"predict {version.ml_model} {version.version} on {scored}")

    def write_table(self, node: SeedNode | SqlNode | AlgorithmNode, folder: Path) -> Written:
        self._work("write", node.name)
        folder.mkdir()
        (folder / "part-0.parquet").write_text(node.name, encoding="utf-8")
        self._fail(node.name)
        return Written(7, (Column("id", "int"),))

    def write_ml_output(self, node: MlOutputNode, version: Version, read: Mapping[str, str], folder: Path) -> Written:
        self._note(f"make {node.name} of {version.ml_model} {version.version} from {', '.join(read.values())}")
        folder.mkdir()
        (folder / "part-0.parquet").write_text(node.name, encoding="utf-8")
        self._fail(node.name)
        return Written(7, (Column("cluster", "int"),))

    def count_failures(self, tests: Sequence[tuple[TestNode, str]]) -> Mapping[str, int]:
        for test, _ in tests:
            self._note(f"test {test.name}")
            self._fail(test.name)
        return {test.id: self.failures.get(test.name, 0) for test, _ in tests}

    def fit(
        self,
        node: MlNode,
        training: str,
        folder: Path,
        rivals: Sequence[Rival] = (),
        open_trials: OpenTrials = no_trials,
    ) -> Fitted:
        self._work("fit", node.name)
        folder.mkdir()
        (folder / "pipeline").write_text(node.name, encoding="utf-8")
        self._fail(node.name)
        signature = Signature(node.name, node.ml_model.estimator, (), (), ())
        return Fitted(signature, (Metric("holdout", self.metric, self.value),), 7, {})

    def cancel(self) -> None:
        self.is_cancelled.set()

    def take(self) -> list[str]:
        """Return the events since the last call."""
        events, self.events = self.events, []
        return events

    def _work(self, verb: str, name: str) -> None:
        with self._lock:
            self.events.append(f"{verb} {name}")
            self._now[verb] += 1
            self.most[verb] = max(self.most[verb], self._now[verb])
        self.during(name)
        with self._lock:
            self._now[verb] -= 1
            self.events.append(f"end {name}")

    def _note(self, event: str) -> None:
        with self._lock:
            self.events.append(event)

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise StepError(f"'{name}' failed: the cause", fix="none")
