"""How features become numbers: typed columns and an ML model in, one resolved chain of words per feature out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlml.errors import CompileError, SqlmlError, raise_all, suggest
from sqlml.ir.chains import Applied, FeatureTransform, Mixing
from sqlml.ir.claims import Claim, Claims, Rank, find_claims, kind_of, words_of
from sqlml.ir.estimators import Estimator, Family, estimator_of
from sqlml.ir.feature_stages import FEATURE_STAGES
from sqlml.ir.features import feature_names, place_of_feature
from sqlml.ir.project import MlModel
from sqlml.ir.state import Column
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.words import MAX_CATEGORIES, MIXING, NUMERIC, OPTIONS, ORDER, Kind, Word, find_word

__all__ = ["FITTING", "FeatureTransform", "TypeOf", "bins_notes", "choose_transforms", "entry_stages", "expression_sql"]

DEFAULT_MAX_BINS = 32
"""Spark's own."""

TypeOf = Callable[[str, str], str | None]
"""Gives the Spark type of an expression over a column: (the column's name, the SQL) -> type; None: unknown."""


def choose_transforms(
    columns: Sequence[Column], ml_model: MlModel, estimator: Estimator, type_of: TypeOf = lambda column, sql: None
) -> tuple[FeatureTransform, ...]:
    """Return the transform of each feature whose type is known, in the order of the feature list.

    What `transforms:` leaves out gets the default of its type and of the estimator's family, never one that depends on
    the data: numbers and booleans take the learnt median for null, strings are categories (indexed for trees, one-hot
    else), numbers are scaled for estimators that measure distance; arrays of numbers and vectors pass.

    Args:
        columns: of the training relation.
        type_of: gives the type of an `expr:`.

    Raises:
        CompileError, ErrorList: what `feature_names` raises; a type without a default; a transform of a column that
            is no feature or of a type that it does not fit; two equally specific entries that say the same of one
            column.
    """
    features = feature_names([column.name for column in columns], ml_model)
    by_name = {column.name: column for column in columns}
    claims, errors = find_claims(columns, features, ml_model)
    errors += [error for entry in ml_model.transforms for error in _wrong_params(entry)]
    chosen = []
    for name in features:
        if not by_name[name].type:
            # Before Spark starts the type of a column may be unknown, of which nothing is said.
            continue
        chain = _Chain(by_name[name], claims[name], estimator, ml_model, type_of)
        chosen.append(chain.resolve())
        errors += chain.errors
    raise_all(errors)
    return tuple(chosen)


