"""The Spark engine: relations, tables, data tests and fits, on one session that starts when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlml.errors import DataError
from sqlml.ir.comparisons import Rival
from sqlml.ir.contracts import sql_breach
from sqlml.ir.dag import (
    AlgorithmNode,
    MlNode,
    MlOutputNode,
    Node,
    PredictionNode,
    Rendered,
    SeedNode,
    SourceNode,
    SqlNode,
    TestNode,
)
from sqlml.ir.engine import Fitted, Written
from sqlml.ir.estimators import estimator_of
from sqlml.ir.kept_trials import OpenTrials, no_trials
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Seed, Source
from sqlml.ir.state import Column, Output, Version
from sqlml.run.audit import count_failures
from sqlml.run.checkpoints import Checkpoints
from sqlml.run.failure import Doing, spark_failures
from sqlml.run.misfits import Reading, explain_misfit
from sqlml.run.session import SessionSettings, close, open_session, start_session_jvm
from sqlml.run.tables import (
    check_storable,
    columns_of,
    quote,
    read_files,
    read_options,
    read_parquet,
    write_parquet,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from sqlml.run.jvm import Jvm
    from sqlml.run.ml.artifact import FittedPart
    from sqlml.run.ml.contributions.explainer import Explainer

T = TypeVar("T")


class SparkEngine:
    """Spark as the `Engine` of a run. Close it, or use it as a context manager.

    Args:
        root: the project's folder, for the paths of sources and seeds.
        settings: of the session.
    """

    def __init__(self, root: Path, settings: SessionSettings) -> None:
        self._root = root
        self._settings = settings
        self._lock = threading.Lock()
        self._jvm: Jvm | None = None
        self._session: SparkSession | None = None
        self._fitted: dict[str, tuple[FittedPart, ...]] = {}
        self._explainers: dict[str, tuple[Explainer, ...]] = {}
        self._readings: list[Reading] = []
        self._checkpoints = Checkpoints(root / "target" / "checkpoints")

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def has_started(self) -> bool:
        """Whether a JVM was started."""
        return self._jvm is not None or self._session is not None

    def start(self) -> None:
        """Start the JVM and return at once, so that it is ready when the first step needs it."""
        with self._lock:
            if not self.has_started:
                self._jvm = start_session_jvm(self._settings)

    @property
    def session(self) -> SparkSession:
        """The session; opened by the first who asks."""
        with self._lock:
            if self._session is None:
                self._session = open_session(self._settings, self._jvm)
            return self._session

    def close(self) -> None:
        """Stop Spark and its JVM."""
        with self._lock:
            if self._session is not None:
                close(self._session)
            elif self._jvm is not None:
                self._jvm.close()
            self._session = self._jvm = None
        self._checkpoints.remove()

    def cancel(self) -> None:
        """Make the jobs that are running fail."""
        if self._session is not None:
            self._session.sparkContext.cancelAllJobs()

    def define_source(self, node: SourceNode) -> None:
        """Read a source by its path."""
        with self._failures(f"source '{node.name}' cannot be read", node):
            self._define(node.relation, self._read(node.source, f"source '{node.name}'"))

    def define_table(self, output: Output) -> None:
        """Read a published table's files."""
        with spark_failures(self._doing(f"'{output.node_id}' cannot be read", None)):
            self._define(output.relation, read_parquet(self.session, Path(output.location or ""), output.columns))

    def define_view(self, node: SqlNode) -> tuple[Column, ...]:
        """Let Spark analyse the SQL; no rows are read."""
        with self._failures(f"sql model '{node.name}' failed", node, node.sql):
            rows = self.session.sql(node.sql.text)
            self._define(node.relation, rows)
            columns = columns_of(rows.schema)
        check_storable(columns, node.name, node.places, is_table=False)
        _check_contract(node, columns)
        return columns

    def define_stored_view(self, output: Output) -> None:
        """Let Spark analyse the SQL that was published."""
        with spark_failures(self._doing(f"view '{output.node_id}' cannot be read", None)):
            self._define(output.relation, self.session.sql(output.sql or ""))

    def define_alias(self, name: str, relation: str) -> None:
        """Give a relation another name."""
        self._define(name, self.relation(relation))

    def define_prediction(self, node: PredictionNode, scored: str, version: Version, output_prefix: str) -> None:
        """Score lazily: rows are computed by whoever reads them."""
        with self._failures(f"predict('{version.ml_model}', '{node.scored.partition('.')[2]}') failed", node):
            self._define(node.relation, self.score(version, self.relation(scored), output_prefix, node.explain))

    def score(self, version: Version, rows: DataFrame, output_prefix: str, explain: int | None = None) -> DataFrame:
        """Return `rows` with the predictions of `version`, lazily.

        Args:
            explain: how many features explain each row; None: rows are not explained.

        Raises:
            DataError: a feature is missing or of another type; the version cannot explain its predictions.
        """
        from sqlml.run.ml.dispatch import score_parts

        with spark_failures(self._doing(f"scoring with '{version.ml_model}' failed", None)):
            explained = None if explain is None else (self._explain_parts(version), explain)
            return score_parts(self._load(version), version.signature, rows, output_prefix, explained)

    def _explain_parts(self, version: Version) -> tuple[Explainer, ...]:
        from sqlml.run.ml.contributions.explainer import Making, make_explainer

        def make() -> tuple[Explainer, ...]:
            scratch = self._root / "target" / "explanations"
            return tuple(
                [
                    make_explainer(Making(self.session, part.pipeline, part.signature, part.folder, scratch))
                    for part in self._load(version)
                ]
            )

        return self._once(self._explainers, version, make)

    def _load(self, version: Version) -> tuple[FittedPart, ...]:
        from sqlml.run.ml.dispatch import load_parts

        return self._once(self._fitted, version, lambda: load_parts(self.session, Path(version.location)))

    def _once(self, known: dict[str, T], version: Version, make: Callable[[], T]) -> T:
        """Return what is known of a version, made at the first time."""
        with self._lock:
            found = known.get(version.location)
        if found is None:
            found = make()
            with self._lock:
                known[version.location] = found
        return found

    def write_table(self, node: SeedNode | SqlNode | AlgorithmNode, folder: Path) -> Written:
        """Write Parquet files, then read the relation from them."""
        rendered = node.sql if isinstance(node, SqlNode) else None
        with (
            self._failures(f"{node.kind.replace('_', ' ')} '{node.name}' failed", node, rendered),
            ExitStack() as stack,
        ):
            rows = self._rows(node, stack)
            columns = columns_of(rows.schema)
            check_storable(columns, node.name, node.places)
            if isinstance(node, SqlNode):
                _check_contract(node, columns)
            written = write_parquet(rows, folder)
            self._define(node.relation, read_parquet(self.session, folder, written.columns))
        return written

    def _rows(self, node: SeedNode | SqlNode | AlgorithmNode, stack: ExitStack) -> DataFrame:
        if isinstance(node, SqlNode):
            return self.session.sql(node.sql.text)
        if isinstance(node, SeedNode):
            return self._read(node.seed, f"seed '{node.name}'")
        from sqlml.run.ml.algorithms import run_algorithm

        return run_algorithm(node.algorithm_relation, self.session.table(node.read), stack)

    def write_ml_output(self, node: MlOutputNode, version: Version, read: Mapping[str, str], folder: Path) -> Written:
        """Write Parquet files, then read the relation from them."""
        from sqlml.run.ml.ml_outputs import Making, make_output

        with self._failures(f"output '{node.name}' failed", node), ExitStack() as stack:
            relations = {node_id: self.relation(relation) for node_id, relation in read.items()}
            making = Making(self.session, node, version, self._load(version), relations, stack)
            written = write_parquet(make_output(making), folder)
            self._define(node.relation, read_parquet(self.session, folder, written.columns))
        return written

    def count_failures(self, tests: Sequence[tuple[TestNode, str]]) -> Mapping[str, int]:
        """Run data tests, the cheap ones of a relation in one scan."""
        return count_failures(self.session, tests, self._settings.log_file)

    def fit(
        self,
        node: MlNode,
        training: str,
        folder: Path,
        rivals: Sequence[Rival] = (),
        open_trials: OpenTrials = no_trials,
    ) -> Fitted:
        """Fit with Spark ML."""
        from sqlml.run.ml.fit import fit_ml_model

        with self._failures(f"ml model '{node.name}' failed", node):
            if estimator_of(node.ml_model).grows_lineage:
                self._checkpoints.allow(self.session)
            rows = self.relation(training)
            fitted: Fitted = fit_ml_model(self.session, node.ml_model, rows, folder, rivals, open_trials=open_trials)
            return replace(fitted, columns=columns_of(rows.schema), software=self._software())

    def _software(self) -> dict[str, str]:
        java = self.session._jvm.java.lang.System.getProperty("java.version")  # type: ignore[union-attr]
        return {"pyspark": self.session.version, "java": str(java)}

    def preview(self, relation: str, limit: int) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the column names and up to `limit` rows of a defined relation."""
        with spark_failures(self._doing(f"'{relation}' cannot be read", None)):
            # Arrow keeps instants in UTC, where collect() would put them into this machine's time zone.
            table = self.relation(relation).limit(limit).toArrow()
            columns = [table.column(number).to_pylist() for number in range(table.num_columns)]
            return tuple(table.column_names), list(zip(*columns, strict=True))

    def relation(self, relation: str) -> DataFrame:
        """Return the rows of a defined relation, lazily."""
        return self.session.table(quote(relation))

    def _read(self, declared: Source | Seed, title: str) -> DataFrame:
        if declared.format == "csv":
            types = {column.name.lower(): column.data_type for column in declared.columns if column.data_type}
            options, place = read_options(declared), declared.places.value_of("path")
            self._readings.append(Reading(title, self._root / declared.path, options, types, place))
        return read_files(self.session, declared, self._root)

    def _explain(self, file: Path) -> DataError | None:
        errors = (explain_misfit(self.session, reading, file) for reading in list(self._readings))
        return next((error for error in errors if error is not None), None)

    def _define(self, relation: str, rows: DataFrame) -> None:
        rows.createOrReplaceTempView(quote(relation))

    def _failures(self, what: str, node: Node, sql: Rendered | None = None) -> Any:
        return spark_failures(self._doing(what, node.places.whole, sql))

    def _doing(self, what: str, location: SourceLocation | None, sql: Rendered | None = None) -> Doing:
        return Doing(what, location, sql, self._settings.log_file, explain=self._explain)


def _check_contract(node: SqlNode, columns: Sequence[Column]) -> None:
    """Hold Spark's own schema against the contract, before a row is computed."""
    error = sql_breach(node, columns, DataError)
    if error is not None:
        raise error
