"""Phase 3: a Dag in, what a build would do out; columns, parameters, fingerprints and the plan, without a JVM."""

from __future__ import annotations

from sqlml.compile.dag_compiler import compile_dag
from sqlml.compile.lineage.vectors import trace_vectors
from sqlml.compile.ml_types import expression_types
from sqlml.compile.planning import make_plan
from sqlml.compile.verdicts import decide_verdicts

__all__ = ["compile_dag", "decide_verdicts", "expression_types", "make_plan", "trace_vectors"]
