"""The slots of a feature vector: a fitted model's signature, or the transforms chosen for a fit, in; slots out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlml.ir.chains import FeatureTransform, Mixing
from sqlml.ir.state import Signature
from sqlml.ir.words import Kind


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot by name, and the features that it comes from; before a fit, `*` in the name stands for what it learns."""

    name: str
    features: tuple[str, ...]


def fitted_slots(signature: Signature) -> tuple[Slot, ...] | None:
    """Return the slots that a fitted model reads, in order; None: it was saved without what they come from."""
    if len(signature.slots) != len(signature.slot_features):
        return None
    named = zip(signature.slots, signature.slot_features, strict=True)
    return tuple([Slot(name, features) for name, features in named])


def expected_slots(features: Sequence[str], transforms: Sequence[FeatureTransform]) -> tuple[Slot, ...]:
    """Return the slots that a fit would make: `distance`, `carrier=*`, `weights[*]`, `pca_*`.

    Args:
        transforms: of those features whose type is known; of any other, all is left open (`x*`).
    """
    chosen = {transform.column: transform for transform in transforms}
    slots: list[Slot] = []
    for name in features:
        transform = chosen.get(name)
        slots += [Slot(f"{name}*", (name,))] if transform is None else _expect(transform, transforms)
    # What an entry makes of several columns together is named at each of them.
    return tuple(dict.fromkeys(slots))


def _expect(transform: FeatureTransform, transforms: Sequence[FeatureTransform]) -> Iterator[Slot]:
    mixing = transform.mixing
    if mixing is None:
        yield from _alone(transform, transforms)
    else:
        members = [
            other for other in transforms if other.mixing is not None and other.mixing.position == mixing.position
        ]
        yield from _mixed(members, mixing, transforms)
    if transform.said("indicator") is not None:
        yield Slot(f"{transform.column}=<null>", (transform.column,))


_NUMBERED = {"expand: dct": "dct", "reduce: {pca}": "pca", "near: {min_hash}": "min_hash",
             "near: {random_projection}": "random_projection"}  # fmt: skip
_PRODUCTS = ("expand: polynomial", "expand: interaction")


def _mixed(
    members: Sequence[FeatureTransform], mixing: Mixing, transforms: Sequence[FeatureTransform]
) -> Iterator[Slot]:
    """Yield what an entry makes of its columns: what the last of its words that makes new slots makes."""
    columns = tuple([member.column for member in members])
    words = [applied.word.name for applied in mixing.words]
    numbered = next((_NUMBERED[word] for word in reversed(words) if word in _NUMBERED), None)
    if numbered is not None:
        yield Slot(f"{numbered}_*", columns)
        return
    for member in members:
        yield from _alone(member, transforms)
    if any(word in _PRODUCTS for word in words):
        yield Slot("*", columns)


_OF_TEXTS = {"hashing_tf": "#*", "word2vec": "[*]"}


def _alone(transform: FeatureTransform, transforms: Sequence[FeatureTransform]) -> Iterator[Slot]:
    name, encode, text = transform.column, transform.said("encode"), transform.said("text")
    if encode is not None and encode.value == "hash":
        sharing = [other for other in transforms if _is_hashed_with(other, transform)]
        columns = tuple([other.column for other in sharing])
        yield Slot(f"{'+'.join(columns)}#*", columns)
    elif encode is not None and encode.value == "one_hot":
        yield Slot(f"{name}=*", (name,))
    elif text is not None:
        is_hashed = text.value == "tf_idf" and "numFeatures" in text.params
        ending = "#*" if is_hashed else _OF_TEXTS.get(text.value, ":*")
        yield Slot(f"{name}{ending}", (name,))
    elif transform.kind in (Kind.ARRAY, Kind.VECTOR):
        yield Slot(f"{name}[*]", (name,))
    else:
        # Of an `expr` whose type is not known nothing is known.
        yield Slot(name if transform.kind is not None else f"{name}*", (name,))


def _is_hashed_with(other: FeatureTransform, transform: FeatureTransform) -> bool:
    one, own = other.said("encode"), transform.said("encode")
    positions = [None if each.mixing is None else each.mixing.position for each in (other, transform)]
    is_one_entry = one is not None and own is not None and one.value == "hash" and one.position == own.position
    return is_one_entry and positions[0] == positions[1]
