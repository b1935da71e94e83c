"""Everything sqlml can say about a project besides errors that stop it: the registry of codes, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from sqlml.errors import Shared
from sqlml.ir.location import SourceLocation

Level = Literal["error", "warn", "note", "ignore"]
LEVELS: tuple[str, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of diagnostic.

    Attributes:
        level: unless the project says otherwise.
        title: what it is, in a few words.
        meaning: when it is reported and why it matters.
        fix: what to do.
    """

    level: Level
    title: str
    meaning: str
    fix: str


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "L001": Rule(
            "error",
            "a feature knows the future",
            "A feature is computed, in the same row, from a column declared `known: after` or `known: {at: …}`: "
            "when the model predicts, nobody knows that value yet, and its metrics promise too much.",
            "Leave the feature out, or say why it may stay: `allow_leakage: {feature: reason}` on the ML model.",
        ),
        "L002": Rule(
            "warn",
            "a feature may count what was not known yet",
            "A feature is computed from such a column of other rows, and nothing bounds these rows to those whose "
            "value was known by the row's own time.",
            "Call `known_window` or `asof_join` with `known_at=` the column's own `at:`, or join with "
            "`event.known_at < row.event_time`; or allow it with a reason.",
        ),
        "L003": Rule(
            "note",
            "a feature and the label come from one column",
            "A feature shares a source column with the label, and that column does not say when it is known.",
            "Declare `known:` on that column, or allow it with a reason.",
        ),
        "L004": Rule(
            "warn",
            "a feature names the row",
            "A feature is the key of a relation: a copy of the ML model's only key, the only column of a source's "
            "`keys:`, a column with a `unique` test, or the only one that the training data's SQL groups by. A model "
            "learns such a column by heart, and new rows have new values.",
            "Give it the role: `keys: [column]`, or exclude it from the features.",
        ),
        "L005": Rule(
            "warn",
            "a window looks ahead",
            "The ML model has an `event_time:`, and a feature comes from a window that reads later rows: its frame "
            "ends with `following`, it has no ORDER BY or one that is not by time, it sorts downwards, it is `lead` "
            "(or `lag` of a negative number), or a rank among all rows.",
            "Order the window by time and end its frame before the current row, or use `known_window`.",
        ),
        "L006": Rule(
            "warn",
            "a split that is not by time",
            "The ML model has an `event_time:`, but its hold-out is not the latest rows: it is measured on rows older "
            "than some that it learnt from.",
            "Write `split: {by: time}`, or remove `split:`, which does the same.",
        ),
        "L007": Rule(
            "warn",
            "an ML model learns from SQL whose value changes",
            "SQL that an ML model is trained on calls a function such as `rand()` or `current_date()`, or has a "
            "`TABLESAMPLE` without `REPEATABLE`: a fit cannot be repeated, and rows that are scored later are not made "
            "as the training rows were.",
            "Read the value from a column or from `var()`.",
        ),
        "L008": Rule(
            "warn",
            "a feature is looked up by the future",
            "A feature is found by a column that is not known yet: a join key, a partition, the order of a window, a "
            "group. What is looked up tells what it was looked up by.",
            "Look it up by what is known when the model predicts; or allow it with a reason.",
        ),
        "L009": Rule(
            "note",
            "rows are chosen by the future",
            "A column that is not known yet decides which rows the ML model learns from, or which rows its features "
            "are computed from: in a WHERE, an inner or semi join, a HAVING above them. What is measured on rows that "
            "were chosen by their outcome does not hold for rows whose outcome nobody knows.",
            "Choose rows by what is known. For rows without a label write `null_label: drop` instead.",
        ),
        "L010": Rule(
            "warn",
            "a feature tells the label by itself",
            "Found by a fit and not by the compiler: one feature alone tells the label of held-out rows nearly "
            "perfectly, or nearly all of the importance is one feature's in a fit that is nearly perfect. It may be "
            "the label in disguise, written down after the fact.",
            "Leave the feature out unless it is known when the model predicts; if it is, allow it with a reason.",
        ),
        "S001": Rule(
            "warn",
            "SQL whose value changes",
            "SQL calls a function whose value changes from one build to the next, or has a `TABLESAMPLE` without "
            "`REPEATABLE`, but the node is built again only when something else changes.",
            "Read the value from a column or from `var()`.",
        ),
        "S002": Rule(
            "warn",
            "SQL reads past the project",
            "SQL reads a relation that is no node of the project: nobody notices when it changes.",
            "Declare it under `sources:` and read it with `source()`.",
        ),
        "S003": Rule(
            "warn",
            "a described column that is not there",
            "A column is described in YAML, and the SQL model does not return it.",
            "Correct the name, or remove the entry.",
        ),
        "S004": Rule(
            "warn",
            "a message of log()",
            "A template called `log()`.",
            "Remove the call.",
        ),
        "S005": Rule(
            "warn",
            "a declared type that is another",
            "A `data_type:` of a SQL model's column is not the type that its SQL returns, or no type of Spark's.",
            "Correct it, or cast the column; `contract: {enforced: true}` makes it an error.",
        ),
        "S006": Rule(
            "warn",
            "a function that Spark does not have",
            "SQL calls a function that is not among the built-in ones of the Spark version that sqlml is made for.",
            "Correct the name; if your Spark has the function all the same, ignore the warning.",
        ),
        "E100": Rule(
            "error",
            "a file that cannot be read",
            "YAML, a key, a value, or Jinja is wrong.",
            "See the message.",
        ),
        "E200": Rule(
            "error",
            "a reference that leads nowhere",
            "A reference, a name or a selection leads nowhere, or references make a cycle.",
            "See the message.",
        ),
        "E300": Rule(
            "error",
            "SQL or a spec that does not fit",
            "SQL cannot be read, or a column, a parameter or a type does not fit.",
            "See the message.",
        ),
        "E900": Rule(
            "error",
            "something else is wrong",
            "The machine, the state or the command.",
            "See the message.",
        ),
    }
)
"""Code to what it is. L: mistakes in learning; S: in SQL; E: errors, whose level is fixed."""

SETTABLE = tuple(code for code in RULES if not code.startswith("E"))
"""The codes whose level a project may set."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something to say about a project.

    Attributes:
        level: after the project's settings; never `ignore`.
        what: one sentence, names in single quotes.
        node_id: whose fault it is; empty for the project's.
        path: for a leak: the columns on the way, as a user reads them.
        shared: what it has in common with others, for people.
    """

    code: str
    level: Level
    what: str
    location: SourceLocation | None
    fix: str | None = None
    node_id: str = ""
    path: tuple[str, ...] = ()
    shared: Shared | None = None


def level_of(code: str, *settings: Mapping[str, Level]) -> Level:
    """Return the level of `code`: what the last of `settings` that names it says, else the registry's."""
    level = RULES[code].level
    for setting in settings:
        level = setting.get(code, level)
    return level
