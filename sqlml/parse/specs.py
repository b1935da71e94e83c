"""The grammar of ML models in YAML files as pydantic models.

The `Attributes:` of each are what an editor shows of a key (`editor_schemas.py`); docs/ says the same at more length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from sqlml.parse.evaluation_specs import ClassWeights, SliceEntry, Threshold
from sqlml.parse.relation_specs import ColumnEntry, ColumnSpec, ContractSpec, SeedConfig, Spec
from sqlml.parse.transform_specs import TransformEntry
from sqlml.parse.tuning_specs import BacktestSpec, FoldsSpec, TuneSpec
from sqlml.parse.value_types import (
    Column,
    Columns,
    Finite,
    Fraction,
    Identifier,
    Instant,
    Levels,
    Positive,
    Reasons,
    Reference,
    Seconds,
    Seen,
    Tags,
    Value,
)

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class MlModelConfig(SeedConfig):
    """Settings of an ML model that folders may have; they stand beside its `name`.

    Attributes:
        diagnostics: Code of a diagnostic to error, warn, note or ignore.
        contract: With {enforced: true} it reads and returns what its champion does, or a build fails.
    """

    diagnostics: Levels = Field(default_factory=dict)
    contract: ContractSpec | None = None


class FeaturesSpec(Spec):
    """`features:`, a list or a mapping.

    Attributes:
        include: The features, in this order; "*" is every column without a role.
        exclude: Columns that are no features.
    """

    include: Columns = Field(default_factory=list)
    exclude: Columns = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _read_list(cls, value: Any) -> Any:
        return {"include": value} if isinstance(value, list | str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say what `_read_list` takes."""
        return {"anyOf": [handler(core), {"type": "array", "items": {"type": "string"}}, {"type": "string"}]}


class SplitSpec(Spec):
    """`split:`.

    Attributes:
        by: How hold-out rows are chosen: time with an event_time, else hash of the keys.
        column: The column of a split by time or by column; the columns that are hashed.
        holdout: The share of rows that is held out (0.2).
        holdout_from: The first instant of the hold-out, UTC, instead of holdout.
        gap: Time between training and hold-out whose rows are on neither side, such as 1d.
        holdout_values: Values of the column that are held out.
        train_values: Values of the column that are fitted on; all others unless they are named.
        seed: Seed of the hash (42).
        within: A column: the share is held out of the rows of each of its values, such as those of each user.
    """

    by: Literal["hash", "time", "column", "none"] | None = None
    column: Columns = Field(default_factory=list)
    holdout: Fraction | None = None
    holdout_from: Instant | None = None
    gap: Seconds | None = None
    holdout_values: list[Value] = Field(default_factory=list)
    train_values: list[Value] = Field(default_factory=list)
    seed: int | None = None
    within: Column | None = None


class ForEachSpec(ColumnSpec):
    """`for_each:`, a column or a mapping.

    Attributes:
        column: The column; it is no feature, and predictions read it.
        min_rows: Training rows that a value must have to get a fitted model (1).
        others: What becomes of rows whose value has none. keep: they are predicted null; error: predictions fail.
    """

    column: Column
    min_rows: Positive | None = None
    others: Literal["keep", "error"] = "keep"


class GateSpec(Spec):
    """An entry of `gates:`.

    Attributes:
        metric: A metric of the hold-out.
        at_least: The version passes if the metric is this or more.
        at_most: The version passes if the metric is this or less.
        better_than: The version passes if it is better than the trivial model, beyond doubt.
        by: How much better it must be at least (0).
        not_worse_than: The version passes if it is surely not worse than the one with this alias, such as champion.
        tolerance: How much worse it may be (0).
        slice: The part of the rows that it is about, as slices: names it, such as carrier=UA.
        dataset: The rows that it is about: the hold-out unless it is said.
        top: The share of rows with the highest scores, for metrics of the top (0.1).
        surely: true: the whole 95 % interval must meet the limit.
        k: How many of the first places count, of a metric of a ranking (10).
    """

    metric: str
    at_least: Finite | None = None
    at_most: Finite | None = None
    better_than: Literal["baseline"] | None = None
    by: Finite | None = None
    not_worse_than: str | None = None
    tolerance: Finite | None = None
    slice: str | None = None
    dataset: Literal["training", "holdout"] | None = None
    top: Fraction | None = None
    surely: bool = False
    k: Positive | None = None


class RetrainSpec(Spec):
    """`retrain:`.

    Attributes:
        when: What a fit follows: any change, changes of the spec and SQL alone, or --retrain alone.
        at_most_every: A change of data alone waits this long after the last fit, such as 7d.
    """

    when: Literal["changed", "spec_changed", "asked"] = "changed"
    at_most_every: Seconds | None = None


class MlOutputSpec(Spec):
    """A relation made from the champion of an ML model: a table for ref().

    Attributes:
        name: The name, for ref().
        kind: What is made; which kinds there are depends on the estimator.
        for: The relation that says whom it is made for, as ref('x') or source('x', 'y'); all that were fitted on
            unless it is said.
        top: How many rows there are for each of them.
        exclude_seen: true: without the pairs of the training data; ref('x'): without those of another relation.
        max_distance: How far apart the rows of a pair may be.
        description: What it is for.
        columns: Its columns, with data tests.
        tags: Names to select it by.
        enabled: false: it is not there.
    """

    name: Identifier
    kind: str
    for_: Reference | None = Field(default=None, alias="for")
    top: Positive | None = None
    exclude_seen: Seen = False
    max_distance: Finite | None = None
    description: str = ""
    columns: list[ColumnEntry] = Field(default_factory=list)
    tags: Tags = Field(default_factory=list)
    enabled: bool = True


