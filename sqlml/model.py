"""sqlml model: list, show, tag, promote and roll back the versions of ML models; no JVM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlml.build import Request, load_dag, open_project_store
from sqlml.errors import CommandError, suggest
from sqlml.ir.explanations import Row
from sqlml.ir.state import CHAMPION, Alias, Snapshot, Version, is_alias
from sqlml.predict import find_version, find_versions


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """A version, the aliases that point to it, and, where they were asked for, the tables that explain it."""

    version: Version
    aliases: tuple[Alias, ...]
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)


def list_versions(request: Request) -> tuple[VersionInfo, ...]:
    """Return every version of every ML model, by name and number."""
    dag = load_dag(request)
    snapshot = open_project_store(dag.project).snapshot()
    return tuple(_info(snapshot, version) for name in sorted(snapshot.versions) for version in snapshot.versions[name])


def show_version(request: Request, ml_model: str, version: str | None) -> VersionInfo:
    """Return one version with its tables: by number or alias, None for the champion or else the newest.

    Raises:
        CommandError: there is none.
        StateError: a table that explains it cannot be read.
    """
    from sqlml.persist.version_tables import read_tables

    dag = load_dag(request)
    snapshot = open_project_store(dag.project).snapshot()
    if version is None and snapshot.champion(ml_model) is None and (latest := snapshot.latest(ml_model)):
        version = str(latest.version)
    found = find_version(dag, snapshot, ml_model, version)
    return replace(_info(snapshot, found), tables=read_tables(found))


def promote(request: Request, ml_model: str, version: str) -> VersionInfo:
    """Make a version the champion and unpin it, so that later versions which pass their gates follow.

    Raises:
        CommandError: there is no such version.
        StateError: a build holds the lock.
    """
    return _move(request, ml_model, version, CHAMPION, "promote")


def roll_back(request: Request, ml_model: str, version: str | None) -> VersionInfo:
    """Make an earlier version the champion, None for the champion before this one, and pin it until someone promotes.

    Raises:
        CommandError: there is no such version, or no champion before.
        StateError: a build holds the lock.
    """
    if version is None:
        dag = load_dag(request)
        store = open_project_store(dag.project)
        snapshot = store.snapshot()
        find_versions(dag, snapshot, ml_model)
        current = snapshot.alias(ml_model, CHAMPION)
        moves = [alias.version for alias, _ in store.alias_moves(ml_model, CHAMPION)]
        earlier = [number for number in moves if current is None or number != current.version]
        if not earlier:
            raise CommandError(
                f"'{ml_model}' has had no other champion to roll back to", fix="name a version with --to NUMBER"
            )
        version = str(earlier[0])
    return _move(request, ml_model, version, CHAMPION, "rollback", is_pinned=True)


def tag(request: Request, ml_model: str, version: str, alias: str) -> VersionInfo:
    """Let an alias point to a version, whatever it pointed to before.

    Raises:
        CommandError: there is no such version; the alias is the champion's, or could be taken for a number.
        StateError: a build holds the lock.
    """
    if alias == CHAMPION:
        raise CommandError(
            f"'{CHAMPION}' is the alias that predictions use, and no tag",
            fix=f"run: sqlml model promote {ml_model} {version}",
        )
    if not is_alias(alias):
        raise CommandError(
            f"'{alias}' cannot be an alias", fix="begin with a letter, and go on with letters, digits, '_', '-' and '.'"
        )
    return _move(request, ml_model, version, alias, "tag")


def untag(request: Request, ml_model: str, alias: str) -> VersionInfo:
    """Take an alias away from the version that bears it.

    Raises:
        CommandError: no version bears it, or it is the champion's.
        StateError: a build holds the lock.
    """
    if alias == CHAMPION:
        raise CommandError(f"'{CHAMPION}' cannot be taken away", fix="promote another version")
    dag = load_dag(request)
    store = open_project_store(dag.project)
    with store.lock("sqlml model tag"):
        snapshot = store.snapshot()
        find_versions(dag, snapshot, ml_model)
        there = snapshot.alias(ml_model, alias)
        if there is None:
            borne = [entry.alias for entry in snapshot.aliases.get(ml_model, ()) if entry.alias != CHAMPION]
            raise CommandError(f"no version of '{ml_model}' bears '{alias}'", fix=suggest(alias, borne, "there are"))
        store.remove_alias(ml_model, alias)
        return _info(store.snapshot(), find_version(dag, snapshot, ml_model, str(there.version)))


def _move(
    request: Request, ml_model: str, asked: str, alias: str, verb: str, *, is_pinned: bool = False
) -> VersionInfo:
    dag = load_dag(request)
    store = open_project_store(dag.project)
    with store.lock(f"sqlml model {verb}"):
        found = find_version(dag, store.snapshot(), ml_model, asked)
        store.move_alias(ml_model, Alias(alias, found.version, is_pinned))
        return _info(store.snapshot(), found)


def _info(snapshot: Snapshot, version: Version) -> VersionInfo:
    aliases = snapshot.aliases.get(version.ml_model, ())
    return VersionInfo(version, tuple(alias for alias in aliases if alias.version == version.version))
