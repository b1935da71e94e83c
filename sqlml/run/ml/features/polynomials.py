"""Names of products: the slots that are multiplied in, what Spark's expansions are called out, in Spark's order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import comb

from sqlml.run.ml.features.making import Slot


def polynomial_size(slots: int, degree: int) -> int:
    """Return how many slots an expansion has: all products of at most `degree` factors but the empty one."""
    return comb(slots + degree, degree) - 1


def polynomial_slots(slots: Sequence[Slot], degree: int) -> list[Slot]:
    """Return the slots of Spark's PolynomialExpansion: `a`, `a^2`, `b`, `a*b`, `b^2` for a and b of degree 2.

    The order is that of `PolynomialExpansion.expandDense`: for each power of the last slot, the expansion of the slots
    before it to what is left of the degree.
    """
    products = list(_powers(len(slots) - 1, degree))[1:]
    return [product_slot([slots[at] for at in product]) for product in products]


def _powers(last: int, degree: int) -> Iterator[tuple[int, ...]]:
    if degree == 0 or last < 0:
        yield ()
        return
    for power in range(degree + 1):
        for product in _powers(last - 1, degree - power):
            yield product + (last,) * power


def interaction_slots(factors: Sequence[Sequence[Slot]]) -> list[Slot]:
    """Return the slots of the product of several vectors; those of the last change fastest."""
    made: list[list[Slot]] = [[]]
    for factor in factors:
        made = [[*product, slot] for product in made for slot in factor]
    return [product_slot(product) for product in made]


def product_slot(factors: Sequence[Slot]) -> Slot:
    """Return the slot of a product: `a*b`, `a^2`."""
    powers = Counter(slot.name for slot in factors)
    name = "*".join(name if power == 1 else f"{name}^{power}" for name, power in powers.items())
    return Slot(name, tuple(dict.fromkeys(feature for slot in factors for feature in slot.features)))
