"""What a crash left -> a clean warehouse: garbage folders, links, runs without an end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from sqlml.persist.clock import now
from sqlml.persist.database import Database
from sqlml.persist.tables import BEGUN, OUTPUTS, RUNS
from sqlml.persist.warehouse import Warehouse

_BUILDS_KEPT = 2
"""The current build of a relation and the one before, which a reader may still have open."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was put right.

    Attributes:
        removed: folders of builds and versions that were never published, absolute.
        relinked: folders of the tables whose `current` link was wrong, absolute.
        crashed_runs: ids of runs that had no end.
    """

    removed: tuple[str, ...] = ()
    relinked: tuple[str, ...] = ()
    crashed_runs: tuple[str, ...] = ()


def clean_up(
    database: Database, warehouse: Warehouse, schema: str, own: Collection[Path], own_runs: Collection[str]
) -> Recovery:
    """Clean up after builds of a schema that crashed. Only for who holds its lock.

    Removed are only folders that the state knows as begun and never published: what else lies in the warehouse
    (say, after the state was lost) stays, and what belongs to another schema, where another build may be running.

    Args:
        database: the state.
        warehouse: its folders.
        own: folders that this process is writing.
        own_runs: ids of this process's runs.
    """
    with database.read() as connection:
        if connection is None:
            return Recovery()
        locations = connection.scalars(select(BEGUN.c["location"]))
        begun = [warehouse.absolute(location) for location in locations if warehouse.is_of(schema, location)]
        mine = (RUNS.c["status"] == "running", RUNS.c["schema"] == schema)
        running = connection.scalars(select(RUNS.c["run_id"]).where(*mine))
        crashed = tuple(run_id for run_id in running if run_id not in own_runs)
        names = list(connection.scalars(select(OUTPUTS.c["name"]).where(OUTPUTS.c["schema"] == schema).distinct()))
        stale = [name for name in names if stale_builds(connection, schema, name)]
        links = _links(connection, warehouse, schema)
    removed = tuple(folder for folder in begun if folder not in own and warehouse.remove(folder))
    if removed or crashed:
        with database.write() as connection:
            forget_begun(connection, warehouse, removed)
            _end_runs(connection, crashed)
    for name in stale:
        prune_builds(database, warehouse, schema, name)
    warehouse.remove_half_made_links(schema)
    relinked = [
        str(warehouse.table(schema, name)) for name, build in links if warehouse.link_current(schema, name, build)
    ]
    return Recovery(tuple(map(str, removed)), tuple(relinked), crashed)


def prune_builds(database: Database, warehouse: Warehouse, schema: str, name: str) -> None:
    """Remove the folders of a relation's `stale_builds`."""
    with database.read() as connection:
        stale = {} if connection is None else stale_builds(connection, schema, name)
    gone = [
        number
        for number, location in stale.items()
        if location is None or warehouse.remove(warehouse.absolute(location))
    ]
    if gone:
        with database.write() as connection:
            connection.execute(update(OUTPUTS).where(OUTPUTS.c["id"].in_(gone)).values(is_kept=False))


def stale_builds(connection: Connection, schema: str, name: str) -> dict[int, str | None]:
    """Return the ids and relative locations of a relation's builds that should be removed.

    The newest stay, and those that were the newest when a run of another schema began, which may read them until it
    ends.
    """
    query = (
        select(OUTPUTS.c["id"], OUTPUTS.c["location"], OUTPUTS.c["built_at"])
        .where(OUTPUTS.c["schema"] == schema, OUTPUTS.c["name"] == name, OUTPUTS.c["is_kept"])
        .order_by(OUTPUTS.c["id"].desc())
    )
    builds = list(connection.execute(query))
    if len(builds) <= _BUILDS_KEPT:
        return {}
    others = (RUNS.c["status"] == "running", RUNS.c["schema"] != schema)
    begun = connection.scalars(select(RUNS.c["started_at"]).where(*others))
    kept = {row.id for row in builds[:_BUILDS_KEPT]}
    for started_at in begun:
        there = [row for row in builds if _instant(row.built_at) <= _instant(started_at)]
        kept |= {row.id for row in there[:_BUILDS_KEPT]}
    return {row.id: row.location for row in builds if row.id not in kept}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def forget_begun(connection: Connection, warehouse: Warehouse, folders: Collection[Path]) -> None:
    """Note that `folders` are no longer being written."""
    locations = [warehouse.relative(folder) for folder in folders]
    connection.execute(delete(BEGUN).where(BEGUN.c["location"].in_(locations)))


def _end_runs(connection: Connection, run_ids: Collection[str]) -> None:
    connection.execute(update(RUNS).where(RUNS.c["run_id"].in_(run_ids)).values(status="crashed", finished_at=now()))


def _links(connection: Connection, warehouse: Warehouse, schema: str) -> list[tuple[str, Path | None]]:
    mine = (OUTPUTS.c["schema"] == schema, OUTPUTS.c["is_current"])
    current = select(OUTPUTS.c["name"], OUTPUTS.c["location"]).where(*mine)
    return [
        (row.name, None if row.location is None else warehouse.absolute(row.location))
        for row in connection.execute(current)
    ]
