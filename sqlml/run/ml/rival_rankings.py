"""Measures what two ALS models recommend to the same users: both and held-out pairs in, values and intervals out.

Users and items are compared by their texts, since every fit numbers them anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlml.ir.gates import measured_places
from sqlml.ir.project import MlModel
from sqlml.ir.state import Column
from sqlml.run.ml.evaluation.comparing import Paired, draw_buckets
from sqlml.run.ml.evaluation.rows import collect_groups, parts_sql
from sqlml.run.ml.layout import persisted
from sqlml.run.ml.ranking import OTHER_RANKS, RANKS, group_users, mean_values
from sqlml.run.ml.recommend import ITEM, USER, Asked, Ids, best
from sqlml.run.ml.role_stages import id_text, text_column
from sqlml.run.ml.seen_rows import SEEN
from sqlml.run.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

USER_TEXT, ITEM_TEXT = text_column("user"), text_column("item")
_TEXTS = {USER_TEXT: USER, ITEM_TEXT: ITEM}


@dataclass(frozen=True, slots=True)
class Recommender:
    """A candidate that recommends.

    Attributes:
        training, held_out: the rows of the relation that it was fitted on, and those held out with what they carry.
    """

    ids: Ids
    ml_model: MlModel
    training: DataFrame
    held_out: DataFrame


def compare_rankings(candidate: Recommender, rival: Ids, parts: Collection[str]) -> Mapping[str, Paired]:
    """Return what was measured of what both recommend to the users of held-out rows, for each of the slices `parts`.

    Relevant is what `ranking.rank_metrics` takes for it, but for pairs that the rival was fitted on. Neither may
    recommend these to the user, nor what the candidate was fitted on. Users whom one of the two does not know are left
    out.

    Args:
        candidate: its held-out rows say by `SEEN` whether the rival was fitted on one.
    """
    places, held_out = measured_places(candidate.ml_model), candidate.held_out
    with ExitStack() as stack:
        relevant = persisted(stack, _relevant(candidate, held_out.where(f"NOT {SEEN}")))
        users = relevant.select(USER).distinct()
        for ids in (candidate.ids, rival):
            users = _known(ids, users)
        users = persisted(stack, users)
        pairs = [_pairs(rows, candidate.ml_model) for rows in (candidate.training, held_out.where(SEEN))]
        seen = persisted(stack, pairs[0].unionAll(pairs[1]).join(users, USER, "left_semi").distinct())
        shown = [
            _recommend(ids, users, seen, places[-1], stack).selectExpr("*", f"{is_other} AS is_other")
            for ids, is_other in ((candidate.ids, "false"), (rival, "true"))
        ]
        wanted = relevant.join(users, USER, "left_semi")
        grouped = group_users(persisted(stack, shown[0].unionAll(shown[1])), wanted, places)
        groups = collect_groups(grouped.selectExpr("'holdout' AS dataset", "*"), ("bucket",))
    draws = draw_buckets()
    found = {}
    for (_, part), one in groups.items():
        if part in parts:
            weights = draws[:, one["bucket"].astype(int)]
            now, drawn_now = mean_values(one, places, RANKS, weights)
            was, drawn_was = mean_values(one, places, OTHER_RANKS, weights)
            found[part] = Paired(int(one["n"].sum()), now, was, drawn_now, drawn_was)
    return found


def _pairs(rows: DataFrame, ml_model: MlModel, *more: str) -> DataFrame:
    """Return the texts of users and items under the roles' names."""
    columns = ml_model.role_columns
    return rows.selectExpr(*more, f"{id_text(columns['user'])} AS {USER}", f"{id_text(columns['item'])} AS {ITEM}")


def _relevant(candidate: Recommender, held_out: DataFrame) -> DataFrame:
    ml_model = candidate.ml_model
    if ml_model.relevant_from is not None:
        held_out = held_out.where(
            f"CAST({quote(ml_model.label or '')} AS DOUBLE) >= {float(ml_model.relevant_from)!r}D"
        )
    return _pairs(held_out, ml_model, f"explode({parts_sql(held_out)}) AS slice").distinct()


def _known(ids: Ids, users: DataFrame) -> DataFrame:
    """Return those of the users that a fit knows."""
    return _index(ids, users).select(USER_TEXT).withColumnRenamed(USER_TEXT, USER)


def _index(ids: Ids, rows: DataFrame) -> DataFrame:
    """Return rows of texts with the indexes of a fit instead, the texts beside them; unknown ones are left out."""
    for text, name in _TEXTS.items():
        if name in rows.columns:
            rows = rows.withColumnRenamed(name, text)
    indexed = ids.indexer.transform(rows)
    sides = [name for name in (USER, ITEM) if name in indexed.columns]
    known = [f"{name} < {ids.count('user' if name == USER else 'item')}" for name in sides]
    found: DataFrame = indexed.where(" AND ".join(known)).selectExpr(
        *rows.columns, *[f"CAST({name} AS INT) AS {name}" for name in sides]
    )
    return found


def _recommend(ids: Ids, users: DataFrame, seen: DataFrame, top: int, stack: ExitStack) -> DataFrame:
    """Return the texts of the `top` items for each user, with their `rank`."""
    wanted = _index(ids, users).select(USER)
    found = best(ids, Asked("user", top, wanted, _index(ids, seen).select(USER, ITEM)), stack)
    named = ids.name(found, "user", USER, Column(USER_TEXT, "string"))
    named = ids.name(named, "item", ITEM, Column(ITEM_TEXT, "string"))
    return named.selectExpr(f"{USER_TEXT} AS {USER}", f"{ITEM_TEXT} AS {ITEM}", "rank")
