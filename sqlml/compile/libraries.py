"""Looks for the optional libraries that the fits of a plan need: steps in, what is not installed out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from sqlml.errors import EnvironmentFault
from sqlml.ir.dag import MlNode
from sqlml.ir.plan import Action, Step


def find_missing_libraries(steps: Iterable[Step]) -> Iterator[EnvironmentFault]:
    """Yield an error for each ML model that is to be tuned by a library which is not there."""
    for step in steps:
        node = step.node
        tuning = node.ml_model.tuning if isinstance(node, MlNode) and step.action is not Action.KEEP else None
        if tuning is not None and tuning.search == "bayes" and find_spec("optuna") is None:
            yield EnvironmentFault(
                f"ml model '{node.name}' is tuned with 'search: bayes', which needs Optuna, and it is not installed",
                node.places.value_of("tune.search"),
                "install it beside sqlml: pip install 'sqlml[tune]'; or write search: random",
            )
