"""Phase 2: the Project in, the Dag out; and the nodes that `--select` and `--exclude` name."""

from __future__ import annotations

from sqlml.resolve.graph import resolve_project
from sqlml.resolve.select import select_nodes

__all__ = ["resolve_project", "select_nodes"]
