"""sqlml plan: what build would do to each node and why, and each ML model's features, without a JVM."""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.build import Request, compile_project, load_dag, open_deferral, open_project_store, plan_build, remember
from sqlml.compile import decide_verdicts, expression_types
from sqlml.errors import SqlmlError, raise_all
from sqlml.ir.dag import MlNode
from sqlml.ir.estimators import estimator_of
from sqlml.ir.plan import Action, Plan
from sqlml.ir.signatures import FeatureChange, compare_features
from sqlml.ir.state import Column
from sqlml.ir.transforms import FeatureTransform, bins_notes, choose_transforms
from sqlml.ir.trials import PlannedFits, plan_fits
from sqlml.ir.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class PlannedFeatures:
    """The features of an ML model.

    Attributes:
        names: in the order of the feature list; None where only Spark knows them before the training data is built.
        transforms: of those whose type is known.
        champion: the version that predictions use; None: there is none.
        changes: what is not as in the champion.
        notes: what the transforms do to the estimator.
    """

    names: tuple[str, ...] | None
    transforms: tuple[FeatureTransform, ...]
    champion: int | None = None
    changes: tuple[FeatureChange, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan; features and verdict of each selected ML model by its name, and the fits of those that are fitted."""

    plan: Plan
    features: dict[str, PlannedFeatures]
    fits: dict[str, PlannedFits]
    verdicts: dict[str, Verdict]


def plan(request: Request) -> Planned:
    """Return what `build(request)` would do.

    Raises:
        SqlmlError: the input is wrong.
    """
    with remember(request) as aids:
        dag = load_dag(request, aids)
        store = open_project_store(dag.project, aids=aids)
        compiled = compile_project(dag, store, aids)
        deferral = open_deferral(dag, request, aids)
    made = plan_build(compiled, store, request, deferral)
    features: dict[str, PlannedFeatures] = {}
    errors: list[SqlmlError] = []
    for step in made.steps:
        if isinstance(step.node, MlNode) and step.is_selected and estimator_of(step.node.ml_model).reads_features:
            try:
                features[step.node.name] = _features(made, step.node)
            except SqlmlError as error:
                errors.append(error)
    raise_all(errors)
    fits = {
        step.node.name: plan_fits(step.node.ml_model)
        for step in made.steps
        if isinstance(step.node, MlNode) and step.is_selected and step.action is not Action.KEEP
    }
    return Planned(made, features, fits, decide_verdicts(made))


def _features(made: Plan, node: MlNode) -> PlannedFeatures:
    expected = made.compiled.signatures[node.id]
    champion = made.snapshot.champion(node.name)
    changes: tuple[FeatureChange, ...] = ()
    if champion is not None and expected.features is not None:
        columns = made.compiled.columns.get(node.training_relation) or ()
        include = node.ml_model.include
        changes = compare_features(champion.signature.features, expected.features, include, columns)
    number = None if champion is None else champion.version
    transforms = _transforms(made, node)
    notes = bins_notes(transforms, node.ml_model)
    return PlannedFeatures(made.compiled.features.get(node.id), transforms, number, changes, notes)


def _transforms(made: Plan, node: MlNode) -> tuple[FeatureTransform, ...]:
    """Return the transforms that types decide, where need be with the types of the training relation as it was built.

    Raises:
        CompileError: a transform does not fit the type that the relation has.
    """
    training = node.training_relation
    names, output = made.compiled.columns.get(training), made.snapshot.outputs.get(training)
    types = made.compiled.types.get(training, ())
    is_current = output is not None and output.fingerprint.digest == made.compiled.fingerprints[training].digest
    if names is None or output is None or None not in types or not is_current:
        return made.compiled.transforms[node.id]
    built = {column.name: column.type for column in output.columns}
    columns = [Column(name, kind or built.get(name, "")) for name, kind in zip(names, types, strict=True)]
    return choose_transforms(columns, node.ml_model, estimator_of(node.ml_model), expression_types(columns))
