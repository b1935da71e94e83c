"""The relations that can be made from a fitted model: one entry each, with what it takes and who can make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlml.ir.estimators import ESTIMATORS, Estimator
from sqlml.ir.project import MlModel, MlOutput
from sqlml.ir.signatures import ExpectedSignature
from sqlml.ir.state import Column
from sqlml.ir.transforms import FeatureTransform, Kind

TRAINING_DATA = "training_data"
"""What `MlOutput.seen` is where the ML model's own training data says what was seen."""

OUTPUT_KEYS = ("for", "top", "exclude_seen")
"""The keys of an entry that mean something to some kinds only."""

SEEN_ROLES = ("user", "item")
"""The roles whose columns say what was seen."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What is known of an ML model before it is fitted.

    Attributes:
        transforms: of each feature whose type is known, in the order of the features.
    """

    ml_model: MlModel
    signature: ExpectedSignature
    transforms: tuple[FeatureTransform, ...]


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of entry of `outputs:`.

    Attributes:
        name: the `kind:` of an entry.
        about: one line for the documentation.
        estimators: the estimators that can make it.
        columns: gives its columns, a type that is not known being empty; None: they are not known before a fit.
        takes: those of `OUTPUT_KEYS` that mean something to it.
        over: the roles whose columns the relation of `for` must have.
    """

    name: str
    about: str
    estimators: tuple[str, ...]
    columns: Callable[[Trained], tuple[Column, ...] | None]
    takes: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


CLUSTER, SIZE = Column("cluster", "int"), Column("size", "bigint")


def _centre_type(transform: FeatureTransform) -> str:
    if transform.encode is not None:
        return "map<string,double>"
    return "array<double>" if transform.kind in (Kind.ARRAY, Kind.VECTOR) else "double"


def _centres(trained: Trained) -> tuple[Column, ...] | None:
    if trained.signature.features is None or len(trained.transforms) < len(trained.signature.features):
        return None
    columns = [Column(transform.column, _centre_type(transform)) for transform in trained.transforms]
    return (CLUSTER, SIZE, *columns)


OUTPUT_KINDS: dict[str, OutputKind] = {
    entry.name: entry
    for entry in (
        OutputKind(
            "centres",
            "One row per cluster: how many training rows it has, and where its centre is, in the features' own units.",
            ("KMeans",),
            _centres,
        ),
    )
}


def kinds_of(estimator: Estimator) -> tuple[str, ...]:
    """Return the kinds of output that a fitted model of `estimator` can make."""
    return tuple(name for name, kind in OUTPUT_KINDS.items() if estimator.name in kind.estimators)


def makers_of(kind: str) -> tuple[str, ...]:
    """Return the names of the estimators whose fitted models can make outputs of `kind`."""
    return tuple(name for name, estimator in ESTIMATORS.items() if kind in kinds_of(estimator))


def settings_of(output: MlOutput) -> dict[str, Any]:
    """Return what decides the rows of an output beside what it reads."""
    return {"kind": output.kind, "top": output.top, "exclude_seen": output.seen is not None}
