"""Writes down what a version is made of: the plan, what was read and who ran it in, a `VersionRecord` out."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlml import __version__
from sqlml.ir.dag import Dag, MlNode, MlOutputNode, Node, PredictionNode, SeedNode, SourceNode, SqlNode
from sqlml.ir.engine import Fitted
from sqlml.ir.estimators import estimator_of
from sqlml.ir.plan import Compiled
from sqlml.ir.project import Seed, Source
from sqlml.ir.records import RecordedFiles, RecordedRelation, VersionRecord, without_places
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.spark_params import spark_params
from sqlml.ir.state import Output, ml_model_of

if TYPE_CHECKING:
    from sqlml.run.relations import Champions

# What Spark itself takes for secret (its `spark.redaction.regex`).
_SECRET = re.compile(r"secret|password|token|access[.]?key", re.IGNORECASE)
_HIDDEN = "(hidden)"


def make_record(
    compiled: Compiled, node: MlNode, fitted: Fitted, outputs: Mapping[str, Output], champions: Champions
) -> VersionRecord:
    """Return the record of a fit of `node`.

    Args:
        outputs: node id to what was read of it.
        champions: the versions whose predictions were read.
    """
    dag, spec = compiled.dag, node.ml_model
    given = dag.project.target.spark.items()
    settings = {key: _HIDDEN if _SECRET.search(key) else value for key, value in given}
    entry = estimator_of(spec)
    set_by = {**spec.params, **entry.sets}
    defaults = {
        name: param.default
        for name, param in spark_params(entry.name).items()
        if name not in set_by and not param.is_column and param.default is not None
    }
    return VersionRecord(
        without_places(spec),
        tuple(_relation(dag.nodes[node_id], compiled, outputs, champions) for node_id in _read_by(node, dag)),
        columns=fitted.columns,
        defaults=defaults,
        settings={**settings, **PINNED_SETTINGS},
        software={"sqlml": __version__, "python": platform.python_version(), **fitted.software},
    )


def _read_by(node: MlNode, dag: Dag) -> list[str]:
    """Return the ids of all that a fit reads, parents first; ML models are not relations."""
    found: set[str] = set()
    waiting = [node.training_relation]
    while waiting:
        node_id = waiting.pop()
        if node_id not in found:
            found.add(node_id)
            waiting += [parent for parent in dag.nodes[node_id].parents if not parent.startswith("ml_model.")]
    return [node_id for node_id in dag.nodes if node_id in found]


def _relation(node: Node, compiled: Compiled, outputs: Mapping[str, Output], champions: Champions) -> RecordedRelation:
    output = outputs.get(node.id)
    made_by = None if node.alias_read is None else champions.get(node.alias_read)
    number = node.version if isinstance(node, MlOutputNode) and isinstance(node.version, int) else None
    record = RecordedRelation(
        node.id,
        node.name,
        node.relation,
        tuple(parent for parent in node.parents if not parent.startswith("ml_model.")),
        (output.fingerprint if output is not None else compiled.fingerprints[node.id]).digest,
        build_id=output.build_id if output is not None and output.kind == "table" else None,
        ml_model=None if node.alias_read is None else ml_model_of(node.alias_read),
        version=number if made_by is None else made_by.version,
        of_target="" if made_by is None else made_by.of_target,
    )
    if isinstance(node, SqlNode):
        return replace(record, sql=node.sql.text)
    if isinstance(node, SourceNode | SeedNode):
        declared = node.source if isinstance(node, SourceNode) else node.seed
        return replace(record, files=_files(declared, compiled.data_versions.get(node.id)))
    if isinstance(node, PredictionNode):
        scorer = compiled.dag.nodes[node.ml_model]
        prefix = scorer.ml_model.output_prefix if isinstance(scorer, MlNode) else ""
        return replace(record, scored=node.scored, output_prefix=prefix, explain=node.explain)
    return record


def _files(declared: Source | Seed, version: str | None) -> RecordedFiles:
    types = {column.name: column.data_type for column in declared.columns if column.data_type}
    return RecordedFiles(declared.path, declared.format, dict(declared.options), types, version)
