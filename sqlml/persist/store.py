"""The store: what a run produced goes in, data first and state second; what is current comes out."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from sqlml.errors import CommandError, format_error, suggest
from sqlml.ir.cache import Cache
from sqlml.ir.kept_trials import KeptTrial
from sqlml.ir.records import VersionRecord
from sqlml.ir.results import StepResult
from sqlml.ir.state import Alias, Metric, Output, Snapshot, TestOutcome, Version
from sqlml.persist.clock import now
from sqlml.persist.database import Database
from sqlml.persist.failpoints import ALIAS_MOVED, AUDITED, COMMITTED, DATA_WRITTEN, LINKED, MODEL_SAVED, TRIAL_KEPT
from sqlml.persist.files import FileVersions, Known
from sqlml.persist.lock import hold_lock
from sqlml.persist.queries import (
    missing_outputs,
    read_alias_moves,
    read_known_files,
    read_output,
    read_snapshot,
    read_trials,
    read_versions,
    write_known_files,
)
from sqlml.persist.records import read_record, write_record
from sqlml.persist.recovery import Recovery, clean_up, forget_begun, prune_builds
from sqlml.persist.rows import metric_rows, node_name, output_row, printable, to_row, version_row
from sqlml.persist.signatures import write_signature
from sqlml.persist.tables import ALIASES, BEGUN, METRICS, OUTPUTS, RUNS, STEPS, TESTS, TRIALS, VERSIONS
from sqlml.persist.warehouse import STATE_FILE, WAREHOUSE, Warehouse


class WarehouseStore:
    """Fulfils `sqlml.ir.store.Store` with folders and a database.

    Reading needs no lock and makes nothing. Who writes outputs, versions, aliases or runs holds `lock()`.
    Every method may be called from several threads; every method may raise `StateError`.
    """

    def __init__(
        self,
        root: Path,
        schema: str,
        failpoint: Callable[[str], None] = lambda name: None,
        url: str | None = None,
        cache: Cache | None = None,
    ) -> None:
        root = self.root = Path(root).absolute()
        self.schema = schema
        self._failpoint = failpoint
        self._warehouse = Warehouse(root / WAREHOUSE)
        self._database = Database(self._warehouse.root / STATE_FILE, url)
        self._files = FileVersions(root, self.known_files, cache)
        self._saved_files: dict[str, Known] = {}
        self._begun: dict[str, Path] = {}
        self._synced: set[Path] = set()
        self._run_ids: set[str] = set()
        self._is_locked = False

    def close(self) -> None:
        """Close the database's connections; the next use opens them again."""
        self._database.close()

    # What is current

    def snapshot(self) -> Snapshot:
        """Return what is current now, nothing before the first build. A table whose folder is gone is left out."""
        missing: frozenset[tuple[str, str]] = frozenset()
        while True:
            with self._database.read() as connection:
                if connection is None:
                    return Snapshot(self.schema)
                found = read_snapshot(connection, self.schema, self._warehouse)
            # Of a folder that is gone a build may have published, and pruned, between our two looks: look again.
            if (now_missing := missing_outputs(found)) == missing:
                break
            missing = now_missing
        gone = {node_id for node_id, _ in missing}
        present = {node_id: output for node_id, output in found.outputs.items() if node_id not in gone}
        return dataclasses.replace(found, outputs=present)

    def versions(self, ml_model: str) -> tuple[Version, ...]:
        """Return the versions of an ML model with their metrics, oldest first; none for an unknown one."""
        with self._database.read() as connection:
            if connection is None:
                return ()
            return read_versions(connection, self.schema, self._warehouse, ml_model).get(ml_model, ())

    def kept_output(self, node_id: str, build_id: str) -> Output | None:
        """Return a table that was published once, of any schema, current or not, if its data is still there."""
        with self._database.read() as connection:
            found = None if connection is None else read_output(connection, node_id, build_id, self._warehouse)
        return found if found is not None and found.location and Path(found.location).is_dir() else None

    def metrics(self, ml_model: str, version: int) -> tuple[Metric, ...]:
        """Return the metrics of a version, in the order in which they were recorded."""
        return next((entry.metrics for entry in self.versions(ml_model) if entry.version == version), ())

    def alias_moves(self, ml_model: str, alias: str = "champion") -> tuple[tuple[Alias, str], ...]:
        """Return where an alias has pointed and since when (ISO 8601, UTC), the newest first."""
        with self._database.read() as connection:
            return () if connection is None else read_alias_moves(connection, self.schema, ml_model, alias)

    def file_version(self, path: Path) -> str | None:
        """Return a hex digest of the content of a file or of a folder's data files, None if nothing is there.

        Relative paths start at the project's root. A digest that is not known yet is kept in the state with the next
        thing that is written there.

        Raises:
            EnvironmentFault: if something there cannot be read.
        """
        return self._files.file_version(path)

    def known_files(self) -> dict[str, Known]:
        """Return the hashes of files that the state knows, by path."""
        with self._database.read() as connection:
            return {} if connection is None else read_known_files(connection)

    # The build

    @contextmanager
    def lock(self, command: str = "sqlml build") -> Iterator[None]:
        """Be the only one who writes this schema; `command` is what others are told.

        Raises:
            StateError: at once, if another one holds the lock, saying who and since when.
        """
        with hold_lock(self._warehouse, self._database, self.schema, printable(command)):
            self._is_locked = True
            try:
                yield
            finally:
                self._is_locked = False

    def recover(self) -> Recovery:
        """Clean up after builds of this schema that crashed: once, at the start of a build, while holding the lock."""
        if not self._is_locked:
            raise ValueError("recover() needs the lock: it removes what others are writing")
        own = set(self._begun.values())
        return clean_up(self._database, self._warehouse, self.schema, own, self._run_ids)

    def start_run(self, command: str) -> str:
        """Record the start of a run; return its id, which sorts by time."""
        run_id = f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}"
        self._run_ids.add(run_id)
        values = {"run_id": run_id, "schema": self.schema, "command": printable(command), "started_at": now()}
        with self._write() as connection:
            connection.execute(insert(RUNS).values(status="running", **values))
        return run_id

    def finish_run(self, run_id: str, status: str) -> None:
        """Record the end of a run."""
        with self._write() as connection:
            connection.execute(
                update(RUNS).where(RUNS.c["run_id"] == run_id).values(status=str(status), finished_at=now())
            )

    def record_step(self, run_id: str, result: StepResult) -> None:
        """Keep how a step of a run ended; a second end of the same step replaces the first."""
        error = None if result.error is None else printable(format_error(result.error))
        row = to_row(result, STEPS, run_id=run_id, status=str(result.status), error=error)
        with self._write() as connection:
            connection.execute(delete(STEPS).where(STEPS.c["run_id"] == run_id, STEPS.c["node_id"] == result.node_id))
            connection.execute(insert(STEPS).values(row))

    # Outputs

    def begin_output(self, node_id: str) -> Path:
        """Return a new folder's path (not yet made, never used before); its name is the build id."""
        folder = self._warehouse.new_build(self.schema, node_name(node_id))
        with self._write() as connection:
            self._begin(connection, folder)
        self._begun[node_id] = folder
        self._warehouse.prepare(folder)
        return folder

    def data_written(self, node_id: str) -> None:
        """Note that the data of `node_id` is whole, before its data tests run; wait until it is on disk."""
        folder = self._begun.get(node_id)
        if folder is not None:
            self._sync(folder)
        self._failpoint(DATA_WRITTEN)

    def audited(self, node_id: str) -> None:
        """Note that the data of `node_id` passed its data tests and is about to be published."""
        self._failpoint(AUDITED)

    def publish_output(self, output: Output, tests: Sequence[TestOutcome] = ()) -> None:
        """Make `output` the current one of its name, with its tests' outcomes, in one transaction; then move `current`.

        The build before it stays until the next one, for readers in flight.
        """
        folder = None if output.location is None else Path(output.location)
        if folder is not None:
            self._sync(folder)
        name = node_name(output.node_id)
        with self._write() as connection:
            connection.execute(
                update(OUTPUTS)
                .where(OUTPUTS.c["schema"] == self.schema, OUTPUTS.c["name"] == name, OUTPUTS.c["is_current"])
                .values(is_current=False)
            )
            connection.execute(insert(OUTPUTS).values(output_row(output, self._warehouse, self.schema, now())))
            self._put_tests(connection, tests)
            if folder is not None:
                forget_begun(connection, self._warehouse, [folder])
        self._begun.pop(output.node_id, None)
        self._failpoint(COMMITTED)
        self._warehouse.link_current(self.schema, name, folder)
        self._failpoint(LINKED)
        prune_builds(self._database, self._warehouse, self.schema, name)

    def discard(self, folder: Path) -> None:
        """Remove a folder that will not be published.

        Raises:
            ValueError: if it was not given out by `begin_output` or `begin_version`, or has been published.
        """
        location = self._warehouse.relative(folder)
        with self._database.read() as connection:
            found = connection and connection.scalar(select(BEGUN.c["since"]).where(BEGUN.c["location"] == location))
        if not found:
            raise ValueError(f"'{folder}' is not being written")
        if self._warehouse.remove(folder):
            with self._write() as connection:
                forget_begun(connection, self._warehouse, [folder])
        for node_id in [node_id for node_id, path in list(self._begun.items()) if path == folder]:
            self._begun.pop(node_id, None)

    def record_tests(self, outcomes: Sequence[TestOutcome]) -> None:
        """Keep outcomes of data tests that ran on outputs already published."""
        with self._write() as connection:
            self._put_tests(connection, outcomes)

    # Versions

    def begin_version(self, ml_model: str) -> tuple[int, Path]:
        """Return the number and the new folder's path (not yet made) of the next version of `ml_model`.

        The number is above all that were published, are being written or have a folder, whoever made it.
        """
        folders = self._warehouse.versions(self.schema, ml_model)
        with self._write() as connection:
            published = connection.scalar(
                select(func.max(VERSIONS.c["version"])).where(
                    VERSIONS.c["schema"] == self.schema, VERSIONS.c["ml_model"] == ml_model
                )
            )
            begun = set(connection.scalars(select(BEGUN.c["location"])))
            number = max(published or 0, self._warehouse.highest_version(self.schema, ml_model)) + 1
            while self._warehouse.relative(folders / str(number)) in begun:
                number += 1
            self._begin(connection, folders / str(number))
        self._warehouse.prepare(folders / str(number))
        return number, folders / str(number)

    def publish_version(self, version: Version, alias: Alias | None, record: VersionRecord | None = None) -> None:
        """Record `version` and its metrics, and move `alias` to it in the same transaction if one is given.

        Writes `record.json`, and `signature.json`, with the checksums of the saved files, unless the fit did.
        """
        folder = Path(version.location)
        if record is not None:
            write_record(folder, record, self.root)
        write_signature(folder, version.signature)
        self._sync(folder)
        self._failpoint(MODEL_SAVED)
        with self._write() as connection:
            connection.execute(insert(VERSIONS).values(version_row(version, self._warehouse, self.schema, now())))
            metrics = metric_rows(version, self.schema)
            if metrics:
                connection.execute(insert(METRICS), metrics)
            if alias is not None:
                self._put_alias(connection, version.ml_model, alias)
            connection.execute(delete(TRIALS).where(*self._trials_of(version.ml_model)))
            forget_begun(connection, self._warehouse, [folder])
        self._failpoint(ALIAS_MOVED)

    def record(self, version: Version) -> VersionRecord | None:
        """Return what a version was made of; None for one of an older sqlml."""
        return read_record(version)

    def take_over_trials(self, ml_model: str, search: str, rows: str) -> tuple[KeptTrial, ...]:
        """Return the trials that are kept of a search, by their numbers; those of another of `ml_model` are forgotten.

        Args:
            search: tells a search from any other that might find something else.
            rows: what it is about; with `for_each:` each value has rows of its own.
        """
        with self._write() as connection:
            others = TRIALS.c["search"] != search
            connection.execute(delete(TRIALS).where(*self._trials_of(ml_model), others))
            return read_trials(connection, self.schema, ml_model, rows)

    def keep_trial(self, ml_model: str, search: str, rows: str, trial: KeptTrial) -> None:
        """Keep a trial of a search that has not ended; it is on disk when this returns."""
        of_it = (TRIALS.c["rows"] == rows, TRIALS.c["number"] == trial.number)
        row = to_row(trial, TRIALS, schema=self.schema, ml_model=ml_model, search=search, rows=rows, trial=trial)
        with self._write() as connection:
            connection.execute(delete(TRIALS).where(*self._trials_of(ml_model), *of_it))
            connection.execute(insert(TRIALS).values(row))
        self._failpoint(TRIAL_KEPT)

    def move_alias(self, ml_model: str, alias: Alias) -> None:
        """Point an alias of `ml_model` to another version.

        Raises:
            CommandError: if there is no such version.
        """
        numbers = [version.version for version in self.versions(ml_model)]
        if alias.version not in numbers:
            raise CommandError(
                f"ml model '{ml_model}' has no version {alias.version}",
                fix=suggest(str(alias.version), map(str, numbers)),
            )
        with self._write() as connection:
            self._put_alias(connection, ml_model, alias)
        self._failpoint(ALIAS_MOVED)

    def remove_alias(self, ml_model: str, alias: str) -> None:
        """Let an alias of `ml_model` point to no version; where it pointed stays known."""
        with self._write() as connection:
            self._retire_alias(connection, ml_model, alias)

    # Inside

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        # The one place where the state is written; the hashes of files go with whatever comes first.
        with self._database.write() as connection:
            unsaved = self._files.unsaved(self._saved_files)
            if unsaved:
                unsaved = self._files.unsaved(read_known_files(connection))
                write_known_files(connection, unsaved)
            yield connection
        self._saved_files |= unsaved

    def _trials_of(self, ml_model: str) -> tuple[ColumnElement[bool], ...]:
        return TRIALS.c["schema"] == self.schema, TRIALS.c["ml_model"] == ml_model

    def _begin(self, connection: Connection, folder: Path) -> None:
        connection.execute(insert(BEGUN).values(location=self._warehouse.relative(folder), since=now()))

    def _sync(self, folder: Path) -> None:
        if folder not in self._synced:
            self._warehouse.sync(folder)
            self._synced.add(folder)

    def _put_tests(self, connection: Connection, outcomes: Sequence[TestOutcome]) -> None:
        for outcome in outcomes:
            mine = (TESTS.c["schema"] == self.schema, TESTS.c["test_id"] == outcome.test_id)
            connection.execute(delete(TESTS).where(*mine))
            connection.execute(insert(TESTS).values(to_row(outcome, TESTS, schema=self.schema)))

    def _put_alias(self, connection: Connection, ml_model: str, alias: Alias) -> None:
        self._retire_alias(connection, ml_model, alias.alias)
        values = to_row(alias, ALIASES, schema=self.schema, ml_model=ml_model, moved_at=now(), is_current=True)
        connection.execute(insert(ALIASES).values(values))

    def _retire_alias(self, connection: Connection, ml_model: str, alias: str) -> None:
        connection.execute(
            update(ALIASES)
            .where(
                ALIASES.c["schema"] == self.schema,
                ALIASES.c["ml_model"] == ml_model,
                ALIASES.c["alias"] == alias,
                ALIASES.c["is_current"],
            )
            .values(is_current=False)
        )
