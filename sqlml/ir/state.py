"""What exists: outputs, versions, aliases, metrics and test results, as the persist phase keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlml.ir.project import Scalar

CHAMPION = "champion"
"""The alias that predictions use."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a relation; `type` is a Spark type (`bigint`, `array<string>`), empty while it is not known."""

    name: str
    type: str
    is_nullable: bool = True


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of all that decides a node's output, and the parts it was made of.

    Attributes:
        digest: hex digest over `parts`.
        code: hex digest over the parts that are not data, for `retrain: {when: spec_changed}`.
        parts: what -> digest, for saying what changed (`sql`, `config`, `parent:<id>`, `data`, `params` …).
        champions: ML models (names) whose champion the output depends on through predictions, itself not hashed:
            an output is current when `digest` and the champions' versions are equal.
    """

    digest: str
    code: str
    parts: Mapping[str, str] = field(default_factory=dict)
    champions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """A published relation: a table's files, or a view's SQL.

    Attributes:
        location: folder of the data, absolute; None for a view.
        sql: a view's SQL; None for a table.
        champions: ML model name to the version whose predictions it holds.
        parents: ids of the nodes its SQL reads (a view needs them to be read again).
    """

    node_id: str
    build_id: str
    kind: Literal["table", "view"]
    fingerprint: Fingerprint
    relation: str
    location: str | None = None
    sql: str | None = None
    columns: tuple[Column, ...] = ()
    rows: int | None = None
    champions: Mapping[str, int] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    built_at: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured number.

    Attributes:
        dataset: `training` or `holdout`.
        slice: empty for all rows; else `carrier=UA`, or the name of a condition.
        rows: that it was measured on; None: not counted.
        low, high: ends of the 95 % interval by bootstrap; None where there is none.
        baseline: what the trivial model has; None: there is none.
        gain_low, gain_high: ends of the interval of how much better than the baseline it is (above 0: better).
    """

    dataset: str
    metric: str
    value: float
    slice: str = ""
    rows: int | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate and how it came out; `value` is None where the metric could not be measured (then it failed)."""

    gate: str
    is_passed: bool
    value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Signature:
    """What a fitted model reads and returns; saved beside it as `signature.json`.

    Attributes:
        features: the columns it reads, in the order of the feature list.
        slots: names of the feature vector's slots, in order.
        label: the label column; None for clusterings. `label_type` is its Spark type.
        classes: the label's values in the order of Spark's class index; empty unless a classifier.
        outputs: the columns that prediction adds.
        inputs: the columns that it reads and that are no features: an offset, a user and an item.
        roles: role (`ir.roles`) to its column at the fit.
        settings: the pinned session settings of the fit.
        returns: what a prediction gives (`ir.estimators.Returns`).
        slot_features: for each slot the features that it comes from.
        slot_means: of a linear model: the mean of each slot over the rows of the fit, which explanations start from.
        for_each: the column whose values have a fitted model each, with slots of its own; None: there is one.
        others: what becomes of rows whose value has none (`ir.project.ForEach`).
    """

    ml_model: str
    estimator: str
    features: tuple[Column, ...]
    slots: tuple[str, ...]
    outputs: tuple[Column, ...]
    inputs: tuple[Column, ...] = ()
    label: str | None = None
    label_type: str | None = None
    classes: tuple[Scalar, ...] = ()
    threshold: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    returns: str = ""
    slot_features: tuple[tuple[str, ...], ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    slot_means: tuple[float, ...] = ()
    for_each: str | None = None
    others: Literal["keep", "error"] = "keep"


@dataclass(frozen=True, slots=True)
class Version:
    """A fitted model: never changed after it is saved.

    Attributes:
        location: folder, absolute; `pipeline/` below it is a Spark ML PipelineModel, `signature.json` beside it.
        facts: rows, classes, layout, versions of the software, duration and whatever else is worth keeping.
    """

    ml_model: str
    version: int
    location: str
    fingerprint: Fingerprint
    signature: Signature
    metrics: tuple[Metric, ...] = ()
    gates: tuple[GateResult, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    created_at: str = ""

    @property
    def has_passed(self) -> bool:
        """Whether every gate passed."""
        return all(gate.is_passed for gate in self.gates)


@dataclass(frozen=True, slots=True)
class Alias:
    """A movable name for a version; pinned after a rollback, until someone promotes."""

    alias: str
    version: int
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """The last result of a data test, valid while its fingerprint and the champions it read are the same."""

    # Not a pytest class, whatever its name says.
    __test__ = False

    test_id: str
    fingerprint: Fingerprint
    status: Literal["pass", "warn", "fail"]
    failures: int
    champions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is current in one schema at one instant.

    Attributes:
        outputs: node id to its current output.
        versions: ML model name to its versions, oldest first.
        aliases: ML model name to its aliases.
        tests: test id to its last outcome.
    """

    schema: str
    outputs: Mapping[str, Output] = field(default_factory=dict)
    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    aliases: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)
    tests: Mapping[str, TestOutcome] = field(default_factory=dict)

    def alias(self, ml_model: str, alias: str = CHAMPION) -> Alias | None:
        """Return the alias of `ml_model`, or None if no version bears it."""
        return next((entry for entry in self.aliases.get(ml_model, ()) if entry.alias == alias), None)

    def version(self, ml_model: str, number: int) -> Version | None:
        """Return version `number` of `ml_model`, or None if there is none."""
        return next((entry for entry in self.versions.get(ml_model, ()) if entry.version == number), None)

    def champion(self, ml_model: str) -> Version | None:
        """Return the version that predictions use, or None."""
        alias = self.alias(ml_model)
        return self.version(ml_model, alias.version) if alias else None

    def latest(self, ml_model: str) -> Version | None:
        """Return the newest version of `ml_model`, or None."""
        versions = self.versions.get(ml_model, ())
        return versions[-1] if versions else None
