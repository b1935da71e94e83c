"""The code of an estimator by import path: an ML model in, a digest of its module's file out, which is not imported."""

from __future__ import annotations

import hashlib
from importlib.machinery import PathFinder
from pathlib import Path

from sqlml.ir.estimators import estimator_of
from sqlml.ir.project import MlModel


def estimator_code(ml_model: MlModel) -> str:
    """Return the hex digest of the module's file; empty for Spark's own, and where it is not found."""
    entry = estimator_of(ml_model)
    file = _file_of(entry.module) if entry.is_foreign else None
    return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest() if file is not None else ""


def _file_of(module: str) -> Path | None:
    # Finding `a.b` the usual way would import `a`.
    search: list[str] | None = None
    for part in module.split("."):
        spec = PathFinder.find_spec(part, search)
        if spec is None:
            return None
        search = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec is not None and spec.origin and Path(spec.origin).is_file() else None
