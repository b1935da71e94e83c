"""Explains a fitted model with the features' names: Spark's model and the slots' names in, rows of tables out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from sqlml.ir.estimators import Estimator
from sqlml.ir.explanations import BIAS, INTERCEPT, PRIOR, SCALE, Row


@dataclass(frozen=True, slots=True)
class Named:
    """What Spark's numbers are about.

    Attributes:
        slots: names of the feature vector's slots.
        features: for each slot the columns that it comes from.
        classes: texts of the label's values, by class index; empty unless a classifier.
    """

    slots: tuple[str, ...]
    features: tuple[tuple[str, ...], ...]
    classes: tuple[str, ...] = ()

    def rows(self, column: str, values: Sequence[float], **constants: Any) -> Iterator[dict[str, Any]]:
        """Yield one row per slot, its value in `column`."""
        for slot, features, value in zip(self.slots, self.features, values, strict=True):
            yield {**constants, "slot": slot, "feature": ", ".join(features), column: float(value)}


def explain(fitted: Any, entry: Estimator, named: Named) -> dict[str, list[Row]]:
    """Return the rows of each table that `entry` explains by."""
    if entry.over is None:
        return {table: list(_TABLES[table](fitted, named)) for table in entry.explains}
    tables: dict[str, list[Row]] = {table: [] for table in entry.explains}
    for text, model in zip(named.classes, fitted.models, strict=True):
        for table, rows in explain(model, entry.over, replace(named, classes=(f"not {text}", text))).items():
            tables[table] += [{**row, "class": row.get("class") or text} for row in rows]
    return tables


def summarize(fitted: Any) -> dict[str, Any]:
    """Return what Spark remembers of a fit by Spark's names; numbers that this fit does not have are left out."""
    if not getattr(fitted, "hasSummary", False):
        return {}
    summary = fitted.summary
    return {name: value for name in _SUMMARY if (value := _of_summary(summary, name)) is not None}


_SUMMARY = (
    "totalIterations",
    "numIterations",
    "numIter",
    "objectiveHistory",
    "trainingCost",
    "logLikelihood",
    "rank",
    "degreesOfFreedom",
    "residualDegreeOfFreedom",
    "residualDegreeOfFreedomNull",
    "deviance",
    "nullDeviance",
    "dispersion",
    "aic",
)


def _of_summary(summary: Any, name: str) -> Any:
    """Return a number or list of Spark's summary; None where this fit has none."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        value = getattr(summary, name, None)
    # Only asking tells: p-values need a solver that inverts, an AIC a likelihood.
    except (PySparkException, Py4JJavaError):
        return None
    return value if value is None or isinstance(value, int | float) else [float(part) for part in value]


def _coefficients(fitted: Any, named: Named) -> Iterator[Row]:
    if hasattr(fitted, "coefficientMatrix"):
        yield from _by_class(fitted, named)
        return
    if hasattr(fitted, "linear"):
        yield from named.rows("coefficient", fitted.linear.toArray())
        yield {"slot": INTERCEPT, "coefficient": float(fitted.intercept)}
        return
    summary = fitted.summary if getattr(fitted, "hasSummary", False) else None
    inference = {
        column: _of_summary(summary, name)
        for column, name in (
            ("standard_error", "coefficientStandardErrors"),
            ("t_value", "tValues"),
            ("p_value", "pValues"),
        )
    }
    rows = [*named.rows("coefficient", fitted.coefficients.toArray())]
    rows.append({"slot": INTERCEPT, "coefficient": float(fitted.intercept)})
    for at, row in enumerate(rows):
        # Without an intercept Spark has no numbers of it.
        yield row | {column: values[at] for column, values in inference.items() if values and at < len(values)}
    if hasattr(fitted, "scale") and hasattr(fitted, "quantileProbabilities"):
        yield {"slot": SCALE, "coefficient": float(fitted.scale)}


def _by_class(fitted: Any, named: Named) -> Iterator[Row]:
    matrix, intercepts = fitted.coefficientMatrix.toArray(), fitted.interceptVector.toArray()
    texts = named.classes if len(matrix) > 1 else (None,)
    for text, values, intercept in zip(texts, matrix, intercepts, strict=True):
        yield from named.rows("coefficient", values, **{"class": text})
        yield {"class": text, "slot": INTERCEPT, "coefficient": float(intercept)}


def _importances(fitted: Any, named: Named) -> Iterator[Row]:
    return named.rows("importance", fitted.featureImportances.toArray())


def _likelihoods(fitted: Any, named: Named) -> Iterator[Row]:
    theta, sigma = fitted.theta.toArray(), fitted.sigma.toArray()
    for at, text in enumerate(named.classes):
        for number, row in enumerate(named.rows("theta", theta[at], **{"class": text})):
            yield row | ({"sigma": float(sigma[at][number])} if len(sigma) else {})
        yield {"class": text, "slot": PRIOR, "theta": float(fitted.pi[at])}


def _network(fitted: Any, named: Named) -> Iterator[Row]:
    sizes, weights = [int(size) for size in fitted.getLayers()], fitted.weights.toArray()
    nodes = [named.slots, *[tuple(map(str, range(size))) for size in sizes[1:-1]], named.classes]
    position = 0
    # Spark's order: for each layer the matrix (outputs by inputs, column by column), then the biases.
    for layer, (sources, targets) in enumerate(pairwise(nodes)):
        for source in (*sources, BIAS):
            for target in targets:
                yield {"layer": layer, "source": source, "target": target, "weight": float(weights[position])}
                position += 1


def _factors(fitted: Any, named: Named) -> Iterator[Row]:
    for number, values in enumerate(fitted.factors.toArray().T):
        yield from named.rows("value", values, factor=number)


def _boundaries(fitted: Any, named: Named) -> Iterator[Row]:
    for boundary, prediction in zip(fitted.boundaries, fitted.predictions, strict=True):
        yield {"boundary": float(boundary), "prediction": float(prediction)}


def _centres(fitted: Any, named: Named) -> Iterator[Row]:
    if hasattr(fitted, "gaussians"):
        centres = [gaussian.mean for gaussian in fitted.gaussians]
    else:
        centres = fitted.clusterCenters()
    for cluster, centre in enumerate(centres):
        yield from named.rows("centre", centre, cluster=cluster)


def _covariances(fitted: Any, named: Named) -> Iterator[Row]:
    for cluster, (share, gaussian) in enumerate(zip(fitted.weights, fitted.gaussians, strict=True)):
        for slot, values in zip(named.slots, gaussian.cov.toArray(), strict=True):
            for other, value in zip(named.slots, values, strict=True):
                row = {"cluster": cluster, "share": float(share), "slot": slot, "other_slot": other}
                yield row | {"covariance": float(value)}


def _topics(fitted: Any, named: Named) -> Iterator[Row]:
    for topic, weights in enumerate(fitted.topicsMatrix().toArray().T):
        yield from named.rows("weight", weights, topic=topic)


_TABLES: Mapping[str, Callable[[Any, Named], Iterator[Row]]] = {
    "coefficients": _coefficients,
    "importances": _importances,
    "likelihoods": _likelihoods,
    "network": _network,
    "factors": _factors,
    "boundaries": _boundaries,
    "centres": _centres,
    "covariances": _covariances,
    "topics": _topics,
}
