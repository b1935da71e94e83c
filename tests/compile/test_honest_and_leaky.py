"""Honest features are not suspected, and leaky ones are found: each pair of `honest_and_leaky.sql`."""

from __future__ import annotations

import pytest
from honest_and_leaky import read_pairs

from sqlml.errors import SqlmlError

PAIRS = read_pairs()
SIDES = [
    pytest.param(side, id=f"{pair.name}-{name}")
    for pair in PAIRS
    for name, side in (("honest", pair.honest), ("leaky", pair.leaky))
]


@pytest.mark.parametrize("side", SIDES)
def test_side(workshop, side):
    try:
        codes = {found.code for found in workshop.compile(side.project()).diagnostics}
    except SqlmlError as error:
        codes = {single.code or single.what for single in getattr(error, "errors", (error,))}
    assert codes == side.codes


def test_leaky_sides_say_what_is_wrong_with_them():
    assert all(pair.leaky.codes and not pair.honest.codes for pair in PAIRS)
    assert len(PAIRS) >= 110
