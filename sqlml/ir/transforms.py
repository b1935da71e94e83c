"""How features become numbers: typed columns and an ML model in, one resolved transform per feature out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlml.errors import CompileError, SqlmlError, raise_all, suggest
from sqlml.ir.estimators import Estimator
from sqlml.ir.features import feature_names, role_error
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import MlModel, Scalar, TransformSpec
from sqlml.ir.state import Column

MAX_CATEGORIES = 100
IMPUTE_METHODS = ("mean", "median", "mode")

STAGE_PARAMS: Mapping[str, tuple[str, ...]] = {
    "impute": ("relativeError",),
    "index": (),
    "one_hot": ("dropLast",),
    "standard": ("withMean", "withStd"),
    "min_max": ("min", "max"),
    "max_abs": (),
    "none": (),
    "robust": ("lower", "upper", "withCentering", "withScaling", "relativeError"),
}
"""What an entry's `params:` may set, by the stage that the entry makes."""

_NUMBER = re.compile(r"(tinyint|smallint|int|bigint|float|double|decimal\(.*\))$")
_TEXT = re.compile(r"(string|char\(\d+\)|varchar\(\d+\))( collate .*)?$")


class Kind(StrEnum):
    """What a column is to an estimator, by its declared type alone."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    ARRAY = "array"
    VECTOR = "vector"


_NUMERIC = frozenset({Kind.NUMBER, Kind.BOOLEAN})
_SINGLE = _NUMERIC | {Kind.CATEGORY}


@dataclass(frozen=True, slots=True)
class FeatureTransform:
    """What is done to one feature.

    Attributes:
        column: in the relation's spelling.
        type: its Spark type there.
        impute: `mean`, `median` or `mode`: what is learnt to stand for null (and NaN); None: nothing is.
        fill: a constant to stand for null instead.
        encode: `index` or `one_hot`; None for what stays a number.
        max_categories: the most frequent values that get a slot of their own; null and all others have one each.
        scale: `standard`, `min_max`, `max_abs`, `robust` or None.
        params: word (`impute`, `encode`, `scale`) to Spark's params of its stage.
    """

    column: str
    type: str
    kind: Kind
    impute: str | None = None
    fill: Scalar = None
    encode: str | None = None
    max_categories: int = MAX_CATEGORIES
    scale: str | None = None
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def describe(self) -> str:
        """Return one line for a person: the column, its type and what is done, in order."""
        done = []
        if self.fill is not None:
            done.append(f"null becomes {self.fill!r}")
        elif self.impute is not None:
            done.append(f"null becomes the learnt {self.impute}")
        if self.encode is not None:
            done.append(f"the {self.max_categories} most frequent values, null and all others have a slot each")
            done.append("one-hot" if self.encode == "one_hot" else "indexed")
        if self.scale is not None:
            done.append(f"{self.scale.replace('_', '-')} scaling")
        params = {name: value for given in self.params.values() for name, value in given.items()}
        done += [f"{name} {value}" for name, value in params.items()]
        return f"{self.column} ({self.type}): {', '.join(done) or 'as it is'}"


def choose_transforms(
    columns: Sequence[Column], ml_model: MlModel, estimator: Estimator
) -> tuple[FeatureTransform, ...]:
    """Return the transform of each feature whose type is known, in the order of the feature list.

    What `transforms:` leaves out gets the default of its type and of the estimator's family, never one that depends on
    the data: numbers and booleans take the learnt median for null, strings are categories (indexed for trees, one-hot
    else), numbers are scaled for estimators that measure distance; arrays of numbers and vectors pass.

    Raises:
        CompileError, ErrorList: what `feature_names` raises; a type without a default; a transform of a column that
            is no feature or of a type that it does not fit; two entries that say the same word of one column.
    """
    features = feature_names([column.name for column in columns], ml_model)
    by_name = {column.name: column for column in columns}
    claims, errors = _claims([column.name for column in columns], features, ml_model)
    chosen = []
    for name in features:
        if not by_name[name].type:
            # Before Spark starts the type of a column may be unknown, of which nothing is said.
            continue
        kind = kind_of(by_name[name].type)
        if kind is None:
            errors.append(_no_transform(by_name[name], ml_model))
            continue
        transform, wrong = _resolve(by_name[name], kind, claims.get(name, {}), estimator)
        chosen.append(transform)
        errors += wrong
    raise_all(errors)
    return tuple(chosen)


def kind_of(data_type: str) -> Kind | None:
    """Return what a column of a Spark type is to an estimator; None where there is no default."""
    name = data_type.lower()
    if _NUMBER.match(name):
        return Kind.NUMBER
    if _TEXT.match(name):
        return Kind.CATEGORY
    if name.startswith("array<") and _NUMBER.match(name[6:-1]):
        return Kind.ARRAY
    return {"boolean": Kind.BOOLEAN, "vector": Kind.VECTOR}.get(name)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A word that an entry says of a column."""

    value: Any
    entry: TransformSpec
    is_named: bool


