"""Holds estimators by import path to the modules that a project allows: ML models in, errors out.

It loads no grammar: what was read before is checked again without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlml.errors import ParseError, SqlmlError
from sqlml.ir.estimators import find_estimator
from sqlml.ir.project import MlModel
from sqlml.parse.files import PROJECT_FILE


def check_estimator_modules(ml_models: Iterable[MlModel], allowed: Sequence[str]) -> Iterator[SqlmlError]:
    """Yield an error for each estimator by import path that lies in none of the modules that the project allows."""
    for ml_model in ml_models:
        entry = find_estimator(ml_model.estimator, ml_model.params, ml_model.problem, ml_model.family)
        if entry is None or not entry.is_foreign or _is_in(entry.module, allowed):
            continue
        what = f"ml model '{ml_model.name}': estimator '{entry.name}' is of a module that the project does not allow"
        fix = f"it would be imported and run; to allow it, add to {PROJECT_FILE}: estimator-modules: [{entry.module}]"
        yield ParseError(what, ml_model.places.value_of("estimator"), fix)


def _is_in(module: str, allowed: Sequence[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)
