"""Runs data tests: test nodes in, the number of failing rows of each out, the cheap ones of a relation in one scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.ir.dag import TestNode
from sqlml.run.failure import Doing, spark_failures
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def count_failures(spark: SparkSession, tests: Sequence[tuple[TestNode, str]], log: Path) -> Mapping[str, int]:
    """Return for each test id how many rows failed.

    Args:
        tests: each with the relation of its owner.
        log: takes Spark's whole account of a failure.

    Raises:
        StepError: a test's SQL cannot be run.
    """
    counts: dict[str, int] = {}
    cheap = sorted((pair for pair in tests if pair[0].condition), key=lambda pair: (pair[1], pair[0].id))
    for relation, pairs in groupby(cheap, key=lambda pair: pair[1]):
        counts |= _count_together(spark, [test for test, _ in pairs], relation, log)
    for test, _ in tests:
        if not test.condition:
            counts[test.id] = _count_alone(spark, test, log)
    return counts


def _count_together(spark: SparkSession, tests: Sequence[TestNode], relation: str, log: Path) -> dict[str, int]:
    """Count for each test the rows of `relation` that meet its condition, in one scan.

    Example:
        not_null(a), not_null(b) on t  ->  select count_if(`a` is null), count_if(`b` is null) from `t`
    """
    columns = ", ".join(f"count_if({test.condition}) as t{number}" for number, test in enumerate(tests))
    text = f"select {columns} from {quote(relation)}"
    names = ", ".join(f"'{test.name}'" for test in tests)
    doing = Doing(f"data tests {names} failed to run", tests[0].places.whole, log_file=log)
    with spark_failures(doing):
        row = spark.sql(text).first()
    return {test.id: int(row[number]) if row else 0 for number, test in enumerate(tests)}


def _count_alone(spark: SparkSession, test: TestNode, log: Path) -> int:
    before = "select count(*) from (\n"
    # The end of the line ends a trailing comment of a singular test.
    text = f"{before}{test.sql.text}\n)"
    shift = len(before)
    segments = (replace(part, start=part.start + shift, end=part.end + shift) for part in test.sql.segments)
    shifted = replace(test.sql, text=text, segments=tuple(segments))
    compiled = f"data_tests/{test.name}.sql"
    what = f"data test '{test.name}' failed to run"
    with spark_failures(Doing(what, test.places.whole, shifted, log, compiled)):
        return int(spark.sql(text).first()[0])  # type: ignore[index]
