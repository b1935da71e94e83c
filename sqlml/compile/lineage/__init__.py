"""Column lineage: an analysed Dag in, what each column of each node is computed from out."""

from __future__ import annotations

from sqlml.compile.lineage.nodes import LineageTracer

__all__ = ["LineageTracer"]
