"""The columns that a prediction adds: an ML model in, their names and types out, as far as both are known."""

from __future__ import annotations

from dataclasses import replace

from sqlml.ir.estimators import Estimator, Returns
from sqlml.ir.project import ForEach, MlModel
from sqlml.ir.state import Column


def output_columns(
    returns: Returns, label: str | None, label_type: str | None, class_count: int | None
) -> tuple[Column, ...]:
    """Return the columns that a prediction adds (without a prefix); few of them may be null (`is_nullable`).

    Args:
        label_type: a Spark type; None: unknown, and so is the type of what predicts it. Of items, their array's.
        class_count: of a classifier; None: not known before a fit, then only what is sure is returned.
    """
    if returns in _OF_CLUSTERS:
        return _OF_CLUSTERS[returns]
    if returns is Returns.ITEMS:
        return (_sure("predicted_items", label_type or ""),)
    if returns is Returns.VALUE:
        return (_sure(f"predicted_{label}", "double"),)
    if returns in (Returns.RATING, Returns.PREFERENCE):
        # None for who or what the fit did not see.
        return (Column(f"predicted_{label}", "double"),)
    if returns is Returns.QUANTILES:
        return (_sure(f"predicted_{label}", "double"), _sure("quantiles", "map<string,double>"))
    predicted = _sure(f"predicted_{label}", label_type or "")
    if returns is Returns.SCORES:
        scores = () if class_count in (None, 2) else (_sure("scores", "map<string,double>"),)
        return (predicted, _sure("score", "double"), *scores)
    if returns is Returns.CLASS or class_count is None:
        return (predicted,)
    if class_count == 2:
        return (predicted, _sure("probability", "double"))
    return (predicted, _sure("confidence", "double"), _sure("probabilities", "map<string,double>"))


def explanation_columns(explain: int | None) -> tuple[Column, ...]:
    """Return the columns that a prediction adds beside (without a prefix) when it is explained; None: it is not."""
    if explain is None:
        return ()
    return (
        _sure("explanation", "array<struct<feature:string,value:string,contribution:double>>"),
        _sure("base_value", "double"),
        _sure("other_contributions", "double"),
    )


def _sure(name: str, data_type: str) -> Column:
    return Column(name, data_type, is_nullable=False)


def as_returned_by(
    estimator: Estimator, columns: tuple[Column, ...], for_each: ForEach | None = None
) -> tuple[Column, ...]:
    """Return the columns that predictions of `estimator` add; of one that is not Spark's own nothing is sure.

    Args:
        for_each: of the ML model: rows of values without a fitted model may be predicted null.
    """
    has_others = for_each is not None and for_each.others == "keep"
    is_sure = not estimator.is_foreign and not estimator.is_partial and not has_others
    return columns if is_sure else tuple([replace(column, is_nullable=True) for column in columns])


_OF_CLUSTERS = {
    Returns.DISTANCE: (_sure("cluster", "int"), _sure("distance", "double")),
    Returns.MIXTURE: (_sure("cluster", "int"), _sure("probabilities", "map<int,double>")),
    # A document without any known word has no topic, and one with a number that is no count no shares either.
    Returns.TOPICS: (Column("cluster", "int"), Column("probabilities", "map<int,double>")),
    Returns.CLUSTER: (_sure("cluster", "int"),),
}


def class_count_of(ml_model: MlModel, estimator: Estimator, label_type: str | None) -> int | None:
    """Return how many classes a classifier must have to be fitted at all; None: its rows decide."""
    is_binary = ml_model.positive is not None or ml_model.has_threshold
    return 2 if is_binary or estimator.max_classes == 2 or label_type == "boolean" else None


def has_all_outputs(estimator: Estimator, class_count: int | None) -> bool:
    """Return whether `output_columns` gives all columns there will be."""
    if estimator.is_foreign:
        return estimator.returns is Returns.VALUE
    return not estimator.returns.has_classes or class_count is not None
