"""ML models: an entry of `ml_models:` in, what it declares out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.ir.location import Places
from sqlml.ir.project import ForEach, MlModel, MlOutput, Retrain, Split
from sqlml.ir.roles import ROLES
from sqlml.parse.declared import DeclaredMlModel
from sqlml.parse.entries import RawEntry
from sqlml.parse.evaluation import to_gate, to_slices, to_threshold_rule
from sqlml.parse.folder_rules import given_config
from sqlml.parse.ml_checks import check_ml_model
from sqlml.parse.ml_outputs import read_ml_outputs
from sqlml.parse.problems import validate
from sqlml.parse.specs import MlModelConfig, MlModelSpec, SplitSpec
from sqlml.parse.subject import Subject
from sqlml.parse.transform_entries import to_transform
from sqlml.parse.tuning import to_backtest, to_folds, to_tuning


def read_ml_model(raw: RawEntry, errors: list[SqlmlError]) -> DeclaredMlModel:
    """Return what an entry of `ml_models:` declares; what is wrong goes to `errors`."""
    places = raw.entry.places
    subject = Subject(raw.subject("ml model"), "ml_models", places, _written(places))
    spec = None if raw.entry.broken else validate(MlModelSpec, raw.entry.value, subject, errors)
    if spec is None:
        return DeclaredMlModel(raw.name, places)
    own = MlModelConfig(**spec.model_dump(include=set(MlModelConfig.model_fields), exclude_unset=True))
    errors.extend(check_ml_model(spec, subject))
    outputs = read_ml_outputs(spec, subject, places, errors)
    return DeclaredMlModel(
        raw.name, places, _to_ml_model(spec, raw.path, _with_label(places), outputs), given_config(own)
    )


def _with_label(places: Places) -> Places:
    """Return the places of an entry in which a rating is the label."""
    if "rating" not in places.keys:
        return places
    values = {**places.values, "label": places.values["rating"]} if "rating" in places.values else places.values
    return Places(places.whole, {**places.keys, "label": places.keys["rating"]}, values)


def _written(places: Places) -> Callable[[str], str]:
    # A list of features stands for their `include`, a list of columns for their `names`.
    def written(key: str) -> str:
        if key in places.keys:
            return key
        return key.replace("features.include.", "features.").replace(".columns.names", ".columns")

    return written


def _to_ml_model(spec: MlModelSpec, path: str, places: Places, outputs: tuple[MlOutput, ...]) -> MlModel:
    return MlModel(
        name=spec.name,
        path=path,
        places=places,
        training_data=spec.training_data,
        estimator=spec.estimator,
        problem=spec.problem,
        family=spec.family,
        where=spec.where,
        null_label=spec.null_label,
        params=spec.params,
        label=spec.label or spec.rating,
        positive=spec.positive,
        threshold=spec.threshold if isinstance(spec.threshold, float) else None,
        threshold_rule=to_threshold_rule(spec.threshold),
        class_weights=spec.class_weights,
        slices=to_slices(spec, places),
        has_permutations=spec.permutation_importances,
        baseline=spec.baseline,
        refit=spec.refit,
        folds=to_folds(spec),
        tuning=to_tuning(spec, places),
        backtest=to_backtest(spec),
        for_each=None if spec.for_each is None else ForEach(**spec.for_each.model_dump(exclude_none=True)),
        keys=tuple(spec.keys),
        event_time=spec.event_time,
        **{key: getattr(spec, key) for key in ROLES if key != "label"},
        include=_without_star(spec.features.include),
        exclude=tuple(spec.features.exclude),
        transforms=tuple(
            to_transform(entry, places.of(f"transforms.{position}")) for position, entry in enumerate(spec.transforms)
        ),
        split=_to_split(spec.split, spec.event_time),
        gates=tuple(to_gate(gate, places.of(f"gates.{position}")) for position, gate in enumerate(spec.gates)),
        promote=spec.promote,
        retrain=Retrain(spec.retrain.when, spec.retrain.at_most_every),
        output_prefix=spec.output_prefix or "",
        allow_leakage=spec.allow_leakage,
        outputs=outputs,
        unseen=spec.unseen or "keep",
        relevant_from=spec.relevant_from,
        description=spec.description,
    )


def _without_star(include: Sequence[str]) -> tuple[str, ...]:
    """Return the names, or none if all columns are meant."""
    return () if "*" in include else tuple(include)


def _to_split(spec: SplitSpec, event_time: str | None) -> Split:
    columns = tuple(spec.column)
    if spec.by == "time" and not columns and event_time is not None:
        columns = (event_time,)
    given: dict[str, Any] = {
        "holdout": spec.holdout,
        "holdout_from": spec.holdout_from,
        "gap_s": spec.gap,
        "seed": spec.seed,
        "within": spec.within,
    }
    return Split(
        by=spec.by,
        columns=columns,
        holdout_values=tuple(spec.holdout_values),
        train_values=tuple(spec.train_values),
        **{key: value for key, value in given.items() if value is not None},
    )
