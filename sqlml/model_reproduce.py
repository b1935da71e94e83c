"""sqlml model reproduce: fit a version again from what it recorded, and hold the two against each other."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlml.build import Request, load_dag, open_engine, open_project_store, open_target
from sqlml.errors import CommandError, DataError, SqlmlError, raise_all
from sqlml.ir.dag import Dag
from sqlml.ir.deferral import Deferral, defer
from sqlml.ir.records import RecordedRelation, VersionRecord
from sqlml.ir.reproduction import Reproduction
from sqlml.ir.state import Output, Snapshot, Version
from sqlml.persist.store import WarehouseStore
from sqlml.predict import find_version


@dataclass(slots=True)
class _Data:
    """How the relations of a record can be read again.

    Attributes:
        kept: node id to the build that was read, where it is still there.
        needed: ids of the relations that must be defined, parents first.
        errors: what is gone.
    """

    kept: dict[str, Output] = field(default_factory=dict)
    needed: list[str] = field(default_factory=list)
    errors: list[SqlmlError] = field(default_factory=list)


def reproduce(request: Request, ml_model: str, version: str | None) -> Reproduction:
    """Fit a version again on the data of then, and return what differs; nothing that was published changes.

    The data of then is the build that was read, if it is kept, else the recorded SQL over sources, seeds and versions
    that are what they were.

    Args:
        version: a number or an alias; None for the champion.

    Raises:
        CommandError: there is no such version, or an older sqlml kept no record of it.
        DataError, ErrorList: data of then is gone; each is named.
        StepError: Spark fails.
    """
    from sqlml.persist.records import read_record

    dag = load_dag(request)
    store = open_project_store(dag.project)
    snapshot = store.snapshot()
    found = find_version(dag, snapshot, ml_model, version)
    record = read_record(found)
    if record is None:
        what = f"version {found.version} of '{ml_model}' has no record of what it was made of"
        raise CommandError(what, fix="an older sqlml fitted it; versions from now on have one")
    snapshot = _with_other_target(dag, snapshot, record)
    data = _find_data(found, record, store, snapshot)
    raise_all(data.errors)
    folder = dag.project.root / "target" / "reproduced" / snapshot.schema / f"{ml_model}-{found.version}"
    shutil.rmtree(folder, ignore_errors=True)
    from sqlml.run.reproducing import fit_again

    with open_engine(dag.project) as engine:
        engine.start()
        relations = [entry for entry in record.relations if entry.node_id in data.needed]
        return fit_again(engine, found, record, (relations, data.kept, snapshot), folder)


def _with_other_target(dag: Dag, snapshot: Snapshot, record: VersionRecord) -> Snapshot:
    """Return what exists, and with it the versions of the target whose predictions the training data holds.

    Where the project file has that target no more they are not there; a kept build that holds them needs none.
    """
    target = next((entry.of_target for entry in record.relations if entry.of_target), None)
    schema = None if target is None else dag.project.schemas.get(target)
    if target is None or schema is None:
        return snapshot
    _, there = open_target(dag.project, target, schema)
    return defer(snapshot, Deferral(target, dag, there), dag)


def _find_data(version: Version, record: VersionRecord, store: WarehouseStore, snapshot: Snapshot) -> _Data:
    data = _Data()
    by_id = {entry.node_id: entry for entry in record.relations}
    _need(record.training_data, by_id, data, store, snapshot)
    if data.errors:
        commit = record.commit
        then = f"; the project was at commit {commit.commit[:12]}" if commit is not None else ""
        number = version.version
        what = f"version {number} of '{version.ml_model}' cannot be fitted again: the data of then is gone"
        fix = f"bring back what is named as it was on {version.created_at}{then}"
        data.errors = [DataError(f"{what}: {error.what}", fix=fix) for error in data.errors]
    return data


def _need(
    entry: RecordedRelation,
    by_id: Mapping[str, RecordedRelation],
    data: _Data,
    store: WarehouseStore,
    snapshot: Snapshot,
) -> None:
    """Note how a relation can be read again, and before it what it is made of; or what is gone."""
    if entry.node_id in data.needed:
        return
    output = None if entry.build_id is None else store.kept_output(entry.stored_id, entry.build_id)
    if output is not None:
        data.kept[entry.node_id] = output
    elif not entry.can_be_made_again or (entry.files is None and entry.sql is None and entry.scored is None):
        data.errors.append(DataError(f"the build of '{entry.name}' that was read is not kept any more"))
    elif entry.files is not None:
        if store.file_version(store.root / entry.files.path) != entry.files.version:
            data.errors.append(DataError(f"'{entry.files.path}', which '{entry.name}' reads, has other content now"))
    else:
        if entry.ml_model is not None and entry.made_by(snapshot) is None:
            whose = f" of target '{entry.of_target}'" if entry.of_target else ""
            what = f"version {entry.version} of '{entry.ml_model}'{whose}, which made '{entry.name}'"
            data.errors.append(DataError(what))
        for parent in (*entry.parents, *((entry.scored,) if entry.scored else ())):
            _need(by_id[parent], by_id, data, store, snapshot)
    data.needed.append(entry.node_id)
