"""Makes the stages of estimators without features: training rows in, fitted stages to the columns they read out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlml.ir.estimators import Estimator, Problem
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.ir.project import MlModel
from sqlml.ir.signatures import INTEGERS
from sqlml.run.ml.estimator import role_column
from sqlml.run.ml.features import FeatureStages
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ID_ROLES = ("user", "item")
"""The roles of ids, in the order of the indexer's columns."""


def fit_role_stages(rows: DataFrame, ml_model: MlModel, entry: Estimator) -> FeatureStages:
    """Return the stages from a relation's columns to those that `entry` reads by role.

    An id of any type is indexed by its text; one that no training row has, and null, get the index after the last. Of
    a list of items nulls and repeats are left out.
    """
    from pyspark.ml.feature import SQLTransformer, StringIndexer

    columns = ml_model.role_columns
    if entry.problem is Problem.PATTERNS:
        # Spark fails on repeats, and takes a null for an item.
        distinct = f"array_distinct(array_compact({quote(columns['items'])}))"
        statement = f"SELECT *, {distinct} AS {role_column('items')} FROM __THIS__"
        return FeatureStages((SQLTransformer(statement=statement),), (), (), {}, {})
    texts = ", ".join(f"{id_text(columns[key])} AS {text_column(key)}" for key in ID_ROLES)
    cast = SQLTransformer(statement=f"SELECT *, {texts} FROM __THIS__")
    indexer = StringIndexer(
        inputCols=[text_column(key) for key in ID_ROLES],
        outputCols=[role_column(key) for key in ID_ROLES],
        handleInvalid="keep",
    )
    return FeatureStages((cast, indexer.fit(cast.transform(rows))), (), (), {}, {})


def id_text(column: str, data_type: str = "") -> str:
    """Return the SQL of the text by which an id is indexed.

    Args:
        data_type: the Spark type that it had at the fit, where the column may now be of a narrower one.
    """
    # All integers are written alike, and a wide one may not fit into a narrow type.
    value = f"CAST({quote(column)} AS {data_type})" if data_type and data_type not in INTEGERS else quote(column)
    return f"CAST({value} AS STRING)"


def text_column(key: str) -> str:
    """Return the name of the column that holds the text of an id."""
    return f"{INTERNAL_PREFIX}{key}_text"
