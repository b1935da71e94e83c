"""The columns of one entry while they are mixed: which vector they are by now, and what its slots are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlml.ir.chains import FeatureTransform
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.run.ml.features.making import Slot


@dataclass(frozen=True, slots=True)
class Mixed:
    """The columns of one entry on their way.

    Attributes:
        members: the features.
        tag: tells its columns from those of other entries.
        suffix: of slots that have a number for a name, where another entry has the same word.
        vector: the column with all slots; empty: the features are still by themselves.
    """

    members: tuple[FeatureTransform, ...]
    tag: str
    suffix: str = ""
    vector: str = ""
    slots: tuple[Slot, ...] = ()

    def column(self, word: str) -> str:
        """Return a name for what a word makes."""
        return f"{INTERNAL_PREFIX}mix_{self.tag}_{word}"

    def made(self, column: str, slots: Sequence[Slot]) -> Mixed:
        """Return the same with another vector."""
        return replace(self, vector=column, slots=tuple(slots))

    def numbered(self, word: str, count: int) -> list[Slot]:
        """Return slots that come from all features and have a number for a name: `pca_0`."""
        features = tuple(transform.column for transform in self.members)
        return [Slot(f"{word}{self.suffix}_{number}", features) for number in range(count)]
