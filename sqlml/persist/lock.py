"""One build of a schema at a time: a file lock that dies with its process, and a row that says who holds it."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import delete, insert, select

from sqlml.errors import StateError
from sqlml.persist.clock import now
from sqlml.persist.database import Database
from sqlml.persist.tables import LOCK_HOLDER
from sqlml.persist.warehouse import Warehouse, folder_name

LOCK_FILE: Final = ".lock-"
"""What the name of a schema's lock file begins with."""


@contextmanager
def hold_lock(warehouse: Warehouse, database: Database, schema: str, command: str) -> Iterator[None]:
    """Hold the lock of a schema; other schemas of the warehouse are written at the same time.

    Raises:
        StateError: at once, if another process (or another store of this one) holds it, saying who; or if the
            warehouse cannot be written.
    """
    # Readers never need it.
    import filelock

    # Not per thread: the thread that ends a build need not be the one that began it.
    file_lock = filelock.FileLock(warehouse.root / (LOCK_FILE + folder_name(schema)), thread_local=False)
    with warehouse.explained():
        warehouse.root.mkdir(parents=True, exist_ok=True)
        try:
            file_lock.acquire(timeout=0)
        except filelock.Timeout:
            raise _held_by_another(database, schema) from None
    try:
        _write_holder(database, schema, command)
        try:
            yield
        finally:
            # The lock is what counts; what is wrong with the state has been said already.
            with suppress(StateError):
                _write_holder(database, schema, None)
    finally:
        file_lock.release()


def _write_holder(database: Database, schema: str, command: str | None) -> None:
    with database.write() as connection:
        connection.execute(delete(LOCK_HOLDER).where(LOCK_HOLDER.c["schema"] == schema))
        if command is not None:
            connection.execute(
                insert(LOCK_HOLDER).values(
                    schema=schema,
                    pid=os.getpid(),
                    host=socket.gethostname(),
                    user=_user(),
                    command=command,
                    since=now(),
                )
            )


def _held_by_another(database: Database, schema: str) -> StateError:
    mine = select(LOCK_HOLDER).where(LOCK_HOLDER.c["schema"] == schema)
    with database.read() as connection:
        holder = connection.execute(mine).first() if connection is not None else None
    if holder is None:
        # It has just begun, or is just ending.
        return StateError(
            f"another build is running in schema '{schema}' of this warehouse", fix="wait until it ends, then try again"
        )
    place = "" if holder.host == socket.gethostname() else f" on '{holder.host}'"
    return StateError(
        f"another build is running in schema '{schema}' of this warehouse: '{holder.command}' of user '{holder.user}', "
        f"process {holder.pid} on '{holder.host}', since {holder.since}",
        fix=f"wait until it ends, or stop it (kill {holder.pid}{place}); the lock ends with its process",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user that has no name.
        return f"uid {os.getuid()}"
