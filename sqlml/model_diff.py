"""sqlml model diff: how two versions of an ML model differ; a JVM only to compare their predictions."""

from __future__ import annotations

from dataclasses import replace

from sqlml.build import Request, load_dag, open_engine, open_project_store
from sqlml.ir.dag import Dag
from sqlml.ir.state import Snapshot, Version
from sqlml.ir.version_differences import VersionDifference, Weighed, compare_versions
from sqlml.predict import find_input, find_version

_TABLES = ("importances", "permutation_importances", "coefficients", "feature_statistics")


def diff(request: Request, ml_model: str, was: str, now: str, on: str | None = None) -> VersionDifference:
    """Return how version `now` differs from version `was`, each a number or an alias.

    Args:
        on: a node that was built, or a file: the rows on which their predictions are compared; None: they are not.

    Raises:
        CommandError: there is no such ML model, version or input.
        DataError: the rows lack a feature of one of the versions.
        StateError: what was recorded of one of them cannot be read.
    """
    dag = load_dag(request)
    snapshot = open_project_store(dag.project).snapshot()
    before, after = (_weigh(find_version(dag, snapshot, ml_model, asked)) for asked in (was, now))
    found = compare_versions(before, after)
    return found if on is None else _with_predictions(found, dag, snapshot, (before, after), on)


def _weigh(version: Version) -> Weighed:
    from sqlml.persist.records import read_record
    from sqlml.persist.version_tables import read_tables

    return Weighed(version, read_record(version), read_tables(version, _TABLES))


def _with_predictions(
    found: VersionDifference, dag: Dag, snapshot: Snapshot, pair: tuple[Weighed, Weighed], on: str
) -> VersionDifference:
    source = find_input(dag, on)  # before Java starts
    from sqlml.run.inputs import open_input
    from sqlml.run.ml.prediction_diff import compare_predictions

    with open_engine(dag.project) as engine:
        engine.start()
        # Of a file, the types are those that the later version was fitted with.
        rows = open_input(engine, dag, snapshot, source, pair[1].version.signature)
        return replace(found, predictions=compare_predictions(engine, rows, *pair, on=on))
