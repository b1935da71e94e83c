"""Conditions of ML models, from the cache if they were read before: text and known columns in, Condition out."""

from __future__ import annotations

from sqlml.compile.facts import Condition
from sqlml.compile.readable import Readable
from sqlml.errors import SqlmlError
from sqlml.ir.cache import Cache, dump, key_of
from sqlml.ir.location import SourceLocation


class ConditionReader:
    """Reads conditions on the rows of training relations."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def read(
        self, text: str, what: str, place: SourceLocation, training: Readable, errors: list[SqlmlError]
    ) -> Condition | None:
        """Return what a condition reads, None if it cannot be read; errors are appended to `errors`.

        Args:
            text: the condition.
            what: it is, as errors call it.
            training: the relation whose rows it chooses.
        """
        types = [str(found or "") for found in training.types.values()]
        key = key_of(text, dump(training.columns), *types)
        kept = self._cache.get("conditions", key, Condition)
        if kept is not None:
            return kept
        from sqlml.compile.conditions import read_condition

        found: list[SqlmlError] = []
        condition = read_condition(text, what, place, training, found)
        if condition is not None and not found:
            self._cache.put("conditions", key, condition)
        errors.extend(found)
        return condition
