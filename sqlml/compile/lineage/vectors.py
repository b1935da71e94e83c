"""The way through fitted models: a compiled project and its champions in; its lineage with the slots of vectors out.

before:  predicted_late <- todays.carrier                     predicted_late <- (fit) late.carrier
after:   predicted_late <- todays:vector.* <- todays.carrier  predicted_late <- (fit) late:vector.* <- late.carrier
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlml.ir.dag import MlNode, MlOutputNode, PredictionNode
from sqlml.ir.lineage import EVERY, ColumnRef, Edge, Kind, Lineage, NodeLineage, vector_of
from sqlml.ir.outputs import explanation_columns
from sqlml.ir.plan import Compiled
from sqlml.ir.signatures import compare_features
from sqlml.ir.slots import Slot, expected_slots, fitted_slots
from sqlml.ir.state import Version

# What decides the slots beside the rows of a fit.
_DECIDING = ("estimator", "features", "transforms")


def trace_vectors(compiled: Compiled, champions: Mapping[str, Version]) -> Lineage:
    """Return the lineage of `compiled` in which what a fitted model returns comes from the slots of feature vectors.

    Each ML model, and each of its predictions, has a vector (`vector_of` its id), whose columns are its slots: those of
    the champion, or those that a fit would make where there is none, where the spec says another thing since, or where
    the champion was saved without what its slots come from.

    Args:
        compiled: with its lineage.
        champions: by the names of ML models.
    """
    before = compiled.lineage or Lineage({})
    nodes = dict(before.nodes)
    versions: dict[str, int | None] = {}
    for node in compiled.dag.nodes.values():
        # Where they are not known there is nothing to say, and what reads columns by their roles alone has no vector.
        if isinstance(node, MlNode) and compiled.features.get(node.id):
            champion = champions.get(node.name)
            fitted = _Fitted(node, compiled, champion if _is_current(node, compiled, champion) else None)
            nodes |= fitted.trace(before)
            versions |= dict.fromkeys(fitted.vectors, fitted.version)
    return Lineage(nodes, versions)


def _is_current(node: MlNode, compiled: Compiled, champion: Version | None) -> bool:
    """Return whether the champion was fitted with the features and transforms that the spec has now."""
    expected = compiled.signatures[node.id].features
    if champion is None or expected is None:
        return False
    was, now = champion.fingerprint.parts, compiled.fingerprints[node.id].parts
    is_same = all(was.get(part) == now.get(part) for part in _DECIDING) and fitted_slots(champion.signature) is not None
    return is_same and not compare_features(champion.signature.features, expected, (), ())


class _Fitted:
    """One ML model, and what is made from it.

    Args:
        champion: None: its slots are those that are expected.
    """

    def __init__(self, node: MlNode, compiled: Compiled, champion: Version | None) -> None:
        self._node = node
        self._dag = compiled.dag
        self._signature = None if champion is None else champion.signature
        self.version = None if champion is None else champion.version
        features = compiled.features.get(node.id) or ()
        transforms = compiled.transforms.get(node.id, ())
        fitted = None if champion is None else fitted_slots(champion.signature)
        self._slots = expected_slots(features, transforms) if fitted is None else fitted
        self.vectors = [vector_of(node.id)]
        self._learnt = (
            Edge(ColumnRef(vector_of(node.id), EVERY), Kind.FIT),
            *[Edge(ColumnRef(node.id, name), Kind.FIT) for name in node.ml_model.role_columns.values()],
        )

    def trace(self, lineage: Lineage) -> Iterator[tuple[str, NodeLineage]]:
        """Yield the vectors by their ids, and the nodes that have other edges than in `lineage`."""
        node = self._node
        own = {name.lower(): ColumnRef(node.id, name) for name in lineage.nodes[node.id].columns}
        yield vector_of(node.id), _vector(self._slots, own)
        for reader in self._dag.nodes.values():
            if isinstance(reader, PredictionNode) and reader.ml_model == node.id:
                yield from self._trace_prediction(reader, lineage.nodes[reader.id])
            elif isinstance(reader, MlOutputNode) and reader.ml_model == node.id:
                made = lineage.nodes[reader.id]
                yield reader.id, replace(made, columns=dict.fromkeys(made.columns, self._learnt))

    def _trace_prediction(self, node: PredictionNode, before: NodeLineage) -> Iterator[tuple[str, NodeLineage]]:
        added = [name for name, edges in before.columns.items() if any(edge.kind is Kind.FIT for edge in edges)]
        if not added:
            # What is scored is not known, and so its columns reach what is predicted in an unknown way.
            return
        read = {edge.source.column.lower(): edge.source for edge in before.columns[added[0]] if edge.kind is Kind.VALUE}
        vector = vector_of(node.id)
        self.vectors.append(vector)
        yield vector, _vector(self._slots, read)
        inputs = [Edge(read[name.lower()], Kind.VALUE) for name in self._node.ml_model.inputs]
        computed = (Edge(ColumnRef(vector, EVERY), Kind.VALUE), *inputs, *self._learnt)
        passed = {name: edges for name, edges in before.columns.items() if name not in added}
        yield node.id, replace(before, columns=passed | dict.fromkeys(self._named(added, node.explain), computed))

    def _named(self, added: Sequence[str], explain: int | None) -> Iterable[str]:
        """Return the columns that prediction adds by name, where the fit has told how many there are."""
        if EVERY not in added or self._signature is None:
            return added
        outputs = (*self._signature.outputs, *explanation_columns(explain))
        return [f"{self._node.ml_model.output_prefix}{output.name}" for output in outputs]


def _vector(slots: Iterable[Slot], features: Mapping[str, ColumnRef]) -> NodeLineage:
    """Return what each slot is computed from.

    Args:
        features: columns by name, in lower case.
    """
    return NodeLineage(
        {slot.name: tuple([Edge(features[name.lower()], Kind.VALUE) for name in slot.features]) for slot in slots}
    )
