"""How many arguments a function takes: a name and a number in, what is wrong with it out."""

from __future__ import annotations

from sqlml.compile.checks.spark_table import SparkFunction, spark_table

# Spark's grammar has these calls with a unit, besides functions of the same names.
WITH_UNIT = ("dateadd", "date_add", "datediff", "date_diff", "timestampadd", "timestampdiff")


def wrong_count(name: str, count: int) -> tuple[str, str] | None:
    """Return what is wrong with a call of `count` arguments, and the fix; None: nothing, as far as is known."""
    found = spark_table().functions.get(name)
    if found is None or found.takes(count) or (count == 3 and name in WITH_UNIT):
        return None
    given = "1 argument" if count == 1 else f"{count or 'no'} arguments"
    what = f"calls {name}() with {given}, and it takes {_taken(found)}"
    return what, f"see `describe function {name}` in Spark {spark_table().version}"


def _taken(found: SparkFunction) -> str:
    counts = found.counts
    is_range = counts == tuple(range(counts[0], counts[-1] + 1))
    if found.is_open and is_range:
        return f"{counts[0]} or more"
    if counts == (0,):
        return "none"
    if len(counts) > 2 and is_range:
        return f"{counts[0]} to {counts[-1]}"
    shown = [str(count) for count in counts]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" or {shown[-1]}"
