"""Conditions of ML models, from the cache if they were read before: `where:` and known columns in, Condition out."""

from __future__ import annotations

from sqlml.compile.facts import Condition
from sqlml.errors import SqlmlError
from sqlml.ir.cache import Cache, dump, key_of
from sqlml.ir.project import MlModel


class ConditionReader:
    """Reads the `where:` of ML models."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def read(
        self, ml_model: MlModel, title: str, columns: tuple[str, ...] | None, errors: list[SqlmlError]
    ) -> Condition | None:
        """Return what a `where:` reads, None if there is none or it cannot be read; errors are appended to `errors`.

        Args:
            title: name of the training relation.
            columns: of the training relation; None: unknown.
        """
        if ml_model.where is None:
            return None
        key = key_of(ml_model.where, dump(columns))
        kept = self._cache.get("conditions", key, Condition)
        if kept is not None:
            return kept
        from sqlml.compile.conditions import read_condition

        found: list[SqlmlError] = []
        condition = read_condition(ml_model, title, columns, found)
        if condition is not None and not found:
            self._cache.put("conditions", key, condition)
        errors.extend(found)
        return condition
