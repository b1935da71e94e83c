"""The slots of a feature vector: a fitted model's signature, or the transforms chosen for a fit, in; slots out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlml.ir.explanations import feature_of
from sqlml.ir.state import Signature
from sqlml.ir.transforms import FeatureTransform, Kind


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot by name, and the features that it comes from; before a fit, `*` in the name stands for what it learns."""

    name: str
    features: tuple[str, ...]


def fitted_slots(signature: Signature) -> tuple[Slot, ...]:
    """Return the slots that a fitted model reads, in order."""
    features = tuple([feature.name for feature in signature.features])
    return tuple([Slot(name, _features_of(name, features)) for name in signature.slots])


def _features_of(slot: str, features: tuple[str, ...]) -> tuple[str, ...]:
    found = feature_of(slot, features)
    return features if found is None else (found,)


def expected_slots(features: Sequence[str], transforms: Sequence[FeatureTransform]) -> tuple[Slot, ...]:
    """Return the slots that a fit would make: `distance`, `carrier=*`, `weights[*]`.

    Args:
        transforms: of those features whose type is known; of any other, all is left open (`x*`).
    """
    chosen = {transform.column: transform for transform in transforms}
    return tuple([slot for name in features for slot in _expect(name, chosen)])


def _expect(name: str, chosen: Mapping[str, FeatureTransform]) -> Iterator[Slot]:
    transform = chosen.get(name)
    if transform is None:
        yield Slot(f"{name}*", (name,))
    elif transform.encode == "one_hot":
        yield Slot(f"{name}=*", (name,))
    elif transform.kind in (Kind.ARRAY, Kind.VECTOR):
        yield Slot(f"{name}[*]", (name,))
    else:
        yield Slot(name, (name,))
