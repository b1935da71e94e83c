"""Params that contradict each other, each valid by itself: what Spark refuses at the fit, or takes no notice of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.spark_params import spark_params

Conflict = tuple[str, str, str]
"""The param to show, what is wrong, and the fix."""


def find_conflicts(stage: str, params: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield what contradicts itself in the `params` that were given for a Spark ML class, each valid by itself."""
    defaults = {name: param.default for name, param in spark_params(stage).items()}
    if "thresholds" in params:
        yield from _check_thresholds(stage, params)
    if stage in _RULES:
        yield from _RULES[stage](params, {**defaults, **params})


def _check_thresholds(stage: str, given: Mapping[str, Any]) -> Iterator[Conflict]:
    entry, count = ESTIMATORS.get(stage), len(given["thresholds"])
    if entry is not None and entry.max_classes is not None and count != entry.max_classes:
        what = f"param 'thresholds' has {count} numbers, and '{stage}' knows {entry.max_classes} classes"
        yield "thresholds", what, "write one number for each class, lower ones for classes to be predicted more often"
    elif count < 2:
        yield "thresholds", f"param 'thresholds' has {count} numbers, and there are two classes at least", "add one"


_BOUNDS = tuple(f"{side}BoundsOn{what}" for what in ("Coefficients", "Intercepts") for side in ("lower", "upper"))


def _check_logistic(given: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Conflict]:
    bounds = [name for name in _BOUNDS if name in given]
    if bounds and params["elasticNetParam"] != 0:
        yield bounds[0], f"'{bounds[0]}' goes with no L1 regularization", "remove elasticNetParam"
    for name in bounds if not params["fitIntercept"] else ():
        if name.endswith("Intercepts"):
            yield name, f"'{name}' means nothing with 'fitIntercept: false'", "remove it"
    if "threshold" not in given or "thresholds" not in given:
        return
    threshold, pair = given["threshold"], given["thresholds"]
    meant = 1 / (1 + pair[0] / pair[1]) if len(pair) == 2 and pair[1] else 0.0
    # Spark's own tolerance.
    if len(pair) != 2 or abs(meant - threshold) >= 1e-5:
        what = "params 'threshold' and 'thresholds' say different things"
        yield "thresholds", what, "remove one: 'threshold' is for two classes, 'thresholds' for any number"


def _check_linear(given: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Conflict]:
    if params["loss"] != "huber":
        if "epsilon" in given:
            yield "epsilon", "'epsilon' means nothing without 'loss: huber'", "remove it, or write loss: huber"
        return
    if params["solver"] == "normal":
        yield "solver", "'loss: huber' cannot be solved with 'solver: normal'", "write solver: auto or l-bfgs"
    if params["elasticNetParam"] != 0:
        yield "elasticNetParam", "'loss: huber' takes no L1 regularization", "remove elasticNetParam"


_LINKS = {
    "gaussian": ("identity", "log", "inverse"),
    "binomial": ("logit", "probit", "cloglog"),
    "poisson": ("log", "identity", "sqrt"),
    "gamma": ("inverse", "identity", "log"),
}


def _check_generalized(given: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Conflict]:
    family, link = params["family"].lower(), given.get("link", "").lower()
    if link and family == "tweedie":
        yield "link", "'link' means nothing to 'family: tweedie'", "write linkPower: 0 for a log link"
    for power in ("variancePower", "linkPower"):
        if power in given and family != "tweedie":
            yield power, f"'{power}' means nothing to 'family: {family}'", "remove it, or write family: tweedie"
    if link and family in _LINKS and link not in _LINKS[family]:
        links = ", ".join(_LINKS[family])
        yield "link", f"'family: {family}' has no 'link: {link}'", f"it has: {links} (the first is what it takes)"


def _check_lda(given: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Conflict]:
    is_em = params["optimizer"].lower() == "em"
    document, topic = given.get("docConcentration"), given.get("topicConcentration")
    if document is not None and len(document) not in (1, params["k"]):
        what = f"param 'docConcentration' has {len(document)} numbers, and there are {params['k']} topics ('k')"
        yield "docConcentration", what, "write one number, or one for each topic"
    elif is_em and len(set(document or ())) > 1:
        yield "docConcentration", "'optimizer: em' takes one 'docConcentration' for all topics", "write one number"
    for name, numbers in (("docConcentration", document or ()), ("topicConcentration", (topic,))):
        if is_em and any(number is not None and number <= 1 for number in numbers):
            yield name, f"'optimizer: em' takes a '{name}' above 1 only", "raise it, or write optimizer: online"


def _check_ends(low: str, high: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Conflict]]:
    def check(given: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Conflict]:
        if params[low] >= params[high]:
            shown = low if low in given else high
            what = f"param '{low}' must be less than '{high}', and {params[low]} is not less than {params[high]}"
            yield shown, what, f"write a smaller '{low}' or a greater '{high}'"

    return check


def _check_selector(given: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Conflict]:
    pair = (given.get("featureType"), given.get("labelType"))
    if pair == ("categorical", "continuous"):
        what = "'featureType: categorical' has no test for 'labelType: continuous'"
        yield "featureType", what, "there are: categorical for both, continuous for both, continuous features alone"
    mode, threshold = params["selectionMode"], given.get("selectionThreshold")
    if threshold is None:
        return
    if mode == "numTopFeatures" and (threshold < 1 or threshold != int(threshold)):
        what = f"'selectionMode: {mode}' takes a whole 'selectionThreshold' of 1 or more, not {threshold}"
        yield "selectionThreshold", what, "write how many features to keep, or another selectionMode"
    if mode != "numTopFeatures" and not 0 <= threshold <= 1:
        what = f"'selectionMode: {mode}' takes a 'selectionThreshold' from 0 to 1, not {threshold}"
        yield "selectionThreshold", what, "write a share, or selectionMode: numTopFeatures"


_RULES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Conflict]]] = {
    "LogisticRegression": _check_logistic,
    "LinearRegression": _check_linear,
    "GeneralizedLinearRegression": _check_generalized,
    "LDA": _check_lda,
    "MinMaxScaler": _check_ends("min", "max"),
    "RobustScaler": _check_ends("lower", "upper"),
    "UnivariateFeatureSelector": _check_selector,
}
"""Class of Spark ML to its check; of the params that were given, and of all with the defaults."""