class _Chain:
    """Resolves what was said of one feature: takes each word if it fits, and keeps what is wrong with it."""

    def __init__(
        self, column: Column, claims: Claims, estimator: Estimator, ml_model: MlModel, type_of: TypeOf
    ) -> None:
        self._column = column
        self._claims = dict(claims.words)
        self._mixing = claims.mixing
        self._family = estimator.family
        self._ml_model = ml_model
        self._type_of = type_of
        self._words: list[Applied] = []
        self._kind = self._start = kind_of(column.type)
        self.errors: list[SqlmlError] = []

    def resolve(self) -> FeatureTransform:
        """Return the feature's transform; what does not fit is in `errors`."""
        expr, expr_type = self._read_expr()
        if expr is not None and expr_type is None:
            return self._unchecked(expr)
        self._drop_rivals()
        if self._kind is None or (self._kind is Kind.WORDS and "text" not in self._claims):
            self.errors.append(_no_transform(self._column, expr_type, self._ml_model))
            return FeatureTransform(self._column.name, self._column.type, self._kind)
        is_range = "bucket" in self._claims or "quantiles" in self._claims
        if "encode" in self._claims and not is_range and self._kind in NUMERIC:
            self._kind = Kind.CATEGORY
        for key in ORDER:
            if key not in MIXING and key != "expr":
                self._say(key, self._default(key, is_range))
        encode = next((applied.value for applied in self._words if applied.word.key == "encode"), None)
        return FeatureTransform(
            column=self._column.name,
            type=self._column.type,
            kind=self._start,
            words=tuple(self._words),
            expr=expr,
            expr_type=expr_type,
            max_categories=self._option("max_categories", None if encode == "target" else MAX_CATEGORIES),
            unseen=self._option("unseen", "other"),
            stop_words=self._option("stop_words", None),
            mixing=self._mix(),
        )

    def _read_expr(self) -> tuple[str | None, str | None]:
        claim = self._claims.get("expr")
        if claim is None:
            return None, None
        sql = expression_sql(claim.value, self._column.name)
        try:
            found = self._type_of(self._column.name, sql)
        except SqlmlError as error:
            error.location = error.location or claim.entry.location
            raise
        self._kind = self._start = None if found is None else kind_of(found)
        return sql, found

    def _unchecked(self, expr: str) -> FeatureTransform:
        """Return what was said as it is, where nothing is known of what it is said of."""
        words = [
            self._applied(find_word(key, claim.value), claim.value, claim)
            for key in ORDER
            if key != "expr" and (claim := self._claims.get(key)) is not None
        ]
        return FeatureTransform(self._column.name, self._column.type, None, tuple(words), expr)

    def _drop_rivals(self) -> None:
        """Of words of which a feature takes one alone, leave the most specific; equals will not fit each other."""
        for rivals in (("binarize", "bucket", "quantiles"), ("encode", "text")):
            held = [key for key in rivals if key in self._claims]
            best = max((self._claims[key].rank for key in held), default=Rank.ALL)
            for key in held:
                if self._claims[key].rank < best:
                    del self._claims[key]

    def _default(self, key: str, is_range: bool) -> Any:
        if key == "impute":
            return "median" if self._kind in NUMERIC and not is_range else None
        if key == "encode" and self._kind in (Kind.CATEGORY, Kind.RANGE) and "text" not in self._claims:
            return self._default_encode()
        if key == "scale":
            return "standard" if self._kind is Kind.NUMBER and self._family.is_scaled else None
        return None

    def _default_encode(self) -> str:
        mixed = self._mixing.value.items() if self._mixing is not None else ()
        takes_index = all(Kind.INDEX in find_word(key, value).takes for key, value in mixed)
        return self._family.encoding if takes_index else "one_hot"

    def _say(self, key: str, default: Any) -> None:
        claim = self._claims.get(key)
        value = default if claim is None else claim.value
        if value is None or (key == "indicator" and not value):
            return
        word = find_word(key, value)
        if claim is not None and not self._fits(word, value):
            self._refuse(key, claim)
            claim, value = None, default
            if value is None:
                return
            word = find_word(key, value)
        self._words.append(self._applied(word, value, claim))
        self._kind = word.gives or self._kind

    def _fits(self, word: Word, value: Any) -> bool:
        if self._kind not in word.takes:
            return False
        if word.key != "impute" or word.choice:
            return True
        if self._start is Kind.CATEGORY:
            return isinstance(value, str)
        if self._start is Kind.BOOLEAN:
            return isinstance(value, bool)
        return isinstance(value, int | float) and not isinstance(value, bool)

    def _refuse(self, key: str, claim: Claim) -> None:
        """Note that a word does not fit; an entry for many columns passes over those that it does not fit."""
        del self._claims[key]
        if claim.rank is not Rank.NAME:
            return
        what = f"transform '{key}: {claim.value}' does not fit '{self._column.name}', "
        what += f"{_article(self._start)} of type {self._column.type}"
        if self._start in NUMERIC and "encode" in self._claims:
            what += ", which is encoded as categories"
        self.errors.append(CompileError(what, claim.entry.location, FITTING[key]))

    def _option(self, key: str, default: Any) -> Any:
        claim = self._claims.get(key)
        if claim is None:
            return default
        if any(applied.word.key == OPTIONS[key] for applied in self._words):
            return claim.value
        self._refuse(key, claim)
        return default

    def _mix(self) -> Mixing | None:
        claim = self._mixing
        if claim is None:
            return None
        words = [(find_word(key, value), value) for key, value in claim.value.items()]
        if self._kind in words[0][0].takes:
            return Mixing(
                claim.position,
                tuple(self._applied(word, _own_value(word, value), claim) for word, value in words),
            )
        if claim.rank is Rank.NAME:
            what = f"transform '{words[0][0].name}' does not fit '{self._column.name}', which is indexed before"
            self.errors.append(CompileError(what, claim.entry.location, "add encode: one_hot"))
        return None

    def _applied(self, word: Word, value: Any, claim: Claim | None) -> Applied:
        if claim is None:
            return Applied(word, value)
        stages = stages_of(word, claim.entry)
        known = {name for stage in stages for name in FEATURE_STAGES[stage].params}
        params = {name: given for name, given in claim.entry.params.items() if name in known}
        return Applied(word, value, params, claim.position)


