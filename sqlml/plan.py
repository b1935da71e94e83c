"""sqlml plan: what build would do to each node and why, and each ML model's features, without a JVM."""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.build import Request, compile_project, load_dag, open_project_store, plan_build, remember
from sqlml.errors import SqlmlError, raise_all
from sqlml.ir.dag import MlNode
from sqlml.ir.estimators import estimator_of
from sqlml.ir.plan import Plan
from sqlml.ir.state import Column
from sqlml.ir.transforms import FeatureTransform, choose_transforms


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and for each selected ML model what is done to each feature.

    Attributes:
        transforms: ML model name to its features' transforms; None while the types of its training relation are
            not known (it was never built), then `features` has the names, if those are.
        features: ML model name to its features' names.
    """

    plan: Plan
    transforms: dict[str, tuple[FeatureTransform, ...] | None]
    features: dict[str, tuple[str, ...] | None]


def plan(request: Request) -> Planned:
    """Return what `build(request)` would do.

    Raises:
        SqlmlError: the input is wrong.
    """
    with remember(request) as aids:
        dag = load_dag(request, aids)
        store = open_project_store(dag.project, aids=aids)
        compiled = compile_project(dag, store, aids)
    made = plan_build(compiled, store, request)
    transforms: dict[str, tuple[FeatureTransform, ...] | None] = {}
    features: dict[str, tuple[str, ...] | None] = {}
    errors: list[SqlmlError] = []
    for step in made.steps:
        if isinstance(step.node, MlNode) and step.is_selected:
            features[step.node.name] = compiled.features.get(step.node.id)
            try:
                transforms[step.node.name] = _transforms(made, step.node)
            except SqlmlError as error:
                errors.append(error)
    raise_all(errors)
    return Planned(made, transforms, features)


def _transforms(made: Plan, node: MlNode) -> tuple[FeatureTransform, ...] | None:
    output = made.snapshot.outputs.get(node.training_relation)
    columns = made.compiled.columns.get(node.training_relation)
    if output is None or columns is None:
        return None
    types = {column.name.lower(): column for column in output.columns}
    if not all(name.lower() in types for name in columns):
        return None
    known = [Column(name, types[name.lower()].type) for name in columns]
    return choose_transforms(known, node.ml_model, estimator_of(node.ml_model))
