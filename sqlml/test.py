"""sqlml test: run data tests on what was last built; publishes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlml.build import (
    Built,
    Request,
    compile_project,
    execute,
    load_dag,
    open_deferral,
    open_project_store,
    remember,
    select,
    trace_lineage,
    write_artifacts,
)
from sqlml.compile import make_plan
from sqlml.errors import CommandError
from sqlml.ir.dag import TestNode
from sqlml.ir.plan import PlanRequest
from sqlml.ir.results import Progress


def test(request: Request, progress: Progress) -> Built:
    """Run the selected data tests, and those of the selected relations, whether or not anything changed.

    Raises:
        SqlmlError: the input is wrong, a tested relation was never built, or a build holds the lock.
    """
    with remember(request) as aids:
        dag = load_dag(request, aids)
        store = open_project_store(dag.project, aids=aids)
        with store.lock("sqlml test"):
            compiled = compile_project(dag, store, aids, with_lineage=True)
            tests = frozenset(node_id for node_id in select(dag, request) if isinstance(dag.nodes[node_id], TestNode))
            if not tests:
                raise CommandError(
                    "the selection has no data tests", fix="declare some under 'data_tests:' of a column"
                )
            asked = PlanRequest(
                selected=tests, now=datetime.now(UTC), full_refresh=True, deferral=open_deferral(dag, request, aids)
            )
            plan = make_plan(compiled, store.snapshot(), asked)
            write_artifacts(trace_lineage(plan.compiled, plan.snapshot), aids)
            results = execute(plan, store, progress, request, "test")
    return Built(plan, results)


# Not a pytest test, whatever its name says.
test.__test__ = False  # type: ignore[attr-defined]
