"""Every column reference of the clean queries with one letter changed: Spark refuses each, and so does the compiler."""

from __future__ import annotations

from checks_corpus import all_errors, misspelt, rows_of

from sqlml.errors import CompileError


def places_of(sql: str) -> list[int]:
    """Return the offsets of what is said of a query."""
    try:
        return [offset for offset, _ in all_errors(sql)]
    except CompileError as error:
        return [error.location.line]


def test_misspelt_columns_are_caught_at_their_places(say):
    cases = rows_of("misspelt_4.3.json")
    caught, exact, missed = 0, 0, []
    for name, number, start, word in cases:
        sql = misspelt(name, number, start, word)
        places = places_of(sql)
        caught += bool(places)
        exact += start in places
        if not places:
            missed.append((word, sql))
    say(
        f"misspelt columns: {len(cases)}, caught {caught / len(cases):.1%}, at the exact place {exact / len(cases):.1%}"
    )
    # What is missed: columns that PIVOT and UNPIVOT read or make, and columns of generators without names.
    assert len(cases) > 1500
    assert caught / len(cases) >= 0.98, missed
    assert exact / len(cases) >= 0.98
