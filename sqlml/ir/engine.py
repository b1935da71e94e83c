"""What a run asks of the engine that computes (Spark for real, a recorder in plan tests)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlml.ir.comparisons import Comparison, Rival
from sqlml.ir.dag import AlgorithmNode, MlNode, MlOutputNode, PredictionNode, SeedNode, SourceNode, SqlNode, TestNode
from sqlml.ir.kept_trials import OpenTrials, no_trials
from sqlml.ir.state import Column, Metric, Output, Signature, Version


@dataclass(frozen=True, slots=True)
class Written:
    """What a table turned out to be."""

    rows: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit gave; its files are in the folder it was given.

    Attributes:
        rows: rows fitted on, the hold-out not counted.
        facts: rows, classes, layout and whatever else a version should remember.
        columns: of the relation that it was fitted on.
        software: what the engine runs on, to its version.
        comparisons: with rivals.
    """

    signature: Signature
    metrics: tuple[Metric, ...]
    rows: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    software: Mapping[str, str] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()


class Engine(Protocol):
    """Computes relations and fits. Relations are known by the temp view's name of their node.

    Methods may be called from several threads, each for another node; a relation is defined before it is read.
    Every failure of the engine itself is raised as a StepError, bad data as a DataError.
    """

    def define_source(self, node: SourceNode) -> None:
        """Make a source readable."""

    def define_table(self, output: Output) -> None:
        """Make a published table readable."""

    def define_view(self, node: SqlNode) -> tuple[Column, ...]:
        """Make the SQL of a view or an ephemeral readable; return its columns."""

    def define_stored_view(self, output: Output) -> None:
        """Make a published view readable by the SQL that was stored."""

    def define_alias(self, name: str, relation: str) -> None:
        """Make a relation that is defined readable under another name too."""

    def define_prediction(self, node: PredictionNode, scored: str, version: Version, output_prefix: str) -> None:
        """Make the rows of relation `scored`, with the predictions of `version`, readable."""

    def write_table(self, node: SeedNode | SqlNode | AlgorithmNode, folder: Path) -> Written:
        """Compute a table's rows into `folder` and make them readable under the node's relation."""

    def write_ml_output(self, node: MlOutputNode, version: Version, read: Mapping[str, str], folder: Path) -> Written:
        """Make an output of `version` into `folder` and make it readable under the node's relation.

        Args:
            read: node id to relation, of what the node reads.
        """

    def count_failures(self, tests: Sequence[tuple[TestNode, str]]) -> Mapping[str, int]:
        """Return for each test id how many rows failed; each test comes with the relation of its owner."""

    def fit(
        self,
        node: MlNode,
        training: str,
        folder: Path,
        rivals: Sequence[Rival] = (),
        open_trials: OpenTrials = no_trials,
    ) -> Fitted:
        """Fit on the rows of relation `training` and save the fitted model into `folder`.

        Args:
            rivals: whom it is compared with on the rows held out.
            open_trials: gives what is known of its search, and keeps each trial as it ends.
        """

    def cancel(self) -> None:
        """Make what is being computed fail soon; called from another thread when a run is interrupted."""
