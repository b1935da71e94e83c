"""The grammar of `transforms:` as pydantic models; `ir/words.py` says what each word does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, model_validator

from sqlml.parse.relation_specs import Spec
from sqlml.parse.value_types import Columns, Finite, Positive, Tags, Value, describe, refuse

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class SelectorSpec(Spec):
    """`columns:` of an entry of `transforms:`: names, or one of the ways to select them.

    Attributes:
        names: The features by name; "*" is every feature.
        type: Features of this Spark type, with or without its parameters; number is every number.
        like: Features whose name fits this pattern, * standing for any text.
    """

    names: Columns = Field(default_factory=list)
    type: str | None = None
    like: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_names(cls, value: Any) -> Any:
        if isinstance(value, list | str):
            return {"names": value}
        if isinstance(value, dict) and len(value) == 1 and set(value) <= {"type", "like"}:
            return value
        raise refuse(
            f"must be names, {{type: …}} or {{like: …}}, not {describe(value)}",
            'write [a, b], "*", {type: string} or {like: "temp_*"}',
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say what `_read_names` takes."""
        ways: JsonSchemaValue = {**handler(core), "minProperties": 1, "maxProperties": 1}
        ways["properties"] = {key: schema for key, schema in ways["properties"].items() if key != "names"}
        return {"anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "string"}, ways]}


class Choices(BaseModel):
    """A key such as `select:`, with one of several choices, each of which has a value of its own."""

    def said(self) -> dict[str, Any]:
        """Return the choices that were written, with their values; checks see to it that there is one."""
        return self.model_dump(exclude_none=True)

    def choice(self) -> tuple[str, Any] | None:
        """Return the first of them, a list as a tuple; None if there is none."""
        for name, value in self.said().items():
            return name, tuple(value) if isinstance(value, list) else value
        return None


class ReduceSpec(Choices, Spec):
    """`reduce:`.

    Attributes:
        pca: How many principal components.
    """

    pca: Positive


class SelectSpec(Choices, Spec):
    """`select:`, with one of these.

    Attributes:
        variance: Slots whose variance is above this stay.
        univariate: How many slots stay, by an F-test against the label; with another selectionMode its threshold.
        chi_square: The same by a chi-square test, which takes each value for a category.
        slots: Names or positions of the slots that stay.
    """

    variance: Finite | None = None
    univariate: Finite | None = None
    chi_square: Finite | None = None
    slots: list[Value] | None = None


class NearSpec(Choices, Spec):
    """`near:`, with one of these.

    Attributes:
        min_hash: How many hashes of the set of slots that are not 0.
        random_projection: How long the buckets on random lines are.
    """

    min_hash: Positive | None = None
    random_projection: Finite | None = None


class TransformEntry(Spec):
    """An entry of `transforms:`. Its words apply in this order.

    Attributes:
        columns: The features it is about: names, "*" for every feature, {type: string} or {like: "temp_*"}.
        expr: SQL that stands for the column, {column} being its name: of one row and one column.
        impute: What stands for null: mean, median or mode, learnt from the training rows, or a value.
        indicator: One more slot that is 1 where the value is null.
        clip: The lowest and the highest value; null for no limit.
        binarize: 1 above this, else 0.
        bucket: Where numbers are cut into ranges.
        quantiles: Into how many ranges of equally many training rows numbers are cut.
        encode: How categories become numbers.
        max_categories: The most frequent values that have a slot of their own (100); all others share one.
        unseen: What becomes of a value that no training row has: the slot of all others, that of null, or an error.
        text: How the words of a text become numbers.
        stop_words: Words that are left out of a text: a language, or a list of them.
        scale: How numbers are scaled, learnt from the training rows.
        multiply: A factor for each slot.
        normalize: Each row of the columns is divided by its norm of this order: 1, 2 or .inf.
        expand: Products of the columns, or their cosine transform.
        reduce: Fewer slots, made of all of them.
        select: Fewer slots, chosen from them.
        near: Hashes by which rows that lie near each other are alike.
        params: Spark ML's params of the stages that the entry makes.
    """

    columns: SelectorSpec
    expr: str | None = None
    impute: Value = None
    indicator: bool | None = None
    clip: list[float | None] | None = None
    binarize: Finite | None = None
    bucket: list[float] | None = None
    quantiles: Positive | None = None
    encode: Literal["index", "one_hot", "target", "hash"] | None = None
    max_categories: Positive | None = None
    unseen: Literal["other", "null", "error"] | None = None
    text: Literal["tokens", "ngrams", "counts", "hashing_tf", "tf_idf", "word2vec"] | None = None
    stop_words: Tags | None = None
    scale: Literal["standard", "min_max", "max_abs", "robust", "none"] | None = None
    multiply: list[float] | None = None
    normalize: float | None = None
    expand: Literal["polynomial", "interaction", "dct"] | None = None
    reduce: ReduceSpec | None = None
    select: SelectSpec | None = None
    near: NearSpec | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _read_null(cls, value: Any) -> Any:
        # The word null is YAML's nothing.
        if isinstance(value, dict) and "unseen" in value and value["unseen"] is None:
            return {**value, "unseen": "null"}
        return value
