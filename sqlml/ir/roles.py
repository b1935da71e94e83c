"""The roles that a column may have for an estimator: one entry each, with what Spark calls it and what it may hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Domain(StrEnum):
    """What numbers a column may hold; the value is the rule in words."""

    ANY = "any finite number"
    NON_NEGATIVE = "0 or more"
    POSITIVE = "above 0"
    SHARE = "from 0 to 1"
    ZERO_ONE = "0 or 1"
    ID = "any one value"
    LIST = "an array of values"

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self not in (Domain.ID, Domain.LIST)


@dataclass(frozen=True, slots=True)
class Role:
    """A role.

    Attributes:
        key: the key of an ML model's entry, and the field of `MlModel`.
        name: in messages.
        param: Spark's param that takes the column's name.
        about: what it says, for the documentation.
        domain: what it may hold; an estimator may want less of its label.
        is_needed: whether an estimator that knows the role cannot do without it.
        is_read_by_predictions: whether a prediction needs the column too.
    """

    key: str
    name: str
    param: str
    about: str
    domain: Domain = Domain.ANY
    is_needed: bool = False
    is_read_by_predictions: bool = False


# `keys` and `event_time` are not among them: no estimator of Spark's reads those.
ROLES: dict[str, Role] = {
    entry.key: entry
    for entry in (
        Role("label", "label", "labelCol", "what is learnt", is_needed=True),
        Role("weight", "weight", "weightCol", "how much a row counts in the fit", Domain.NON_NEGATIVE),
        Role(
            "offset",
            "offset",
            "offsetCol",
            "what is known to add to the linear predictor, such as the log of an exposure",
            is_read_by_predictions=True,
        ),
        # Spark's meaning, which others call the event.
        Role(
            "censor",
            "censor",
            "censorCol",
            "1 (or true) where it happened, 0 where it had not happened yet",
            Domain.ZERO_ONE,
            is_needed=True,
        ),
        Role("user", "user", "userCol", "who rates", Domain.ID, is_needed=True, is_read_by_predictions=True),
        Role("item", "item", "itemCol", "what is rated", Domain.ID, is_needed=True, is_read_by_predictions=True),
        # It is the label too: what is said of labels holds for it.
        Role("rating", "rating", "ratingCol", "how much the user likes the item; it is the label", is_needed=True),
        Role(
            "items",
            "list of items",
            "itemsCol",
            "what occurs together; repeats count once",
            Domain.LIST,
            is_needed=True,
            is_read_by_predictions=True,
        ),
    )
}
