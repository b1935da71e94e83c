"""What names mean in one SELECT: relations with typed columns in, the type of a column name out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlml.compile.types.functions.collections import field_of
from sqlml.compile.types.spark_types import SparkType


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column that a query returns.

    Attributes:
        name: in the user's spelling; None: an expression without a name, which Spark makes up.
        type: None: unknown.
    """

    name: str | None
    type: SparkType | None


Columns = tuple[OutputColumn, ...]
"""All columns of a relation; where None stands instead, they are not all known."""


@dataclass(frozen=True, slots=True)
class Found:
    """That a name has a meaning, and its type.

    Attributes:
        type: None: unknown.
        parts: how many parts of the name are the column's; the others are fields.
        is_column: whether it is surely a column of a relation, of this scope and not of one around it.
    """

    type: SparkType | None
    parts: int = 1
    is_column: bool = False


@dataclass(slots=True)
class Source:
    """A relation of a FROM clause.

    Attributes:
        alias: in lower case; empty if there is none.
    """

    alias: str
    columns: Columns | None
    types: dict[str, SparkType | None] = field(init=False)

    def __post_init__(self) -> None:
        self.types = {}
        for column in self.columns or ():
            name = (column.name or "").lower()
            # A name that two columns have means neither.
            self.types[name] = None if name in self.types else column.type

    def put_first(self, names: Sequence[str]) -> None:
        """Note that USING merged the columns `names` (lower case): `alias.*` has them first."""
        if self.columns is not None:
            moved = [column for name in names for column in self.columns if (column.name or "").lower() == name]
            self.columns = (*moved, *[column for column in self.columns if column not in moved])


@dataclass(slots=True)
class TypeScope:
    """The names that the expressions of one SELECT may use.

    Attributes:
        merged: the columns that USING or NATURAL made one of several, by name in lower case.
        aliases: outputs made so far, by name in lower case.
        generated: columns that Spark makes, such as `window`.
        prefers_aliases: outputs come before columns of relations.
    """

    outer: TypeScope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, SparkType | None] = field(default_factory=dict)
    aliases: dict[str, SparkType | None] = field(default_factory=dict)
    generated: dict[str, SparkType | None] = field(default_factory=dict)
    prefers_aliases: bool = False

    def sorted(self) -> TypeScope:
        """Return the same names as ORDER BY sees them."""
        return replace(self, prefers_aliases=True)

    def find(self, parts: Sequence[str]) -> Found | None:
        """Return what a column written as `parts` means here or in the scopes around; None: nothing."""
        found = self.named(parts)
        return None if found is None else _inside(found, parts[found.parts :])

    def named(self, parts: Sequence[str]) -> Found | None:
        """Return what the first of `parts` name here or in the scopes around, without the fields; None: nothing."""
        level: TypeScope | None = self
        while level is not None:
            found = level._find_here(parts)
            if found is not None:
                return found if level is self else replace(found, is_column=False)
            level = level.outer
        return None

    def _find_here(self, parts: Sequence[str]) -> Found | None:
        first = parts[0].lower()
        if len(parts) > 1:
            for source in self.sources:
                if source.alias == first and (source.columns is None or parts[1].lower() in source.types):
                    return Found(source.types.get(parts[1].lower()), 2, source.columns is not None)
        return self._find_plain(first)

    def _find_plain(self, name: str) -> Found | None:
        if self.prefers_aliases and name in self.aliases:
            return Found(self.aliases[name])
        if name in self.merged:
            return Found(self.merged[name], 1, True)
        owners = [source for source in self.sources if name in source.types]
        if owners:
            return Found(owners[0].types[name] if len(owners) == 1 else None, 1, True)
        if any(source.columns is None for source in self.sources):
            return Found(None)
        for names in (self.aliases, self.generated):
            if name in names:
                return Found(names[name])
        return None


def _inside(found: Found, fields: Iterable[str]) -> Found:
    given = found.type
    for name in fields:
        given = field_of(given, name)
    return Found(given)
