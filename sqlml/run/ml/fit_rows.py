"""The rows of a fit: a training relation and a task in; split and profiled rows, in one part or several, out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlml.errors import DataError
from sqlml.ir.estimators import Problem
from sqlml.ir.project import MlModel
from sqlml.run.ml.checks import HOLDOUT, PART, SIDE, TRAINING, Profile, profile_rows
from sqlml.run.ml.class_weights import weigh_classes
from sqlml.run.ml.disjoint import assert_disjoint
from sqlml.run.ml.evaluation.rows import SLICES
from sqlml.run.ml.evaluation.slices import check_slices, slices_sql
from sqlml.run.ml.fitting import Task
from sqlml.run.ml.labels import order_classes
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.rivals import Met, carried_columns, carried_sql
from sqlml.run.ml.split import SplitRule, split_rows
from sqlml.run.ml.sql_text import literal
from sqlml.run.ml.values import Values, find_values
from sqlml.run.tables import columns_of, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that an ML model is about.

    Attributes:
        sided: with the column `SIDE`, null for those on neither side.
        carried: the columns that only rivals read.
        null_labels: how many were left out because they have no label.
        shared_keys: how many keys are on both sides, which is none; None: there are no keys.
        values: those that get a fitted model each; None: there is one for all rows.
    """

    sided: DataFrame
    rule: SplitRule
    profile: Profile
    null_labels: int
    shared_keys: int | None
    carried: tuple[str, ...] = ()
    values: Values | None = None

    @property
    def training(self) -> DataFrame:
        """Those to fit on."""
        return self._without(self.sided.where(f"{SIDE} = '{TRAINING}'"), *self.carried)

    @property
    def holdout(self) -> DataFrame | None:
        """Those held out, with what they carry; None: none are."""
        return None if self.rule.holdout is None else self._without(self.sided.where(f"{SIDE} = '{HOLDOUT}'"))

    @property
    def all(self) -> DataFrame:
        """Both."""
        return self._without(self.sided.where(f"{SIDE} IS NOT NULL"), *self.carried)

    def _without(self, rows: DataFrame, *names: str) -> DataFrame:
        return rows.drop(SIDE, PART, *names)

    def parts(self, task: Task) -> tuple[Part, ...]:
        """Return what is fitted: `task` on all rows, or for each value on the value's own."""
        if self.values is None:
            return (Part(None, task, self),)
        return tuple([self._part(value, task) for value in self.values.fitted])

    def _part(self, value: str, task: Task) -> Part:
        profile = self.profile.parts[value]
        sided = self.sided.where(f"{PART} = {literal(value)}").drop(*_only_for_each(task.ml_model))
        return Part(value, with_classes(task, profile), replace(self, sided=sided, profile=profile))


@dataclass(frozen=True, slots=True)
class Part:
    """What one fitted pipeline is made of: a task and its rows.

    Attributes:
        value: whose rows these are; None: they are all.
    """

    value: str | None
    task: Task
    rows: Rows

    @property
    def slice(self) -> str:
        """The name of its rows in metrics and tables; empty for all rows."""
        for_each = self.task.ml_model.for_each
        return "" if for_each is None or self.value is None else f"{for_each.column}={self.value}"

    def count(self, *sides: str) -> int:
        """Return how many rows there are on some sides."""
        return sum(self.rows.profile.rows[side] for side in sides)


def read_rows(training: DataFrame, task: Task, met: Sequence[Met], stack: ExitStack) -> Rows:
    """Split the rows and look at them.

    Raises:
        DataError, ErrorList: rows that no fit can use; the column, and with `for_each:` the value, is named.
    """
    ml_model = task.ml_model
    wanted = persisted(stack, _usable_rows(training, task, carried_sql(met)))
    check_slices(wanted, ml_model)
    count, null_labels = _count_rows(wanted, task)
    rows = wanted.where(f"{quote(ml_model.label or '')} IS NOT NULL") if null_labels else wanted
    rule = split_rows(rows, ml_model)
    sided = rows.selectExpr("*", f"{rule.side} AS {SIDE}")
    shared = None if rule.holdout is None else assert_disjoint(sided, SIDE, ml_model, "split")
    values = None if ml_model.for_each is None else find_values(sided, ml_model, ml_model.for_each)
    if values is not None:
        # Each value's rows are read by themselves, many times: they lie together, so that others' are passed over.
        sided = persisted(stack, values.mark(sided).repartition(quote(PART)).sortWithinPartitions(quote(PART)))
    profile = profile_rows(sided, count, ml_model, task.entry, task.transforms, has_holdout=rule.holdout is not None)
    return Rows(sided, rule, profile, null_labels, shared, tuple(carried_columns(sided)), values)


def _only_for_each(ml_model: MlModel) -> tuple[str, ...]:
    """Return the column of `for_each:` where nothing else reads it, so that it must not decide a row's hash."""
    if ml_model.for_each is None:
        return ()
    alone = replace(ml_model, for_each=None)
    read = {name.lower() for name in (*alone.roles, *alone.columns_dealt)}
    return () if ml_model.for_each.column.lower() in read else (ml_model.for_each.column,)


def with_classes(task: Task, profile: Profile) -> Task:
    """Return the task with what the training rows told."""
    task = replace(task, sizes=profile.sizes)
    if not task.label_type or task.entry.problem is not Problem.CLASSIFICATION:
        return task
    classes = order_classes(profile.classes[TRAINING], task.ml_model)
    weights = weigh_classes(task.ml_model, profile.classes[TRAINING], classes)
    return replace(task, classes=classes, class_weights=weights)


def _usable_rows(training: DataFrame, task: Task, carried: Sequence[str] = ()) -> DataFrame:
    """Return the rows after `where:` with the columns that the ML model reads, in the relation's order.

    Columns that are not read must not decide a hash, else adding one would change the split and the layout.
    """
    ml_model = task.ml_model
    rows = training.where(ml_model.where) if ml_model.where else training
    roles = {name.lower() for name in (*ml_model.roles, *ml_model.columns_dealt)}
    read = roles | {transform.column.lower() for transform in task.transforms}
    names = [quote(column.name) for column in columns_of(rows.schema) if column.name.lower() in read]
    slices = slices_sql(ml_model)
    return rows.selectExpr(*names, *([f"{slices} AS {SLICES}"] if slices else []), *carried)


def _count_rows(rows: DataFrame, task: Task) -> tuple[int, int]:
    """Return how many rows there are, and how many of them have no label.

    Raises:
        DataError: there are some, and the ML model says `null_label: error`.
    """
    ml_model = task.ml_model
    is_missing = "false" if task.label_type is None else f"{quote(ml_model.label or '')} IS NULL"
    rows_there, count = rows.selectExpr("count(1)", f"count_if({is_missing})").collect()[0]
    if count and ml_model.null_label == "error":
        raise DataError(
            f"label '{ml_model.label}' of ml model '{ml_model.name}' is null in {count} rows",
            ml_model.places.value_of("null_label"),
            "leave them out by 'where:', or say null_label: drop",
        )
    return rows_there, count
