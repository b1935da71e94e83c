"""What exists: outputs, versions, aliases, metrics and test results, as the persist phase keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlml.ir.project import Scalar

CHAMPION = "champion"
"""The alias that predictions use."""

_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")

VersionRef = int | str
"""A version as what was made with it remembers it: its number; `prod.3` where it is another target's."""


def is_alias(text: str) -> bool:
    """Return whether an alias can be called so: never like a number, which names a version."""
    return _ALIAS.fullmatch(text) is not None


def alias_key(ml_model: str, alias: str = CHAMPION) -> str:
    """Return what an alias is called where those of several ML models stand together: `late`, `late@stable`.

    The champion's is the name of the ML model, since it is what almost all readers mean.
    """
    return ml_model if alias == CHAMPION else f"{ml_model}@{alias}"


def ml_model_of(key: str) -> str:
    """Return the ML model of an `alias_key`."""
    return key.partition("@")[0]


def alias_text(key: str) -> str:
    """Return an `alias_key` as messages have it: `champion of 'late'`, `version 'stable' of 'late'`."""
    name, _, alias = key.partition("@")
    return f"version '{alias}' of '{name}'" if alias else f"champion of '{name}'"


def lacks_text(key: str) -> str:
    """Return that no version bears the alias of an `alias_key`."""
    name, _, alias = key.partition("@")
    return f"'{name}' has no version '{alias}'" if alias else f"'{name}' has no champion"


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
        of_target: name of the other target that it is read from; empty: it is this one's own.
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
    champions: Mapping[str, VersionRef] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    built_at: str = ""
    of_target: str = ""


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
        of_target: name of the other target that it is read from; empty: it is this one's own.
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
    of_target: str = ""

    @property
    def ref(self) -> VersionRef:
        """How what is made with it remembers it."""
        return f"{self.of_target}.{self.version}" if self.of_target else self.version

    def __str__(self) -> str:
        return f"version {self.version}" + (f" of target '{self.of_target}'" if self.of_target else "")

    def may_follow(self, champion: Version | None) -> bool:
        """Return whether it was fitted after `champion`, or where there was none; another target's is nobody's."""
        return champion is None or bool(champion.of_target) or champion.version < self.version

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
    champions: Mapping[str, VersionRef] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is current in one schema at one instant.

    Attributes:
        outputs: node id to its current output.
        versions: ML model name to its versions, oldest first.
        aliases: ML model name to its aliases.
        tests: test id to its last outcome.
        other: the versions and aliases of another target, which is read where this one has none.
    """

    schema: str
    outputs: Mapping[str, Output] = field(default_factory=dict)
    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    aliases: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)
    tests: Mapping[str, TestOutcome] = field(default_factory=dict)
    other: Snapshot | None = None

    def alias(self, ml_model: str, alias: str = CHAMPION) -> Alias | None:
        """Return the alias of `ml_model`, or None if no version bears it."""
        return next((entry for entry in self.aliases.get(ml_model, ()) if entry.alias == alias), None)

    def version(self, ml_model: str, number: int) -> Version | None:
        """Return version `number` of `ml_model`, or None if there is none."""
        return next((entry for entry in self.versions.get(ml_model, ()) if entry.version == number), None)

    def champion(self, ml_model: str) -> Version | None:
        """Return the version that predictions use, or None."""
        return self.find(ml_model, CHAMPION)

    def champions(self) -> dict[str, Version]:
        """Return the version that each alias of each ML model points to, by `alias_key`."""
        found = {} if self.other is None else self.other.champions()
        for ml_model, aliases in self.aliases.items():
            for entry in aliases:
                if (version := self.version(ml_model, entry.version)) is not None:
                    found[alias_key(ml_model, entry.alias)] = version
        return found

    def find(self, ml_model: str, wanted: str) -> Version | None:
        """Return the version with an alias or a `VersionRef`; None: there is none.

        An alias is another target's where no version of this one bears it. A number is of this one alone: another
        target's 3 is not what this one's will be.
        """
        alias = self.alias(ml_model, wanted)
        own = self.versions.get(ml_model, ())
        if alias is not None:
            return self.version(ml_model, alias.version)
        found = next((entry for entry in own if str(entry.ref) == wanted), None)
        return self.other.find(ml_model, wanted) if found is None and self.other is not None else found

    def known_versions(self, ml_model: str) -> list[str]:
        """Return the numbers and aliases that `find` finds."""
        own = [str(version.ref) for version in self.versions.get(ml_model, ())]
        own += [entry.alias for entry in self.aliases.get(ml_model, ())]
        return list(dict.fromkeys([*own, *([] if self.other is None else self.other.known_versions(ml_model))]))

    def is_fitted(self, ml_model: str) -> bool:
        """Return whether there is any version of `ml_model`."""
        return bool(self.versions.get(ml_model)) or (self.other is not None and self.other.is_fitted(ml_model))

    def latest(self, ml_model: str) -> Version | None:
        """Return the newest version of `ml_model`, or None."""
        versions = self.versions.get(ml_model, ())
        return versions[-1] if versions else None
