"""What one YAML file says, each entry checked by itself: the form in which it is kept from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlml.errors import SqlmlError
from sqlml.ir.algorithms import AlgorithmRelation
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import ColumnSpec, DataTest, MlModel, Source

Faults = dict[SourceLocation, list[SqlmlError]]
"""What is wrong inside of entries, by the entry's place: whether it counts depends on the other files."""


@dataclass(frozen=True, slots=True)
class DeclaredRelation:
    """An entry of `models:` or `seeds:`; all but its name and places is empty if it could not be read.

    Attributes:
        kind: the key of the file that it stands under.
        name: None if it has none.
        config: the settings given in it, as plain data.
    """

    kind: Literal["models", "seeds"]
    name: str | None
    places: Places
    columns: tuple[ColumnSpec, ...] = ()
    tests: tuple[DataTest, ...] = ()
    description: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> SourceLocation:
        """Where the name stands."""
        return self.places.value_of("name")


@dataclass(frozen=True, slots=True)
class DeclaredMlModel:
    """An entry of `ml_models:`.

    Attributes:
        name: None if it has none.
        ml_model: without what `config` says; None if it could not be read.
        config: the settings given in it that folders may give too, as plain data.
    """

    name: str | None
    places: Places
    ml_model: MlModel | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileEntries:
    """The entries of one file, in order.

    Attributes:
        sources: every table that is enabled; `format` is empty where it is to be found by the endings of its files.
        algorithms: of `graphs:` and `patterns:`, those that are enabled.
    """

    sources: tuple[Source, ...] = ()
    models: tuple[DeclaredRelation, ...] = ()
    seeds: tuple[DeclaredRelation, ...] = ()
    ml_models: tuple[DeclaredMlModel, ...] = ()
    algorithms: tuple[AlgorithmRelation, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is kept of a file without errors.

    Attributes:
        variables: what it reads with `var()`, by name to a digest of the value.
    """

    entries: FileEntries
    variables: Mapping[str, str] = field(default_factory=dict)
