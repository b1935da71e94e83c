"""Says why something is not current: two fingerprints in, reasons for a person out."""

from __future__ import annotations

from collections.abc import Mapping

from sqlml.ir.dag import Node
from sqlml.ir.state import Fingerprint

UNCHANGED = "unchanged"
_PARENT = "parent:"
_WORDS = {
    "sql": "SQL changed",
    "engine": "sqlml or pyspark changed",
    "event_time": "event time changed",
    "output_prefix": "output prefix changed",
    "ml_model": "ML model changed",
}


def explain_change(new: Fingerprint, old: Fingerprint, nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """Return what differs between two fingerprints of one node, its own parts first; empty if they are equal."""
    if new.digest == old.digest:
        return ()
    changed = [key for key in {**new.parts, **old.parts} if new.parts.get(key) != old.parts.get(key)]
    own = [_WORDS.get(key, f"{key} changed") for key in changed if not key.startswith(_PARENT)]
    parents = []
    for key in changed:
        if key.startswith(_PARENT):
            node_id = key.removeprefix(_PARENT)
            node = nodes.get(node_id)
            name = node.name if node else node_id.partition(".")[2]
            # A parent that came or went did so in this node's own text.
            if (key in new.parts and key in old.parts) or not own:
                parents.append(f"parent '{name}' changed")
    return (*own, *parents) or ("changed",)
