"""What an ML model reads and returns before it is fitted, and whether a relation has what a fitted one reads."""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.ir.state import Column


@dataclass(frozen=True, slots=True)
class ExpectedSignature:
    """What a fit would read and return now, as far as it is known without one; types that are not known are empty.

    Attributes:
        features: in the order of the feature list; None: unknown.
        label: None for clusterings.
        outputs: the columns that prediction adds, without a prefix; only those that are sure.
        inputs: what a prediction reads besides the features: an offset.
        has_all_outputs: whether these are all; of how many classes a classifier is may be known by a fit only.
    """

    features: tuple[Column, ...] | None = None
    label: Column | None = None
    outputs: tuple[Column, ...] = ()
    has_all_outputs: bool = False
    inputs: tuple[Column, ...] = ()
