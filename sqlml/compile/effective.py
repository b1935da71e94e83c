"""Fingerprints of what will really be read: compiled fingerprints and what exists in, corrected fingerprints out.

A build of a part of the project reads relations as they were built before. What is made of them must not pass for what
the present code of those relations would have given.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlml.compile.fingerprints import ParentDigest, compose, digest_of, parents_of, seen_whole
from sqlml.ir.dag import Node
from sqlml.ir.deferral import Deferral
from sqlml.ir.state import Fingerprint, Output, VersionRef


def recompose(node: Node, compiled: Mapping[str, Fingerprint], effective: Mapping[str, Fingerprint]) -> Fingerprint:
    """Return the fingerprint of `node` over its parents' effective fingerprints."""
    own = compiled[node.id]
    stale = [parent for parent in parents_of(own) if effective[parent].digest != compiled[parent].digest]
    champions = {name for parent in node.parents for name in effective[parent].champions}
    if node.alias_read is not None:
        champions |= {node.alias_read}
    if not stale:
        return Fingerprint(own.digest, own.code, own.parts, tuple(sorted(champions)))
    return compose(own.parts, {parent: seen_whole(effective[parent]) for parent in parents_of(own)}, champions)


def fingerprint_stored(
    output: Output, effective: Mapping[str, Fingerprint], champions: Mapping[str, VersionRef]
) -> Fingerprint:
    """Return the fingerprint of the rows that reading `output` gives now.

    Args:
        champions: the version of each champion after this build, as far as it is known; others are being fitted.
    """
    stored = output.fingerprint
    if output.kind == "view":
        # A view is read over what its parents are now.
        seen = {
            parent: seen_whole(effective[parent]) if parent in effective else ParentDigest(digest, digest)
            for parent, digest in parents_of(stored).items()
        }
        names = {name for parent in output.parents if parent in effective for name in effective[parent].champions}
        return compose(stored.parts, seen, names)
    now = {name: champions.get(name) for name in stored.champions}
    if dict(output.champions) == now:
        return stored
    # Rows of another champion than what is made of them will be said to depend on.
    held = digest_of(dict(output.champions))
    return Fingerprint(digest_of([stored.digest, held]), digest_of([stored.code, held]), stored.parts, stored.champions)


def fingerprint_deferred(
    nodes: Mapping[str, Node], compiled: Mapping[str, Fingerprint], deferral: Deferral
) -> dict[str, Fingerprint]:
    """Return the fingerprints of the rows that the relations of another target give now, by id.

    Its champions are hashed, since the names in a fingerprint stand for those of the target that reads it.
    """
    there = deferral.snapshot
    numbers: dict[str, VersionRef] = {name: found.version for name, found in there.champions().items()}
    effective: dict[str, Fingerprint] = {}
    for node in nodes.values():
        output = there.outputs.get(node.id)
        if node.is_stored and output is not None:
            effective[node.id] = fingerprint_stored(output, effective, numbers)
        else:
            effective[node.id] = recompose(node, compiled, effective)
    return {
        node_id: _hash_champions(found, deferral.target, there.outputs.get(node_id), numbers)
        for node_id, found in effective.items()
    }


def _hash_champions(
    found: Fingerprint, target: str, output: Output | None, champions: Mapping[str, VersionRef]
) -> Fingerprint:
    if not found.champions:
        return found
    # A table holds the predictions that were made for it, a view gives those of now.
    is_table = output is not None and output.kind == "table"
    held = dict(output.champions) if output is not None and is_table else _named(champions, found.champions)
    digest, code = (digest_of([part, target, held]) for part in (found.digest, found.code))
    return Fingerprint(digest, code, found.parts)


def _named(champions: Mapping[str, VersionRef], names: tuple[str, ...]) -> dict[str, VersionRef]:
    return {name: champions[name] for name in names if name in champions}
