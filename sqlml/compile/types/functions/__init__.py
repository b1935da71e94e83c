"""The types of Spark's functions: a key of sqlglot's classes or a name of Spark's in, the rule for its result out.

One theme a module, each with its `RULES`; a new function is one entry in one of them.
"""

from __future__ import annotations

from types import MappingProxyType

from sqlml.compile.types.functions import (
    aggregates,
    collections,
    conditions,
    dates,
    fixed,
    lambdas,
    numbers,
    schemas,
    strings,
)
from sqlml.compile.types.functions.call import Rules

FUNCTIONS: Rules = MappingProxyType(
    {
        **fixed.RULES,
        **numbers.RULES,
        **strings.RULES,
        **conditions.RULES,
        **aggregates.RULES,
        **dates.RULES,
        **schemas.RULES,
        **collections.RULES,
        **lambdas.RULES,
    }
)
