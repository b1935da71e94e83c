"""The grammar of the YAML files as pydantic models: unknown keys are refused, values are of the type written here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sqlml.parse.value_types import (
    Column,
    Columns,
    Finite,
    Fraction,
    Identifier,
    Instant,
    Levels,
    Memory,
    Options,
    Positive,
    Reasons,
    Reference,
    Seconds,
    Tags,
    Value,
    describe,
    refuse,
)


class Spec(BaseModel):
    """The base of all: nothing is converted silently, nothing unknown is ignored."""

    # Most projects need half of the specs, and building a validator takes milliseconds.
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


class KnownSpec(Spec):
    """`known: after` (`at` is None) or `known: {at: COLUMN}`."""

    at: Column | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_after(cls, value: Any) -> Any:
        if value == "after":
            return {}
        if isinstance(value, dict) and (value.get("at") is not None or set(value) - {"at"}):
            return value
        raise refuse(
            f"must be 'after' or {{at: COLUMN}}, not {describe(value)}", "write known: after, or known: {at: arr_ts}"
        )


class ColumnEntry(Spec):
    """A column of a source, seed or SQL model; its data tests are read apart."""

    name: Column
    data_type: str | None = None
    description: str = ""
    known: KnownSpec | None = None
    data_tests: list[Any] = Field(default_factory=list)
    tests: list[Any] = Field(default_factory=list)


class SourceSpec(Spec):
    """An entry of `sources:` but for its tables."""

    name: Identifier
    description: str = ""
    tags: Tags = Field(default_factory=list)
    enabled: bool = True


class SourceTableSpec(Spec):
    """An entry of `tables:`."""

    name: Identifier
    path: str
    format: Literal["parquet", "csv", "json", "orc"] | None = None
    options: Options = Field(default_factory=dict)
    keys: Columns = Field(default_factory=list)
    columns: list[ColumnEntry] = Field(default_factory=list)
    description: str = ""
    tags: Tags = Field(default_factory=list)
    enabled: bool = True


class SqlModelConfig(Spec):
    """`config:` of a SQL model."""

    materialized: Literal["table", "view", "ephemeral"] | None = None
    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None
    diagnostics: Levels = Field(default_factory=dict)


class SqlModelSpec(Spec):
    """An entry of `models:`."""

    name: str
    description: str = ""
    config: SqlModelConfig = Field(default_factory=SqlModelConfig)
    columns: list[ColumnEntry] = Field(default_factory=list)


class SeedConfig(Spec):
    """`config:` of a seed."""

    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None


class MlModelConfig(SeedConfig):
    """Settings of an ML model that folders may have; they stand beside its `name`."""

    diagnostics: Levels = Field(default_factory=dict)


class SeedSpec(Spec):
    """An entry of `seeds:`."""

    name: str
    description: str = ""
    config: SeedConfig = Field(default_factory=SeedConfig)
    options: Options = Field(default_factory=dict)
    columns: list[ColumnEntry] = Field(default_factory=list)


class FeaturesSpec(Spec):
    """`features:`, a list or a mapping."""

    include: Columns = Field(default_factory=list)
    exclude: Columns = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _read_list(cls, value: Any) -> Any:
        return {"include": value} if isinstance(value, list | str) else value


class TransformEntry(Spec):
    """An entry of `transforms:`."""

    columns: Columns
    impute: Value = None
    encode: Literal["index", "one_hot"] | None = None
    max_categories: Positive | None = None
    unseen: Literal["other"] | None = None
    scale: Literal["standard", "min_max", "max_abs", "robust", "none"] | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _read_null(cls, value: Any) -> Any:
        # The word null is YAML's nothing.
        if isinstance(value, dict) and "unseen" in value and value["unseen"] is None:
            return {**value, "unseen": "null"}
        return value


class SplitSpec(Spec):
    """`split:`."""

    by: Literal["hash", "time", "column", "none"] | None = None
    column: Columns = Field(default_factory=list)
    holdout: Fraction | None = None
    holdout_from: Instant | None = None
    gap: Seconds | None = None
    holdout_values: list[Value] = Field(default_factory=list)
    train_values: list[Value] = Field(default_factory=list)
    seed: int | None = None


class GateSpec(Spec):
    """An entry of `gates:`."""

    metric: str
    at_least: Finite | None = None
    at_most: Finite | None = None


class RetrainSpec(Spec):
    """`retrain:`."""

    when: Literal["changed", "spec_changed", "asked"] = "changed"
    at_most_every: Seconds | None = None


class MlModelSpec(Spec):
    """An entry of `ml_models:`."""

    name: Identifier
    training_data: Reference
    estimator: str
    description: str = ""
    where: str | None = None
    null_label: Literal["drop", "error"] = "drop"
    params: dict[str, Any] = Field(default_factory=dict)
    label: Column | None = None
    positive: Value = None
    threshold: Fraction | None = None
    keys: Columns = Field(default_factory=list)
    event_time: Column | None = None
    weight: Column | None = None
    features: FeaturesSpec = Field(default_factory=FeaturesSpec)
    transforms: list[TransformEntry] = Field(default_factory=list)
    split: SplitSpec = Field(default_factory=SplitSpec)
    gates: list[GateSpec] = Field(default_factory=list)
    promote: Literal["on_pass", "manual"] = "on_pass"
    retrain: RetrainSpec = Field(default_factory=RetrainSpec)
    output_prefix: Identifier | None = None
    allow_leakage: Reasons = Field(default_factory=dict)
    diagnostics: Levels = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None


class TargetSpec(Spec):
    """An entry of `targets:`."""

    schema_: Identifier | None = Field(default=None, alias="schema")
    spark: Options = Field(default_factory=dict)
    threads: Positive | None = None
    memory: Memory | None = None
    diagnostics: Levels = Field(default_factory=dict)


class ProjectFileSpec(Spec):
    """`sqlml_project.yml`; what stands below `targets` and the defaults by folder is read apart."""

    name: Identifier
    version: Value = None
    model_paths: Tags = Field(default=["models"], alias="model-paths")
    seed_paths: Tags = Field(default=["seeds"], alias="seed-paths")
    macro_paths: Tags = Field(default=["macros"], alias="macro-paths")
    test_paths: Tags = Field(default=["tests"], alias="test-paths")
    target: str = "dev"
    targets: dict[str, Any] = Field(default_factory=dict)
    vars: dict[str, Any] = Field(default_factory=dict)
    diagnostics: Levels = Field(default_factory=dict)
    models: dict[str, Any] = Field(default_factory=dict)
    seeds: dict[str, Any] = Field(default_factory=dict)
    ml_models: dict[str, Any] = Field(default_factory=dict)


class DataTestConfig(Spec):
    """What every data test may have, beside its name or under `config:`."""

    name: Identifier | None = None
    severity: Literal["error", "warn"] | None = None
    where: str | None = None
    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None


class AcceptedValues(DataTestConfig):
    """`accepted_values`."""

    values: list[Value]


class Relationships(DataTestConfig):
    """`relationships`."""

    to: Reference
    field: Column
