"""Writes down what a version is made of: the plan, what was read and who ran it in, a `VersionRecord` out."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlml import __version__
from sqlml.ir.dag import Dag, MlNode, MlOutputNode, Node, PredictionNode, SeedNode, SourceNode, SqlNode
from sqlml.ir.engine import Fitted
from sqlml.ir.estimators import estimator_of
from sqlml.ir.plan import Plan
from sqlml.ir.project import Seed, Source
from sqlml.ir.records import RecordedFiles, RecordedRelation, VersionRecord, without_places
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.spark_params import spark_params
from sqlml.ir.state import Output, ml_model_of
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from sqlml.run.relations import Champions

# What Spark itself takes for secret (its `spark.redaction.regex`).
_SECRET = re.compile(r"secret|password|token|access[.]?key", re.IGNORECASE)
_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Readable:
    """What a target has to read.

    Attributes:
        outputs: node id to what is current.
        champions: the versions whose predictions are read.
        target: its name, if it is another one.
    """

    dag: Dag
    outputs: Mapping[str, Output]
    champions: Champions
    target: str = ""

    def named(self, text: str) -> str:
        """Return a name or an id as a record has it: those of another target begin with the target's."""
        return f"{self.target}.{text}" if self.target else text


def make_record(plan: Plan, node: MlNode, fitted: Fitted, own: Readable, other: Readable | None) -> VersionRecord:
    """Return the record of a fit of `node`.

    Args:
        own: what was read of this target.
        other: what was read where this one has nothing; None: nothing was.
    """
    spec = node.ml_model
    given = plan.compiled.dag.project.target.spark.items()
    settings = {key: _HIDDEN if _SECRET.search(key) else value for key, value in given}
    entry = estimator_of(spec)
    set_by = {**spec.params, **entry.sets}
    defaults = {
        name: param.default
        for name, param in spark_params(entry.name).items()
        if name not in set_by and not param.is_column and param.default is not None
    }
    reads = _Reads(plan, other)
    reads.add(node.training_relation, own)
    return VersionRecord(
        without_places(spec),
        tuple(reads.found.values()),
        columns=fitted.columns,
        defaults=defaults,
        settings={**settings, **PINNED_SETTINGS},
        software={"sqlml": __version__, "python": platform.python_version(), **fitted.software},
    )


class _Reads:
    """Collects what a relation is read from, parents first, as `Relations` makes it readable."""

    def __init__(self, plan: Plan, other: Readable | None) -> None:
        self._compiled = plan.compiled
        self._outdated = plan.outdated
        self._other = other
        self.found: dict[str, RecordedRelation] = {}

    def add(self, node_id: str, where: Readable) -> str:
        """Note a relation and before it all that it is read from; return the id that it has in the record."""
        key = where.named(node_id)
        if key not in self.found:
            entry = self._relation(node_id, where)
            self.found[key] = entry
        return key

    def _relation(self, node_id: str, where: Readable) -> RecordedRelation:
        node, output = where.dag.nodes.get(node_id), where.outputs.get(node_id)
        # What a view reads may have left the project since.
        there = output if node is None else node
        is_kept = output is not None and (node is None or node.is_stored)
        fingerprint = output.fingerprint if output is not None and is_kept else self._compiled.fingerprints.get(node_id)
        entry = RecordedRelation(
            where.named(node_id),
            where.named(node_id.partition(".")[2] if node is None else node.name),
            "" if there is None else there.relation,
            (),
            "" if fingerprint is None else fingerprint.digest,
            read_of=where.target,
        )
        if isinstance(node, SourceNode):
            return replace(entry, files=self._files(node.source, node_id))
        if isinstance(node, PredictionNode):
            return self._prediction(entry, node, where)
        if isinstance(node, SqlNode) and not node.is_stored:
            # An output of when it was a table or a view is not read any more.
            return replace(entry, sql=node.sql.text, parents=self._parents(node.parents, where))
        if output is None:
            return entry
        if output.of_target and self._other is not None:
            return self._deferred(entry, node_id, output, self._other)
        return self._of_output(entry, node, output, where)

    def _of_output(
        self, entry: RecordedRelation, node: Node | None, output: Output, where: Readable
    ) -> RecordedRelation:
        """Add how a view was read, or a table; how to make a table again too, if its parents are what they were."""
        if output.kind == "view":
            return replace(entry, sql=output.sql, parents=self._parents(output.parents, where))
        entry = replace(entry, sql=output.sql, build_id=output.build_id)
        if isinstance(node, MlOutputNode):
            entry = _of_version(entry, node, where)
        if where.target or output.node_id in self._outdated:
            return replace(entry, can_be_made_again=False)
        if isinstance(node, SeedNode):
            return replace(entry, files=self._files(node.seed, node.id))
        return replace(entry, parents=self._parents(output.parents, where))

    def _deferred(self, entry: RecordedRelation, node_id: str, output: Output, other: Readable) -> RecordedRelation:
        """Add what stands for a relation of another target: its table by this name, or all that its view reads."""
        if output.kind == "table":
            return replace(entry, sql=output.sql, build_id=output.build_id, can_be_made_again=False)
        there = self.add(node_id, other)
        return replace(entry, sql=f"SELECT * FROM {quote(output.relation)}", parents=(there,))

    def _prediction(self, entry: RecordedRelation, node: PredictionNode, where: Readable) -> RecordedRelation:
        scorer = where.dag.nodes[node.ml_model]
        prefix = scorer.ml_model.output_prefix if isinstance(scorer, MlNode) else ""
        scored = self.add(node.scored, where)
        return replace(
            _of_version(entry, node, where),
            parents=(scored,),
            scored=scored,
            output_prefix=prefix,
            explain=node.explain,
        )

    def _parents(self, parents: Sequence[str], where: Readable) -> tuple[str, ...]:
        return tuple([self.add(parent, where) for parent in parents if not parent.startswith("ml_model.")])

    def _files(self, declared: Source | Seed, node_id: str) -> RecordedFiles:
        types = {column.name: column.data_type for column in declared.columns if column.data_type}
        version = self._compiled.data_versions.get(node_id)
        return RecordedFiles(declared.path, declared.format, dict(declared.options), types, version)


def _of_version(entry: RecordedRelation, node: Node, where: Readable) -> RecordedRelation:
    """Add the version that made a relation."""
    if node.alias_read is None:
        number = node.version if isinstance(node, MlOutputNode) and isinstance(node.version, int) else None
        return replace(entry, version=number)
    made_by = where.champions.get(node.alias_read)
    return replace(
        entry,
        ml_model=ml_model_of(node.alias_read),
        version=None if made_by is None else made_by.version,
        of_target="" if made_by is None else made_by.of_target or where.target,
    )
