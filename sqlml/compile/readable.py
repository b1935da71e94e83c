"""What a statement may read: a relation of the project, its columns and their types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlml.compile.types import SparkType
from sqlml.ir.state import Column


@dataclass(frozen=True, slots=True)
class Readable:
    """A relation of the project that a statement may read, by its view's name in lower case.

    Attributes:
        columns: None: unknown.
        types: each of `columns`, in order, to its type, None if that is unknown; empty if `columns` are unknown.
    """

    node_id: str
    title: str
    columns: tuple[str, ...] | None
    types: Mapping[str, SparkType | None] = field(default_factory=dict)

    def may_have(self, column: str) -> bool:
        """Return whether it has `column`, as far as can be known."""
        return self.columns is None or column.lower() in {name.lower() for name in self.columns}

    def type_of(self, column: str) -> SparkType | None:
        """Return the type of `column` in any case; None: unknown."""
        return next((found for name, found in self.types.items() if name.lower() == column.lower()), None)

    def column(self, name: str) -> Column:
        """Return the column `name`, whose type is empty if it is unknown."""
        found = self.type_of(name)
        return Column(name, "" if found is None else str(found))