def _words(entry: TransformSpec) -> Iterator[tuple[str, Any]]:
    for word in ("impute", "encode", "max_categories", "unseen", "scale"):
        value = getattr(entry, word)
        if value is not None:
            yield word, value


def _claims(
    names: Sequence[str], features: Sequence[str], ml_model: MlModel
) -> tuple[dict[str, dict[str, _Claim]], list[SqlmlError]]:
    """Return column -> word -> the most specific entry that says it, and what is wrong with the entries."""
    known = {name.lower(): name for name in features}
    claims: dict[str, dict[str, _Claim]] = {}
    errors: list[SqlmlError] = []
    for entry in ml_model.transforms:
        errors += _wrong_params(entry)
        for column in entry.columns:
            is_named = column != "*"
            if is_named and column.lower() not in known:
                errors.append(_not_a_feature(column, entry.location, names, features, ml_model))
                continue
            for name in (known[column.lower()],) if is_named else features:
                for word, value in _words(entry):
                    claim = _Claim(value, entry, is_named)
                    errors += _add_claim(claims.setdefault(name, {}), name, word, claim)
    return claims, errors


def _add_claim(words: dict[str, _Claim], name: str, word: str, claim: _Claim) -> list[SqlmlError]:
    held = words.get(word)
    if held is not None and held.is_named == claim.is_named:
        shown = f"'{name}'" if claim.is_named else "'*'"
        return [
            CompileError(
                f"two transforms give {shown} the word '{word}', the other at {held.entry.location}",
                claim.entry.location,
                "leave one of them out",
            )
        ]
    if held is None or claim.is_named:
        words[word] = claim
    return []


def _resolve(
    column: Column, kind: Kind, words: Mapping[str, _Claim], estimator: Estimator
) -> tuple[FeatureTransform, list[SqlmlError]]:
    said = _Said(column, kind, words)
    encode = said.take(
        "encode", lambda value: kind in _SINGLE, estimator.family.encoding if kind is Kind.CATEGORY else None
    )
    is_category = encode is not None
    max_categories = said.take("max_categories", lambda value: is_category, MAX_CATEGORIES)
    said.take("unseen", lambda value: is_category, "other")
    impute = said.take(
        "impute",
        lambda value: _fits_impute(value, kind, is_category),
        None if is_category or kind not in _NUMERIC else "median",
    )
    is_scaled = kind is Kind.NUMBER and not is_category and estimator.family.is_scaled
    scale = said.take("scale", lambda value: not is_category, "standard" if is_scaled else None)
    is_method = impute in IMPUTE_METHODS
    transform = FeatureTransform(
        column=column.name,
        type=column.type,
        kind=kind,
        impute=str(impute) if is_method else None,
        fill=None if is_method else impute,
        encode=encode,
        max_categories=max_categories,
        scale=None if scale == "none" else scale,
        params={word: params for word in ("impute", "encode", "scale") if (params := said.params(word))},
    )
    return transform, said.errors