def bins_notes(transforms: Sequence[FeatureTransform], ml_model: MlModel) -> tuple[str, ...]:
    """Return what the categories of trees may do to `maxBins`: a tree needs a bin for each value of a category."""
    if estimator_of(ml_model).family is not Family.TREE:
        return ()
    given = int(ml_model.params.get("maxBins", DEFAULT_MAX_BINS))
    counts = [
        (transform.max_categories or 0) + 2
        for transform in transforms
        if transform.value("encode") == "index" and not transform.is_range
    ]
    if max(counts, default=0) <= given:
        return ()
    return (f"maxBins is raised from {given} to what the largest category needs, {max(counts)} at most",)


FITTING: Mapping[str, str] = {
    "impute": "numbers take mean, median, mode or a number; booleans true or false too; categories mode or a string",
    "indicator": "numbers, booleans, strings and arrays of strings can be null",
    "clip": "numbers alone have limits",
    "binarize": "numbers alone have a threshold, and are binarized, cut into ranges or encoded, not two of these",
    "bucket": "numbers alone have ranges, and are binarized or cut once",
    "quantiles": "numbers alone have quantiles, and are binarized or cut once",
    "encode": "numbers, booleans and strings can be encoded; arrays and vectors take index",
    "max_categories": "it goes with 'encode:'",
    "unseen": "it goes with 'encode:'",
    "text": "strings and arrays of strings have words, and are encoded or counted, not both",
    "stop_words": "it goes with 'text:'",
    "scale": "numbers, booleans, arrays of numbers and vectors can be scaled, categories cannot",
}
"""Word to what it fits."""


def expression_sql(expr: str, column: str) -> str:
    """Return the SQL of an `expr:` for one column: `{column}` is its quoted name."""
    quoted = column.replace("`", "``")
    return expr.replace("{column}", f"`{quoted}`")


def stages_of(word: Word, entry: TransformSpec) -> tuple[str, ...]:
    """Return the classes of Spark ML that a word of an entry may make."""
    if word.name != "text: tf_idf":
        return word.stages
    other = "CountVectorizer" if "numFeatures" in entry.params else "HashingTF"
    return tuple(stage for stage in word.stages if stage != other)


def entry_stages(entry: TransformSpec) -> tuple[str, ...]:
    """Return the classes of Spark ML that an entry may make, each once, in order."""
    words = [find_word(key, value) for key, value in words_of(entry) if key not in OPTIONS]
    return tuple(dict.fromkeys(stage for word in words for stage in stages_of(word, entry)))


def _article(kind: Kind | None) -> str:
    return f"an {kind}" if kind in (Kind.ARRAY, Kind.WORDS) else f"a {kind}"


def _own_value(word: Word, value: Any) -> Any:
    return value[1] if isinstance(value, tuple) and word.key != "multiply" else value


def _wrong_params(entry: TransformSpec) -> list[SqlmlError]:
    known = sorted({name for stage in entry_stages(entry) for name in FEATURE_STAGES[stage].params})
    return [
        CompileError(f"no stage of this transform has a param '{name}'", entry.location, suggest(name, known))
        for name in entry.params
        if name not in known
    ]


def _no_transform(column: Column, expr_type: str | None, ml_model: MlModel) -> CompileError:
    name = column.name
    time = f"hour({name}), dayofweek({name}) or an age in days"
    choices = {
        "timestamp": time,
        "timestamp_ntz": time,
        "date": f"month({name}), dayofweek({name}) or an age in days",
    }
    made = choices.get(column.type.lower(), "a number, a boolean or a string")
    place = place_of_feature(name, ml_model)
    what = f"ml model '{ml_model.name}': feature '{name}' is of type {column.type}, which has no transform"
    fix = f"leave it out with features: {{exclude: [{name}]}}, or make {made} of it in the SQL or by expr:"
    if expr_type is not None:
        what = f"ml model '{ml_model.name}': the expr: of '{name}' is of type {expr_type}, which has no transform"
        fix = "let it give a number, a boolean or a string"
    elif kind_of(column.type) is Kind.WORDS:
        fix = f"count its words with text: tokens, or leave it out with features: {{exclude: [{name}]}}"
    return CompileError(what, place, fix)
