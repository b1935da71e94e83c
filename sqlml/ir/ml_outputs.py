"""The relations that can be made from a fitted model: one entry each, with what it takes and who can make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlml.ir.estimators import ESTIMATORS, Estimator
from sqlml.ir.project import MlModel, MlOutput
from sqlml.ir.signatures import ExpectedSignature
from sqlml.ir.state import Column
from sqlml.ir.transforms import FeatureTransform
from sqlml.ir.words import Kind

TRAINING_DATA = "training_data"
"""What `MlOutput.seen` is where the ML model's own training data says what was seen."""

OUTPUT_KEYS = ("for", "top", "exclude_seen", "max_distance")
"""The keys of an entry that mean something to some kinds only."""

NEAR_PREFIX = "near_"
"""Begins the names of the keys of a row that lies near another."""

SEEN_ROLES = ("user", "item")
"""The roles whose columns say what was seen."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What is known of an ML model before it is fitted.

    Attributes:
        transforms: of each feature whose type is known, in the order of the features.
        keys: the columns that tell the rows of the training data apart.
    """

    ml_model: MlModel
    signature: ExpectedSignature
    transforms: tuple[FeatureTransform, ...]
    keys: tuple[Column, ...] = ()

    def role(self, key: str) -> Column:
        """Return the column with a role that predictions read."""
        name = self.ml_model.role_columns.get(key, "")
        return next((column for column in self.signature.inputs if column.name == name), Column(name, ""))


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of entry of `outputs:`.

    Attributes:
        name: the `kind:` of an entry.
        about: one line for the documentation.
        columns: gives its columns, a type that is not known being empty; None: they are not known before a fit.
        takes: those of `OUTPUT_KEYS` that mean something to it.
        over: the roles whose columns the relation of `for` must have.
        needs: those of `takes` that an entry must have.
        is_near: whether it looks for rows in the training data, by the hashes of a transform's `near:`.
    """

    name: str
    about: str
    columns: Callable[[Trained], tuple[Column, ...] | None]
    takes: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    is_near: bool = False


CLUSTER, SIZE = Column("cluster", "int"), Column("size", "bigint")
RANK, DISTANCE = Column("rank", "int"), Column("distance", "double")
DEFAULT_TOP = 10


def _centre_type(transform: FeatureTransform) -> str:
    if transform.value("encode") == "one_hot":
        return "map<string,double>"
    return "array<double>" if transform.kind in (Kind.ARRAY, Kind.VECTOR) else "double"


def _has_other_slots(transform: FeatureTransform) -> bool:
    """Tell whether a feature has slots that are not values, or places, of its own."""
    is_hashed = transform.value("encode") == "hash"
    return transform.mixing is not None or transform.said("text") is not None or is_hashed


def _centres(trained: Trained) -> tuple[Column, ...] | None:
    if trained.signature.features is None or len(trained.transforms) < len(trained.signature.features):
        return None
    if any(_has_other_slots(transform) for transform in trained.transforms):
        return None
    columns = [Column(transform.column, _centre_type(transform)) for transform in trained.transforms]
    return (CLUSTER, SIZE, *columns)


def _near(*between: Column) -> Callable[[Trained], tuple[Column, ...]]:
    def columns(trained: Trained) -> tuple[Column, ...]:
        near = [Column(f"{NEAR_PREFIX}{key.name}", key.type) for key in trained.keys]
        return (*trained.keys, *between, *near, DISTANCE)

    return columns


def _recommended(key: str, other: str) -> Callable[[Trained], tuple[Column, ...]]:
    def columns(trained: Trained) -> tuple[Column, ...]:
        predicted = Column(f"predicted_{trained.ml_model.rating}", "double")
        return (trained.role(key), RANK, trained.role(other), predicted)

    return columns


def _similar(trained: Trained) -> tuple[Column, ...]:
    item = trained.role("item")
    return (item, RANK, Column(f"similar_{item.name}", item.type), Column("similarity", "double"))


def _itemsets(trained: Trained) -> tuple[Column, ...]:
    return (Column("items", trained.role("items").type), Column("freq", "bigint"))


def _rules(trained: Trained) -> tuple[Column, ...]:
    items = trained.role("items").type
    measures = [Column(name, "double") for name in ("confidence", "lift", "support")]
    return (Column("antecedent", items), Column("consequent", items), *measures)


OUTPUT_KINDS: dict[str, OutputKind] = {
    entry.name: entry
    for entry in (
        OutputKind(
            "centres",
            "One row per cluster: how many training rows it has, and where its centre is, in the features' own units.",
            _centres,
        ),
        OutputKind(
            "recommend_items",
            "For each user the items that are predicted to be liked most.",
            _recommended("user", "item"),
            ("for", "top", "exclude_seen"),
            ("user",),
        ),
        OutputKind(
            "recommend_users",
            "For each item the users who are predicted to like it most.",
            _recommended("item", "user"),
            ("for", "top", "exclude_seen"),
            ("item",),
        ),
        OutputKind(
            "similar_items",
            "For each item those that the same users like: the cosine similarity of their factors.",
            _similar,
            ("for", "top"),
            ("item",),
        ),
        OutputKind(
            "itemsets", "What occurs together in at least `minSupport` of the rows, and in how many.", _itemsets
        ),
        OutputKind(
            "rules", "What goes with what, in at least `minConfidence` of the rows that have the first.", _rules
        ),
        OutputKind(
            "neighbours",
            "For each row those of the training data that lie nearest, of the rows that share a hash with it.",
            _near(RANK),
            ("for", "top"),
            is_near=True,
        ),
        OutputKind(
            "similar_pairs",
            "Pairs of rows that are less than `max_distance` apart, of those that share a hash.",
            _near(),
            ("for", "max_distance"),
            needs=("max_distance",),
            is_near=True,
        ),
    )
}


def kinds_of(estimator: Estimator) -> tuple[str, ...]:
    """Return the kinds of output that a fitted model of `estimator` can make."""
    return tuple(
        name
        for name, kind in OUTPUT_KINDS.items()
        if name in estimator.makes or (kind.is_near and estimator.reads_features)
    )


def makers_of(kind: str) -> tuple[str, ...]:
    """Return the names of the estimators whose fitted models can make outputs of `kind`."""
    return tuple(name for name, estimator in ESTIMATORS.items() if kind in kinds_of(estimator))


def settings_of(output: MlOutput) -> dict[str, Any]:
    """Return what decides the rows of an output beside what it reads."""
    settings: dict[str, Any] = {"kind": output.kind, "top": output.top, "exclude_seen": output.seen is not None}
    return settings if output.max_distance is None else {**settings, "max_distance": output.max_distance}