class _Said:
    """The words said of one column; takes each if it fits, and keeps what is wrong with it."""

    def __init__(self, column: Column, kind: Kind, words: Mapping[str, _Claim]) -> None:
        self._column = column
        self._kind = kind
        self._words = dict(words)
        self.errors: list[SqlmlError] = []

    def take(self, word: str, fits: Callable[[Any], bool], default: Any) -> Any:
        """Return what was said for `word`, or `default`; `"*"` skips the columns that it does not fit."""
        claim = self._words.get(word)
        if claim is None:
            return default
        if fits(claim.value):
            return claim.value
        del self._words[word]
        if claim.is_named:
            self.errors.append(
                CompileError(
                    f"transform '{word}: {claim.value}' does not fit '{self._column.name}', "
                    f"a {self._kind.value} of type {self._column.type}{_becomes(self._kind, self._words)}",
                    claim.entry.location,
                    _FITTING[word],
                )
            )
        return default

    def params(self, word: str) -> dict[str, Any]:
        claim = self._words.get(word)
        if claim is None:
            return {}
        known = STAGE_PARAMS.get(_stage(word, claim.value), ())
        return {name: value for name, value in claim.entry.params.items() if name in known}


_FITTING: Mapping[str, str] = {
    "impute": "numbers take mean, median, mode or a number; booleans true or false too; categories mode or a string",
    "encode": "numbers, booleans and strings can be encoded",
    "max_categories": "it goes with 'encode:'",
    "unseen": "it goes with 'encode:'",
    "scale": "numbers, booleans, arrays of numbers and vectors can be scaled, categories cannot",
}


def _becomes(kind: Kind, words: Mapping[str, _Claim]) -> str:
    return ", which is encoded as categories" if kind in _NUMERIC and "encode" in words else ""


def _fits_impute(value: Scalar, kind: Kind, is_category: bool) -> bool:
    if kind not in _SINGLE:
        return False
    if value in IMPUTE_METHODS:
        return value == "mode" or not is_category
    if kind is Kind.CATEGORY:
        return isinstance(value, str)
    if kind is Kind.BOOLEAN:
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _stage(word: str, value: Any) -> str:
    if word == "impute":
        return "impute"
    return str(value)


def _wrong_params(entry: TransformSpec) -> list[SqlmlError]:
    stages = [_stage(word, value) for word, value in _words(entry) if word in ("impute", "encode", "scale")]
    known = sorted({name for stage in stages for name in STAGE_PARAMS.get(stage, ())})
    return [
        CompileError(f"no stage of this transform has a param '{name}'", entry.location, suggest(name, known))
        for name in entry.params
        if name not in known
    ]


def _not_a_feature(
    column: str, location: SourceLocation, names: Sequence[str], features: Sequence[str], ml_model: MlModel
) -> CompileError:
    has_role = role_error(column, ml_model, location)
    if has_role is not None:
        return has_role
    is_there = column.lower() in {name.lower() for name in names}
    what = "is not a feature" if is_there else "its training data does not have"
    return CompileError(
        f"a transform of ml model '{ml_model.name}' names '{column}', which {what}",
        location,
        suggest(column, features, "the features are"),
    )


def _no_transform(column: Column, ml_model: MlModel) -> CompileError:
    name = column.name
    choices = {
        "timestamp": f"hour({name}), dayofweek({name}) or an age in days",
        "timestamp_ntz": f"hour({name}), dayofweek({name}) or an age in days",
        "date": f"month({name}), dayofweek({name}) or an age in days",
    }
    made = choices.get(column.type.lower(), "a number, a boolean or a string")
    place = ml_model.places.value_of("features" if ml_model.include else "training_data")
    return CompileError(
        f"ml model '{ml_model.name}': feature '{name}' is of type {column.type}, which has no transform",
        place,
        f"leave it out with features: {{exclude: [{name}]}}, or make {made} of it in the SQL",
    )
