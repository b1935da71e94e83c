"""Fingerprints: everything that decides a node's output in, hashes with their named parts out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlml
from sqlml.compile.estimator_code import estimator_code
from sqlml.ir.cache import Cache
from sqlml.ir.project import ColumnSpec, MlModel, Seed, Source
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.state import Fingerprint
from sqlml.ir.tuning import Tuning

SCHEME = "1"
"""Counted up when the same SQL or spec shall get another hash."""

_ENCODER = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False)
_PARENT = "parent:"
_DATA = "data"


@dataclass(frozen=True, slots=True)
class ParentDigest:
    """A parent as one of its readers sees it: `code` leaves the data's versions out."""

    digest: str
    code: str


def compose(
    parts: Mapping[str, str], parents: Mapping[str, ParentDigest], champions: Iterable[str] = ()
) -> Fingerprint:
    """Return the fingerprint of a node from its own parts and its parents (by id)."""
    own = {key: value for key, value in parts.items() if not key.startswith(_PARENT)}
    full = own | {f"{_PARENT}{parent}": seen.digest for parent, seen in parents.items()}
    code = {key: value for key, value in own.items() if key != _DATA}
    code |= {f"{_PARENT}{parent}": seen.code for parent, seen in parents.items()}
    return Fingerprint(digest_of(full), digest_of(code), full, tuple(sorted(set(champions))))


def parents_of(fingerprint: Fingerprint) -> dict[str, str]:
    """Return the digests of the parents that a fingerprint was composed of, by id."""
    return {key.removeprefix(_PARENT): part for key, part in fingerprint.parts.items() if key.startswith(_PARENT)}


def seen_whole(fingerprint: Fingerprint) -> ParentDigest:
    """Return a parent as it is seen by who reads all of it."""
    return ParentDigest(fingerprint.digest, fingerprint.code)


def digest_of(value: Any) -> str:
    """Return the hex digest of plain data; the order of keys does not count."""
    text = _ENCODER.encode(value)
    return hashlib.blake2b(f"{SCHEME}:{text}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Installed:
    """The version of an installed library; empty if it is not there."""

    version: str


def engine_part(cache: Cache) -> str:
    """Return the digest of what runs everything: the pinned session, the minor versions of sqlml and pyspark."""
    # What is kept is of the libraries that are installed now, and to look them up is slower than most of a compile.
    spark = cache.get("versions", "pyspark", _Installed)
    if spark is None:
        spark = _installed("pyspark")
        cache.put("versions", "pyspark", spark)
    return digest_of([dict(PINNED_SETTINGS), _minor(sqlml.__version__), _minor(spark.version)])


def _installed(library: str) -> _Installed:
    from importlib import metadata

    try:
        return _Installed(metadata.version(library))
    except metadata.PackageNotFoundError:
        return _Installed("")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def data_parts(declared: Source | Seed, data_version: str | None) -> dict[str, str]:
    """Return the parts of a source or a seed."""
    declaration = [declared.path, declared.format, dict(declared.options), _types(declared.columns)]
    return {_DATA: digest_of(data_version), "declaration": digest_of(declaration)}


def _types(columns: Iterable[ColumnSpec]) -> list[tuple[str, str]]:
    return sorted((column.name, column.data_type) for column in columns if column.data_type)


def spec_parts(ml_model: MlModel, features: tuple[str, ...] | None, where: str | None) -> dict[str, str]:
    """Return the parts of an ML model's spec.

    Args:
        features: names in order; None where unknown: then the spec's own words count.
        where: digest of the tokens of `where:`.
    """
    # What is not said does not count: a word that a later version knows changes no fingerprint.
    transforms = [
        {key: value for key, value in asdict(entry).items() if key != "location" and value is not None}
        for entry in ml_model.transforms
    ]
    spec: dict[str, Any] = {
        "estimator": [ml_model.estimator, ml_model.problem, ml_model.family, estimator_code(ml_model)],
        "params": dict(ml_model.params),
        "features": list(features) if features is not None else [ml_model.include, ml_model.exclude],
        "transforms": transforms,
        "label": [ml_model.label, ml_model.null_label],
        "positive": ml_model.positive,
        "threshold": ml_model.threshold if ml_model.threshold_rule is None else asdict(ml_model.threshold_rule),
        **_evaluation_parts(ml_model),
        "keys": ml_model.keys,
        "event_time": ml_model.event_time,
        **{key: column for key, column in ml_model.role_columns.items() if key != "label"},
        "where": where,
        "split": asdict(ml_model.split),
        "unseen": [ml_model.unseen, ml_model.relevant_from],
        "output_prefix": ml_model.output_prefix,
    }
    return {key: digest_of(value) for key, value in spec.items()}


def _evaluation_parts(ml_model: MlModel) -> dict[str, Any]:
    """Return what is given of how it is measured; nothing for what is not, so that nobody else's digest changes."""
    weights = ml_model.class_weights
    parts = {
        "class_weights": sorted(map(list, weights.items()), key=str) if isinstance(weights, Mapping) else weights,
        "slices": [[part.name, part.where] for part in ml_model.slices],
        "permutation_importances": ml_model.has_permutations,
        "baseline": ml_model.baseline,
        "refit": ml_model.refit if ml_model.refit != "none" else None,
        "tune": _tuning_part(ml_model.tuning),
        "folds": asdict(ml_model.folds) if ml_model.folds is not None else None,
        "backtest": asdict(ml_model.backtest) if ml_model.backtest is not None else None,
        "for_each": asdict(ml_model.for_each) if ml_model.for_each is not None else None,
    }
    return {key: value for key, value in parts.items() if value}


def _tuning_part(tuning: Tuning | None) -> dict[str, Any] | None:
    """Return what a search finds by: neither where it is written, nor how many trials are made at once."""
    if tuning is None:
        return None
    given = asdict(tuning)
    del given["parallelism"]
    for key in ("top", "k"):
        if given[key] is None:
            del given[key]
    for dimension in given["dimensions"]:
        del dimension["key"]
    for entry in given["added"]:
        del entry["location"]
    return given
