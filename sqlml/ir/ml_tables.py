"""The tables that `ml_table()` reads: what a fit and its evaluation left of a version, one entry each.

They lie in the folder `tables` of a version, one JSON object a line.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlml.ir.estimators import Estimator, Problem, Returns
from sqlml.ir.explanations import EXPLANATIONS, SLICE
from sqlml.ir.state import Column


@dataclass(frozen=True, slots=True)
class MlTable:
    """A table that evaluation fills.

    Attributes:
        about: one line for the documentation.
        columns: in order, behind `version`.
        problems: whose fitted models have it.
        returns: which predictions it needs.
        is_on_card: whether it is shown with its version.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    problems: frozenset[Problem]
    returns: frozenset[Returns] = frozenset(Returns)
    is_on_card: bool = False


VERSION = Column("version", "int")
"""The first column of each: the champion's number."""

_PART = (Column("dataset", "string"), Column("slice", "string"))
_CLASSES = frozenset({Problem.CLASSIFICATION})
_SCORED = frozenset({Returns.PROBABILITIES, Returns.SCORES})


def _columns(text: str) -> tuple[Column, ...]:
    return (*_PART, *_typed(text))


def _on_folds(text: str) -> tuple[Column, ...]:
    return (SLICE, *_typed(text))


def _typed(text: str) -> tuple[Column, ...]:
    pairs = (part.split(" ") for part in text.split(", "))
    return tuple(Column(name, data_type) for name, data_type in pairs)


EVALUATION_TABLES: dict[str, MlTable] = {
    entry.name: entry
    for entry in (
        MlTable(
            "metrics",
            "Every metric, with the rows it was measured on, its interval, and that of its gain over the baseline.",
            _columns(
                "metric string, value double, rows bigint, low double, high double, baseline double, gain_low double, "
                "gain_high double"
            ),
            frozenset(Problem),
        ),
        MlTable(
            "roc_curve",
            "Two classes: what share of each class scores at least the threshold.",
            _columns("threshold double, false_positive_rate double, true_positive_rate double"),
            _CLASSES,
            _SCORED,
        ),
        MlTable(
            "pr_curve",
            "Two classes: precision and recall of the rows that score at least the threshold.",
            _columns("threshold double, precision double, recall double"),
            _CLASSES,
            _SCORED,
        ),
        MlTable(
            "gains",
            "Two classes: what share of the rows, and of class 1, scores at least the threshold, and how many times as "
            "often class 1 is among them as among all.",
            _columns("threshold double, share_of_rows double, share_of_positives double, lift double"),
            _CLASSES,
            _SCORED,
        ),
        MlTable(
            "calibration",
            "The mean probability in each tenth of it, of class 1 (with more classes: of the predicted one), and what "
            "share came true.",
            _columns("bin int, weight double, mean_probability double, share double"),
            _CLASSES,
            frozenset({Returns.PROBABILITIES}),
        ),
        MlTable(
            "confusion_matrix",
            "How many rows (by weight) of each class were taken for each class; pairs that do not occur are left out.",
            _columns("label string, predicted string, weight double"),
            _CLASSES,
        ),
        MlTable(
            "classes",
            "The measures of each class by itself.",
            _columns(
                "class string, weight double, precision double, recall double, f_measure double, "
                "false_positive_rate double"
            ),
            _CLASSES,
        ),
        MlTable(
            "permutation_importances",
            "With `permutation_importances: true`: how much worse the first metric is on held-out rows in which the "
            "feature has another row's value.",
            _columns("feature string, metric string, importance double, value double, shuffled double, rows bigint"),
            frozenset({Problem.CLASSIFICATION, Problem.REGRESSION}),
        ),
        MlTable(
            "residuals",
            "Labels and errors (label - prediction) in each bin of the prediction; the bins are cut at twentieths of "
            "the training rows' label.",
            _columns(
                "bin int, rows bigint, mean_prediction double, mean_label double, mean_error double, mae double, "
                "rmse double"
            ),
            frozenset({Problem.REGRESSION}),
        ),
        MlTable(
            "feature_statistics",
            "What each feature was like in the training rows, and in those held out: what drift is measured from. "
            "`quantiles` are at 0, 0.05, 0.1 … 1, `top` the 50 most frequent values of a category with their share of "
            "the rows that have one.",
            _columns(
                "feature string, type string, rows bigint, nulls bigint, null_share double, mean double, "
                "stddev double, min double, max double, p05 double, p25 double, p50 double, p75 double, p95 double, "
                "quantiles array<double>, top array<struct<value:string,share:double>>"
            ),
            frozenset(Problem) - {Problem.RECOMMENDATION, Problem.PATTERNS},
        ),
        MlTable(
            "single_features",
            "How well each feature, a number or a category, tells the label by itself: its area under the ROC curve "
            "(with more classes: that of the two it tells apart worst), or for a regression the R2 of a line.",
            _columns("feature string, metric string, value double, rows bigint"),
            frozenset({Problem.CLASSIFICATION, Problem.REGRESSION}),
        ),
        MlTable(
            "cluster_sizes",
            "How many of the training rows each cluster has, where Spark's fitted model knows it.",
            _columns("cluster int, size bigint"),
            frozenset({Problem.CLUSTERING}),
            frozenset({Returns.DISTANCE, Returns.MIXTURE}),
        ),
        MlTable(
            "cross_validation",
            "With `folds:`: every metric of the rows that each fold is validated on; without a fold, their mean and "
            "standard deviation.",
            _on_folds("metric string, fold int, value double, deviation double, rows bigint"),
            frozenset(Problem) - {Problem.PATTERNS},
            is_on_card=True,
        ),
        MlTable(
            "trials",
            "With `tune:`: what was tried, how good it was on each fold and on average, and how long it took.",
            _on_folds(
                "trial int, state string, is_best boolean, is_kept boolean, params map<string,string>, metric string, "
                "value double, deviation double, folds array<double>, seconds double, error string"
            ),
            frozenset(Problem) - {Problem.PATTERNS},
            is_on_card=True,
        ),
        MlTable(
            "backtest",
            "With `backtest:`: what each window of the past measures of a fit on all that lies before it.",
            _on_folds(
                "window int, starts timestamp, ends timestamp, training_rows bigint, rows bigint, "
                "metrics map<string,double>, baseline map<string,double>, seconds double"
            ),
            frozenset(Problem) - {Problem.PATTERNS},
            is_on_card=True,
        ),
    )
}


def tables_of(estimator: Estimator) -> tuple[str, ...]:
    """Return the tables that versions of `estimator` may have."""
    evaluated = [
        name
        for name, table in EVALUATION_TABLES.items()
        if estimator.problem in table.problems and (estimator.is_foreign or estimator.returns in table.returns)
    ]
    # What one by import path explains is known by a fit.
    return (*evaluated, *(EXPLANATIONS if estimator.is_foreign else estimator.explains))


def card_tables() -> dict[str, tuple[Column, ...]]:
    """Return the columns of the tables that are shown with a version, without `version`, by their names."""
    folds = {name: table.columns for name, table in EVALUATION_TABLES.items() if table.is_on_card}
    return folds | {name: table.columns for name, table in EXPLANATIONS.items()}


def ml_table_names() -> tuple[str, ...]:
    """Return the names of all tables."""
    return (*EVALUATION_TABLES, *EXPLANATIONS)


def ml_table_columns(name: str) -> tuple[Column, ...]:
    """Return the columns of a table, `version` first."""
    table = EVALUATION_TABLES.get(name) or EXPLANATIONS[name]
    return (VERSION, *table.columns)
