"""Spark's types without Spark: a query's syntax tree and what it reads in, the type of each output column out.

`queries` walks the query, `relations`, `pivots` and `generators` its FROM clause, `expressions` what it computes;
`functions` has the rule of each function, `coercion` the rules for types that meet. A type that is not certain is
None, and so is all that depends on it. What types are is known without sqlglot, which takes its time to load.
"""

from sqlml.compile.types.plain import from_plain, to_plain
from sqlml.compile.types.spark_types import SparkType
from sqlml.compile.types.type_text import parse_type

__all__ = ["SparkType", "from_plain", "parse_type", "to_plain"]
