"""The tables that explain a fitted model: one entry each, with the columns they have.

They lie in the folder `tables` of a version, one JSON object a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlml.ir.state import Column

TABLES_FOLDER = "tables"
INTERCEPT = "(intercept)"
SCALE = "(scale)"
PRIOR = "(prior)"
BIAS = "(bias)"

Row = Mapping[str, Any]
"""A row of such a table by column; what is missing is null."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A table that explains.

    Attributes:
        about: one line for the documentation.
        columns: in order. `slot` is a name of the feature vector's slots (`carrier=UA`), `feature` the column that it
            comes from (of several, all of them: `lat, lon`), `class` a value of the label; it is null where there is
            one row for all classes.
        weight: the column by whose size rows are shown; none: they are shown in order.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    weight: str = ""


SLICE = Column("slice", "string")
"""With `for_each:` the value whose fitted model a row is about, as metrics name it; else empty."""


def _columns(**types: str) -> tuple[Column, ...]:
    return (SLICE, *[Column(name.rstrip("_"), data_type) for name, data_type in types.items()])


EXPLANATIONS: dict[str, Explanation] = {
    entry.name: entry
    for entry in (
        Explanation(
            "coefficients",
            "Weights of a linear predictor, and of what it starts from: `(intercept)`, and the `(scale)` of a survival "
            "regression. Where Spark has them, with standard error, t (or z) value and p-value.",
            _columns(
                class_="string",
                slot="string",
                feature="string",
                coefficient="double",
                standard_error="double",
                t_value="double",
                p_value="double",
            ),
            "coefficient",
        ),
        Explanation(
            "importances",
            "How much each feature's splits gained, summing to 1.",
            _columns(class_="string", slot="string", feature="string", importance="double"),
            "importance",
        ),
        Explanation(
            "likelihoods",
            "What naive Bayes learnt of each class: Spark's `theta` (log of a probability; gaussian: the mean), "
            "`sigma` (gaussian: the variance), and the log of the class's share as `(prior)`.",
            _columns(class_="string", slot="string", feature="string", theta="double", sigma="double"),
        ),
        Explanation(
            "network",
            "Weights of a neural network: from a node of a layer (from 0; a slot, a number or `(bias)`) to a node of "
            "the next (a number or a class).",
            _columns(class_="string", layer="int", source="string", target="string", weight="double"),
            "weight",
        ),
        Explanation(
            "factors",
            "The vectors whose products are the weights of pairs of features.",
            _columns(class_="string", slot="string", feature="string", factor="int", value="double"),
        ),
        Explanation(
            "boundaries",
            "The points between which isotonic regression draws lines.",
            _columns(boundary="double", prediction="double"),
        ),
        Explanation(
            "centres",
            "Where the clusters are, in the units of the feature vector (scaled, if features were).",
            _columns(cluster="int", slot="string", feature="string", centre="double"),
        ),
        Explanation(
            "covariances",
            "How the slots of a cluster vary together; `share` is the cluster's weight in the mixture.",
            _columns(cluster="int", share="double", slot="string", other_slot="string", covariance="double"),
        ),
        Explanation(
            "topics",
            "How much each word weighs in each topic.",
            _columns(topic="int", slot="string", feature="string", weight="double"),
            "weight",
        ),
    )
}