class MlModelSpec(Spec):
    """An ML model: training data, label, features and an estimator.

    Attributes:
        name: The name, for predict() and for versions.
        training_data: The relation that is fitted and evaluated on: ref('x') or source('x', 'y').
        estimator: A Spark ML class, or the import path of an estimator in one of the project's estimator-modules.
        problem: What an estimator by import path answers.
        family: How an estimator by import path reads features, which decides the default transforms (linear).
        description: The question it answers.
        where: SQL condition: only these rows are fitted and evaluated on; predictions do not know it.
        null_label: What becomes of rows without a label: they are dropped and counted, or stop the fit.
        params: Spark ML's own params of the estimator.
        label: The column that is predicted.
        positive: The label's value of class 1; required for a label of two texts.
        threshold: A row is of class 1 when its probability is above this; two classes only. {maximize: METRIC} or
            {cost: {false_positive: 1, false_negative: 5}} learns it on folds of the training rows.
        keys: The columns that name a row; they pass through predictions and are no features.
        event_time: The moment of prediction: decides the split and what may be known. It is no feature.
        weight: Weight of a row in the fit, 0 or more. It is no feature.
        offset: What is known to add to the linear predictor, such as the log of an exposure. Predictions read it too.
        censor: 1 (or true) where what the label times happened, 0 where it had not happened yet.
        user: Who rates; any type.
        item: What is rated; any type.
        rating: How much the user likes the item, or how often: what is predicted.
        items: An array of what occurs together; repeats count once.
        unseen: keep: a user or an item that was never seen is predicted null; drop: its rows are left out.
        relevant_from: A held-out item that was rated this or more should have been recommended; every one unless it is
            said.
        features: A list of columns, or {include: [...], exclude: [...]}; every column without a role unless it is said.
        transforms: How features become numbers; what is left out gets the default of its type.
        class_weights: How much rows of each class count in the fit: balanced, or label value to weight.
        for_each: A column: each of its values gets a fitted model, fitted on its own rows alone.
        split: Which rows are held out from the fit, to evaluate it.
        refit: all: once it is measured, it is fitted again on all rows, those of the hold-out too.
        folds: Folds of the training rows that it is validated on: each metric gets a mean and a deviation.
        tune: A search for params, judged on folds; the best are fitted on all training rows.
        backtest: How it would have done: each window of the past is measured by a fit on all that lies before it.
        baseline: The trivial model that it is compared with.
        slices: Parts of the rows that are measured on their own.
        permutation_importances: true: measured too is how much worse it gets with each feature shuffled.
        gates: Conditions on metrics; a version that fails one does not become champion by itself.
        promote: on_pass: a version that passes its gates becomes champion; manual: only when somebody promotes it.
        retrain: When it is fitted again.
        output_prefix: Stands before the names of the columns that predictions add.
        allow_leakage: Feature to the reason why it may know the future; L001 to L003, L008 and L010 are silent for it.
        diagnostics: Code of a diagnostic to error, warn, note or ignore.
        contract: With {enforced: true} it reads and returns what its champion does, or a build fails.
        outputs: Relations made from the champion, for ref().
        tags: Names to select it by.
        enabled: false: it is not there.
    """

    name: Identifier
    training_data: Reference
    estimator: str
    problem: Literal["classification", "regression", "clustering"] | None = None
    family: Literal["linear", "tree", "distance", "gradient", "counts"] | None = None
    description: str = ""
    where: str | None = None
    null_label: Literal["drop", "error"] = "drop"
    params: dict[str, Any] = Field(default_factory=dict)
    label: Column | None = None
    positive: Value = None
    threshold: Threshold | None = None
    keys: Columns = Field(default_factory=list)
    event_time: Column | None = None
    weight: Column | None = None
    offset: Column | None = None
    censor: Column | None = None
    user: Column | None = None
    item: Column | None = None
    rating: Column | None = None
    items: Column | None = None
    unseen: Literal["keep", "drop"] | None = None
    relevant_from: Finite | None = None
    features: FeaturesSpec = Field(default_factory=FeaturesSpec)
    transforms: list[TransformEntry] = Field(default_factory=list)
    class_weights: ClassWeights | None = None
    for_each: ForEachSpec | None = None
    split: SplitSpec = Field(default_factory=SplitSpec)
    refit: Literal["none", "all"] = "none"
    folds: FoldsSpec | None = None
    tune: TuneSpec | None = None
    backtest: BacktestSpec | None = None
    baseline: Literal["majority", "mean", "median"] | None = None
    slices: list[SliceEntry] = Field(default_factory=list)
    permutation_importances: bool = False
    gates: list[GateSpec] = Field(default_factory=list)
    promote: Literal["on_pass", "manual"] = "on_pass"
    retrain: RetrainSpec = Field(default_factory=RetrainSpec)
    output_prefix: Identifier | None = None
    allow_leakage: Reasons = Field(default_factory=dict)
    diagnostics: Levels = Field(default_factory=dict)
    contract: ContractSpec | None = None
    outputs: list[MlOutputSpec] = Field(default_factory=list)
    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None
