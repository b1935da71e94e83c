"""Fingerprints every node of a checked Dag: facts about its nodes in, id -> Fingerprint out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlml.compile.facts import Facts, SqlSlice
from sqlml.compile.fingerprints import (
    ParentDigest,
    compose,
    data_parts,
    digest_of,
    seen_whole,
    spec_parts,
)
from sqlml.compile.ml_models import columns_read
from sqlml.ir.dag import (
    AlgorithmNode,
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
from sqlml.ir.ml_outputs import settings_of
from sqlml.ir.state import Fingerprint

CutSql = Callable[[str, frozenset[str]], SqlSlice]
"""Gives what the columns (lower case) of the SQL model with an id are made of; only where its facts are exact."""


class Hasher:
    """Fingerprints the nodes of one Dag, parents first.

    An ML model sees of its training relation only the columns that it reads, and so on up to the sources.
    """

    def __init__(
        self, dag: Dag, data_versions: Mapping[str, str | None], facts: Facts, cut_sql: CutSql, engine: str
    ) -> None:
        self._dag = dag
        self._data_versions = data_versions
        self._facts = facts
        self._cut_sql = cut_sql
        self._engine = engine
        self._whole: dict[str, Fingerprint] = {}
        self._slices: dict[tuple[str, frozenset[str]], ParentDigest] = {}

    def fingerprints(self) -> dict[str, Fingerprint]:
        """Return the fingerprint of each node by id."""
        for node in self._dag.nodes.values():
            self._whole[node.id] = self._fingerprint(node)
        return self._whole

    def _fingerprint(self, node: Node) -> Fingerprint:
        champions = {name for parent in node.parents for name in self._whole[parent].champions}
        parents = {parent: seen_whole(self._whole[parent]) for parent in node.parents}
        if isinstance(node, SourceNode | SeedNode):
            declared = node.source if isinstance(node, SourceNode) else node.seed
            parts = data_parts(declared, self._data_versions.get(node.id))
            return compose(parts | {"engine": self._engine}, {})
        if isinstance(node, MlNode):
            return compose(self._ml_parts(node), {node.training_relation: self._seen_by(node)}, champions)
        if isinstance(node, PredictionNode):
            name = self._dag.nodes[node.ml_model].name
            # Which version it is counts through the champion; how it was made does not.
            parts = {"ml_model": digest_of(name), "engine": self._engine}
            if node.explain is not None:
                parts["explain"] = digest_of(node.explain)
            champions = {name, *self._whole[node.scored].champions}
            return compose(parts, {node.scored: parents[node.scored]}, champions)
        if isinstance(node, MlOutputNode):
            return self._of_ml_output(node)
        if isinstance(node, AlgorithmNode):
            entry = node.algorithm_relation
            settings = [entry.algorithm, sorted(entry.columns_read.items()), dict(entry.params)]
            return compose({"algorithm": digest_of(settings), "engine": self._engine}, parents, champions)
        parts = {"sql": self._sql_part(node), "engine": self._engine}
        if isinstance(node, SqlNode):
            parts["config"] = digest_of(node.materialized)
        if isinstance(node, TestNode):
            parts["severity"] = digest_of(node.test.severity)
        return compose(parts, parents, champions)

    def _of_ml_output(self, node: MlOutputNode) -> Fingerprint:
        name = self._dag.nodes[node.ml_model].name
        parts = {"output": digest_of(settings_of(node.output)), "ml_model": digest_of(name), "engine": self._engine}
        relations = (node.over, node.seen, node.among)
        read = {node_id: seen_whole(self._whole[node_id]) for node_id in relations if node_id is not None}
        condition = self._facts.conditions.get(node.ml_model)
        if node.keys:
            parts["keys"] = digest_of(node.keys)
        if (node.seen_where or node.among_where) is not None and condition is not None:
            parts["where"] = condition.digest
        if isinstance(node.version, int):
            parts["version"] = digest_of(node.version)
        own = () if node.alias_read is None else (node.alias_read,)
        champions = {*own, *[champion for node_id in read for champion in self._whole[node_id].champions]}
        return compose(parts, read, champions)

    def _sql_part(self, node: Node) -> str:
        # The case of a word does not count, but how a column's name is written is part of the output.
        return digest_of([self._facts.sql[node.id].digest, self._facts.columns.get(node.id)])

    def _ml_parts(self, node: MlNode) -> dict[str, str]:
        where = self._facts.conditions.get(node.id)
        parts = spec_parts(node.ml_model, self._facts.features.get(node.id), where.digest if where else None)
        return parts | {"engine": self._engine}

    def _seen_by(self, node: MlNode) -> ParentDigest:
        facts = self._facts
        features, where = facts.features.get(node.id), facts.conditions.get(node.id)
        read = columns_read(node.ml_model, features, where, facts.slice_columns.get(node.id, frozenset()))
        if read is None:
            return seen_whole(self._whole[node.training_relation])
        return self._slice(node.training_relation, read)

    def _slice(self, node_id: str, columns: frozenset[str]) -> ParentDigest:
        """Return the digest of what the `columns` of a node come from."""
        key = (node_id, columns)
        if key not in self._slices:
            facts = self._facts.sql.get(node_id)
            if facts is None or not facts.is_exact or self._facts.columns.get(node_id) is None:
                self._slices[key] = seen_whole(self._whole[node_id])
            else:
                self._slices[key] = self._slice_sql(node_id, columns)
        return self._slices[key]

    def _slice_sql(self, node_id: str, columns: frozenset[str]) -> ParentDigest:
        cut = self._cut_sql(node_id, columns)
        parents = {parent: self._slice(parent, frozenset(names)) for parent, names in sorted(cut.parents.items())}
        return seen_whole(compose({"sql": cut.digest}, parents))
