"""The Project: every file of a project as data, before any reference is followed (the parse phase's product)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlml.ir.diagnostics import Level
from sqlml.ir.folds import Backtest, Folds
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.measuring import Gate, Slice, ThresholdRule
from sqlml.ir.roles import ROLES
from sqlml.ir.transform_spec import TransformSpec
from sqlml.ir.tuning import Tuning

if TYPE_CHECKING:
    from sqlml.ir.algorithms import AlgorithmRelation

Scalar = str | int | float | bool | None
Materialized = Literal["table", "view", "ephemeral"]
Severity = Literal["error", "warn"]


@dataclass(frozen=True, slots=True)
class Known:
    """When a column's value is known: `after` the row's event time, or `at` a timestamp column of the same relation."""

    at: str | None = None


@dataclass(frozen=True, slots=True)
class DataTest:
    """A data test as declared: a generic one on a column or relation, or a singular SQL file.

    Attributes:
        kind: `not_null`, `unique`, `accepted_values`, `relationships` or `singular`.
        column: the tested column; None for singular tests.
        arguments: `values` (accepted_values), `to` and `field` (relationships; `to` is the text of a `ref(...)`).
        where: SQL condition on the rows tested.
        text: the SQL template of a singular test.
    """

    kind: str
    location: SourceLocation
    name: str | None = None
    column: str | None = None
    arguments: Mapping[str, Scalar | tuple[Scalar, ...]] = field(default_factory=dict)
    severity: Severity = "error"
    where: str | None = None
    text: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column as declared in YAML; `data_type` is a Spark type such as `bigint` or `array<string>`."""

    name: str
    location: SourceLocation
    data_type: str | None = None
    description: str = ""
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A relation that others write, read by path (relative to the project's root, or absolute)."""

    source_name: str
    name: str
    path: str
    format: str
    places: Places
    options: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    columns: tuple[ColumnSpec, ...] = ()
    tests: tuple[DataTest, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seed:
    """A small data file of the project (csv, parquet, json), built as a table named after the file."""

    name: str
    path: str
    format: str
    places: Places
    options: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[ColumnSpec, ...] = ()
    tests: tuple[DataTest, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlModel:
    """A `.sql` file with one SELECT, and what YAML and the project file say of it.

    Attributes:
        path: the file, relative to the root.
        text: the template as written.
        config: config keys from the project file and YAML, weakest first overridden (`materialized`, `tags`,
            `enabled`, `contract`); a `config()` call in the text is stronger and is applied when the text is rendered.
        places: whole is the SQL file's line 1; keys hold the YAML entry's places.
    """

    name: str
    path: str
    text: str
    places: Places
    config: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[ColumnSpec, ...] = ()
    tests: tuple[DataTest, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """How hold-out rows are chosen.

    Attributes:
        by: `hash`, `time`, `column` or `none`; None takes the default: time if the ML model has an event time,
            else hash of the keys, else hash of the whole row.
        columns: what is hashed, or the one column of a time or column split.
        holdout: the share of rows held out, 0 to 1 (hash, time).
        holdout_from: the first instant of the hold-out (time), as a Spark timestamp literal, UTC.
        gap_s: seconds left out between training and hold-out (time).
        holdout_values: values of the column that are held out (column).
        train_values: values of the column that are fitted on; empty: all others (column).
        seed: seed of the hash.
        within: the share is taken of the rows of each value of this column (hash, time).
    """

    by: Literal["hash", "time", "column", "none"] | None = None
    columns: tuple[str, ...] = ()
    holdout: float = 0.2
    holdout_from: str | None = None
    gap_s: int = 0
    holdout_values: tuple[Scalar, ...] = ()
    train_values: tuple[Scalar, ...] = ()
    seed: int = 42
    within: str | None = None

    @property
    def columns_read(self) -> tuple[str, ...]:
        """All columns that it names."""
        return self.columns if self.within is None else (*self.columns, self.within)


@dataclass(frozen=True, slots=True)
class Retrain:
    """When an ML model is fitted again: on what change, and how often at most for a change of data alone (seconds)."""

    when: Literal["changed", "spec_changed", "asked"] = "changed"
    at_most_every_s: int | None = None


@dataclass(frozen=True, slots=True)
class ForEach:
    """One fitted model for each value of a column.

    Attributes:
        min_rows: training rows that a value must have to get one.
        others: what becomes of rows whose value has none: they are predicted null, or a prediction fails.
    """

    column: str
    min_rows: int = 1
    others: Literal["keep", "error"] = "keep"


@dataclass(frozen=True, slots=True)
class MlOutput:
    """One entry of `outputs:` of an ML model: a relation made from its champion.

    Attributes:
        kind: what is made (`ir.ml_outputs`).
        over: the text of a `ref(...)` or `source(...)` call: whom it is made for; None: all that were fitted on.
        top: how many rows there are for each of them.
        seen: the text of a call, or `training_data` for the ML model's own: pairs that are left out; None: none are.
        max_distance: how far apart the rows of a pair may be.
        places: of the entry and its keys.
    """

    name: str
    kind: str
    places: Places
    over: str | None = None
    top: int | None = None
    seen: str | None = None
    max_distance: float | None = None
    columns: tuple[ColumnSpec, ...] = ()
    tests: tuple[DataTest, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MlModel:
    """One entry of `ml_models:`.

    Attributes:
        training_data: the text of a `ref(...)` or `source(...)` call.
        where: SQL condition on the rows for fit and evaluation.
        params: Spark ML's own param names and values.
        estimator: a class of the registry, or the import path of one that the project file allows.
        problem, family: of an estimator by import path.
        label, weight, offset, censor, user, item, rating, items: columns by their role (`ir.roles`); a clustering has
            no label, and that of a recommendation is its rating.
        unseen: whether a prediction keeps the rows of a user or an item that was never seen.
        relevant_from: the least rating of a held-out item that should have been recommended; None: every one should.
        positive: the label value of class 1.
        threshold: a row is of class 1 when its probability is above it.
        threshold_rule: how the threshold is learnt, if it is.
        class_weights: `balanced`, or a weight for each value of the label; None: classes count as often as they occur.
        slices: parts of the rows that are measured on their own.
        has_permutations: whether it is measured with each feature shuffled.
        baseline: which trivial model it is compared with; None: the usual one.
        refit: `all`: once it is measured, it is fitted again on all rows, those of the hold-out too.
        folds: of the training rows, on which it is validated; None: it is not.
        tuning: the search for its params; None: they are as given.
        backtest: how it is measured on windows of the past; None: it is not.
        include, exclude: features by name; an empty `include` means every column without a role.
        allow_leakage: features that may know the future, each with the reason.
        diagnostics: code to level, where this ML model or its folder sets one.
        has_contract: whether it must read and return what its champion does.
        for_each: whose values get a fitted model each; None: one is fitted on all rows.
        places: places of the entry and its keys.
    """

    name: str
    path: str
    places: Places
    training_data: str
    estimator: str
    problem: str | None = None
    family: str | None = None
    where: str | None = None
    null_label: Literal["drop", "error"] = "drop"
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    positive: Scalar = None
    threshold: float | None = None
    threshold_rule: ThresholdRule | None = None
    class_weights: Literal["balanced"] | Mapping[Scalar, float] | None = None
    slices: tuple[Slice, ...] = ()
    has_permutations: bool = False
    baseline: Literal["majority", "mean", "median"] | None = None
    refit: Literal["none", "all"] = "none"
    folds: Folds | None = None
    tuning: Tuning | None = None
    backtest: Backtest | None = None
    for_each: ForEach | None = None
    keys: tuple[str, ...] = ()
    event_time: str | None = None
    weight: str | None = None
    offset: str | None = None
    censor: str | None = None
    user: str | None = None
    item: str | None = None
    rating: str | None = None
    items: str | None = None
    unseen: Literal["keep", "drop"] = "keep"
    relevant_from: float | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    transforms: tuple[TransformSpec, ...] = ()
    split: Split = field(default_factory=Split)
    gates: tuple[Gate, ...] = ()
    promote: Literal["on_pass", "manual"] = "on_pass"
    retrain: Retrain = field(default_factory=Retrain)
    output_prefix: str = ""
    allow_leakage: Mapping[str, str] = field(default_factory=dict)
    diagnostics: Mapping[str, Level] = field(default_factory=dict)
    has_contract: bool = False
    outputs: tuple[MlOutput, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()

    @property
    def roles(self) -> Mapping[str, str]:
        """Columns that are never features, by name, with their role."""
        roles = {} if self.for_each is None else {self.for_each.column: "for_each column"}
        roles |= dict.fromkeys(self.keys, "key")
        if self.event_time is not None:
            roles[self.event_time] = "event time"
        return roles | {column: ROLES[key].name for key, column in self.role_columns.items()}

    @property
    def columns_dealt(self) -> tuple[str, ...]:
        """The columns that say which rows are held out and in which fold one is."""
        folds = () if self.folds is None else self.folds.columns
        return (*self.split.columns_read, *folds)

    @property
    def has_folds(self) -> bool:
        """Whether anything is learnt or measured on folds."""
        return self.folds is not None or self.tuning is not None or self.threshold_rule is not None

    @property
    def is_searched(self) -> bool:
        """Whether anything is tuned still; what a search chose keeps what it was judged by, and no dimensions."""
        return self.tuning is not None and bool(self.tuning.dimensions)

    @property
    def is_cross_validated(self) -> bool:
        """Whether what folds measure is kept."""
        return self.folds is not None or self.tuning is not None

    @property
    def has_threshold(self) -> bool:
        """Whether a threshold is given or learnt."""
        return self.threshold is not None or self.threshold_rule is not None

    @property
    def role_columns(self) -> Mapping[str, str]:
        """The columns that the estimator reads and that are no features, by their role's key (`ir.roles`)."""
        given = {key: getattr(self, key) for key in ROLES}
        return {key: column for key, column in given.items() if column is not None}

    @property
    def own_role_columns(self) -> Mapping[str, str]:
        """The same, each column once: a label that is a rating is the rating."""
        without = "label" if self.rating is not None else ""
        return {key: column for key, column in self.role_columns.items() if key != without}

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that are no features and that a prediction reads too."""
        read = [column for key, column in self.role_columns.items() if ROLES[key].is_read_by_predictions]
        return tuple(read if self.for_each is None else [*read, self.for_each.column])


@dataclass(frozen=True, slots=True)
class MacroFile:
    """A file of Jinja macros; `shipped` for those that come with sqlml."""

    path: str
    text: str
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where a build goes.

    Attributes:
        schema: a namespace of relations, versions and aliases.
        diagnostics: code to level, stronger than the project's.
    """

    name: str
    schema: str
    spark: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    memory: str | None = None
    diagnostics: Mapping[str, Level] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """A parsed project.

    Attributes:
        root: absolute path of the folder with `sqlml_project.yml`.
        variables: from the project file and `--vars`, the latter winning.
        environment: what `env_var()` may read.
        schemas: of each target, by its name.
        diagnostics: code to level, where the project sets one.
    """

    root: Path
    name: str
    target: Target
    variables: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)
    diagnostics: Mapping[str, Level] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    seeds: tuple[Seed, ...] = ()
    sql_models: tuple[SqlModel, ...] = ()
    ml_models: tuple[MlModel, ...] = ()
    algorithms: tuple[AlgorithmRelation, ...] = ()
    singular_tests: tuple[DataTest, ...] = ()
    macro_files: tuple[MacroFile, ...] = ()
