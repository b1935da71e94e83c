"""What Spark ML demands of labels and features because of params: params in, the domain out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlml.ir.roles import Domain


def any_number(params: Mapping[str, Any]) -> Domain:
    """Return that every finite number will do."""
    return Domain.ANY


def glm_labels(params: Mapping[str, Any]) -> Domain:
    """Return what labels the family of a generalized linear regression can have come from."""
    family = _word(params, "family", "gaussian")
    if family == "tweedie":
        power = float(params.get("variancePower", 0.0))
        # A compound Poisson has zeros, from 2 on (gamma, inverse gaussian) there are none.
        return Domain.ANY if power < 1 else Domain.NON_NEGATIVE if power < 2 else Domain.POSITIVE
    return {"binomial": Domain.SHARE, "poisson": Domain.NON_NEGATIVE, "gamma": Domain.POSITIVE}.get(family, Domain.ANY)


def naive_bayes_features(params: Mapping[str, Any]) -> Domain:
    """Return what the feature vector of naive Bayes may hold."""
    kind = _word(params, "modelType", "multinomial")
    return {"gaussian": Domain.ANY, "bernoulli": Domain.ZERO_ONE}.get(kind, Domain.NON_NEGATIVE)


def _word(params: Mapping[str, Any], name: str, default: str) -> str:
    # Spark compares these without case.
    return str(params.get(name, default)).lower()
