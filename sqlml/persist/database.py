"""The state's database: short transactions to read and to write in, its faults as `StateError`."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text, update
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.schema import CreateColumn

from sqlml.errors import StateError
from sqlml.persist.tables import ADDED_COLUMNS, META, METADATA, SCHEMA_VERSION

_BUSY_TIMEOUT_S: Final = 30
_IS_WRITE: Final = "sqlml_is_write"


class Database:
    """The state of one warehouse; may be used from several threads.

    Args:
        path: the SQLite file.
        url: a SQLAlchemy URL that is used instead of the file.
    """

    def __init__(self, path: Path, url: str | None = None) -> None:
        self.path = path
        self._url = url
        self._engine: Engine | None = None
        # One writer of this process at a time: SQLite would let the others poll.
        self._guard = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection | None]:
        """Give a connection that sees one instant, or None where there is no state yet. Makes nothing.

        Raises:
            StateError: if the state cannot be read, or is of a newer sqlml.
        """
        with self._explained():
            engine = self._open(is_write=False)
            if engine is None:
                yield None
            else:
                with engine.connect() as connection, connection.begin():
                    yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end, or undone by an exception.

        Raises:
            StateError: if the state cannot be made or written, or is of a newer sqlml.
        """
        with self._guard, self._explained():
            engine = self._open(is_write=True)
            assert engine is not None
            with engine.connect().execution_options(**{_IS_WRITE: True}) as connection, connection.begin():
                yield connection

    def close(self) -> None:
        """Close the connections."""
        with self._guard:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _open(self, is_write: bool) -> Engine | None:
        with self._guard:
            if self._engine is not None:
                return self._engine
            if self._url is None and not is_write and not self.path.exists():
                return None
            if is_write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            engine = self._new_engine(is_write)
            try:
                is_ready = self._prepare(engine, is_write)
            except BaseException:
                engine.dispose()
                raise
            if not is_ready:
                engine.dispose()
                return None
            self._engine = engine
            return engine

    def _new_engine(self, is_write: bool) -> Engine:
        if self._url is not None:
            return create_engine(self._url)
        # Of a folder that cannot be written, each reading looks anew at who else writes it.
        pool = QueuePool if _is_writable(self.path.parent) else NullPool
        engine = create_engine(
            "sqlite://",
            creator=lambda: _connect_sqlite(self.path, may_create=is_write),
            poolclass=pool,
            **({"max_overflow": -1} if pool is QueuePool else {}),
        )
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _prepare(self, engine: Engine, is_write: bool) -> bool:
        """Check the state's version, making the tables if `is_write`; return whether there are tables."""
        if self._url is None and is_write:
            with engine.connect() as connection:
                driver = connection.connection.dbapi_connection
                assert isinstance(driver, sqlite3.Connection)
                _log_ahead(driver)
        with engine.connect().execution_options(**{_IS_WRITE: is_write}) as connection, connection.begin():
            if not sqlalchemy.inspect(connection).has_table(META.name):
                if not is_write:
                    return False
                METADATA.create_all(connection)
                connection.execute(insert(META).values(key="schema_version", value=str(SCHEMA_VERSION)))
                return True
            found = connection.scalar(select(META.c["value"]).where(META.c["key"] == "schema_version"))
        if found is None or not found.isdigit() or int(found) < 1:
            raise self._corrupt(f"its schema version is '{found}'")
        if int(found) > SCHEMA_VERSION:
            raise StateError(
                f"the state '{self._name}' was written by a newer sqlml "
                f"(schema version {found}; this one knows {SCHEMA_VERSION})",
                fix="upgrade this one: pip install --upgrade sqlml",
            )
        if int(found) < SCHEMA_VERSION:
            self._upgrade(engine)
        return True

    def _upgrade(self, engine: Engine) -> None:
        """Bring the tables of an older sqlml to this one's, in one transaction."""
        with engine.connect().execution_options(**{_IS_WRITE: True}) as connection, connection.begin():
            is_version = META.c["key"] == "schema_version"
            # Another process may have done it by now.
            found = int(connection.scalar(select(META.c["value"]).where(is_version)) or 0)
            for version in range(found + 1, SCHEMA_VERSION + 1):
                for table, names in ADDED_COLUMNS.get(version, {}).items():
                    for name in names:
                        column = CreateColumn(table.c[name]).compile(dialect=engine.dialect)
                        connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {column}"))
            METADATA.create_all(connection)
            connection.execute(update(META).where(is_version).values(value=str(SCHEMA_VERSION)))

    @property
    def _name(self) -> str:
        # A URL may hold a password.
        return str(self.path) if self._url is None else "of the configured url"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            # A rule of ours was broken, by sqlml and not by the user.
            raise
        except (DBAPIError, sqlite3.Error) as error:
            raise self._explain(error) from error
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StateError(
                f"the database of the state cannot be opened: {error}",
                fix="check its url and that the database's Python driver is installed",
            ) from error
        except PermissionError as error:
            raise self._forbidden() from error
        except (NotADirectoryError, FileExistsError) as error:
            raise StateError(
                f"the warehouse '{self.path.parent}' is not a folder",
                fix="move away the file of that name",
            ) from error
        except OSError as error:
            raise StateError(
                f"the warehouse '{self.path.parent}' cannot be used: {error.strerror or error}",
                fix="see that its disk is there, can be written and has space",
            ) from error

    def _explain(self, error: DBAPIError | sqlite3.Error) -> StateError:
        cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()[0]
        text = cause.lower()
        if self._url is not None:
            return StateError(
                f"the database of the state failed: {cause}", fix="check that it runs and that its url is right"
            )
        if "readonly" in text or "unable to open" in text or "authorization denied" in text:
            return self._forbidden()
        if "locked" in text or "busy" in text:
            return StateError(
                f"the state '{self.path}' was busy for more than {_BUSY_TIMEOUT_S} seconds",
                fix="see whether another program has it open, then try again",
            )
        if "full" in text:
            return StateError(f"the disk of '{self.path}' is full", fix="free some space, then build again")
        return self._corrupt(cause)

    def _forbidden(self) -> StateError:
        return StateError(
            f"the state '{self.path}' cannot be opened for this: permission denied",
            fix=f"let this user read and write '{self.path.parent}' and all files in it",
        )

    def _corrupt(self, cause: str) -> StateError:
        return StateError(
            f"the state '{self.path}' cannot be read: {cause}",
            fix=f"restore it from a backup, or move '{self.path.name}' and its '-wal' and '-shm' files away "
            "and build again (tables and fitted models stay where they are, but the new state will not know them)",
        )


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def _log_ahead(driver: sqlite3.Connection) -> None:
    """Let readers go on while one writes, which the file keeps.

    Of several who make that change to a new file at once SQLite lets none wait, so that they are told to try again.
    """
    until = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _connect_sqlite(path: Path, may_create: bool) -> sqlite3.Connection:
    mode = "rwc" if may_create else "rw"
    if not may_create and not _is_writable(path.parent) and not path.with_name(path.name + "-wal").exists():
        # SQLite would want to make files beside it; nobody writes it now, so it can be read without them.
        mode = "ro&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
        # The driver's own idea of when a transaction begins is not ours.
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    # A committed publication outlives a power cut, too.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins as a reader cannot wait for its turn to write: it fails at once.
    is_write = connection.get_execution_options().get(_IS_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
