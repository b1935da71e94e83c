"""Settings of the whole project, as the project file and the command line give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlml.ir.diagnostics import Level
from sqlml.ir.project import Target
from sqlml.parse.files import SearchPath
from sqlml.parse.folder_defaults import Rule


@dataclass(frozen=True, slots=True)
class Settings:
    """What the project file says.

    Attributes:
        variables: of the file and of the command line, the latter winning.
        model_paths, seed_paths, macro_paths, test_paths: folders to look in.
        rules: settings of folders by kind (`models`, `seeds`, `ml_models`), outer folders first.
        diagnostics: code to level.
        estimator_modules: modules whose estimators may be used.
        schemas: of each target that can be read, by its name.
    """

    name: str
    target: Target
    variables: Mapping[str, Any] = field(default_factory=dict)
    model_paths: tuple[SearchPath, ...] = ()
    seed_paths: tuple[SearchPath, ...] = ()
    macro_paths: tuple[SearchPath, ...] = ()
    test_paths: tuple[SearchPath, ...] = ()
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    diagnostics: Mapping[str, Level] = field(default_factory=dict)
    estimator_modules: tuple[str, ...] = ()
    schemas: Mapping[str, str] = field(default_factory=dict)
