"""Fits a version again: its record and the data of then in, what differs from the first fit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlml.ir.dag import MlNode, PredictionNode, Rendered, SourceNode, SqlNode
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import ColumnSpec, Source, SqlModel
from sqlml.ir.records import RecordedRelation, VersionRecord
from sqlml.ir.reproduction import Part, Reproduction
from sqlml.ir.state import Output, Snapshot, Version
from sqlml.run.engine import SparkEngine
from sqlml.run.ml.same_fit import compare_files, compare_predictions, compare_signatures

Data = tuple[Sequence[RecordedRelation], Mapping[str, Output], Snapshot]
"""The relations to define, parents first; the builds of them that are kept; and what exists."""


def fit_again(engine: SparkEngine, version: Version, record: VersionRecord, data: Data, folder: Path) -> Reproduction:
    """Fit from `record` into `folder` and compare with `version`.

    Raises:
        DataError: rows that no fit can use, or files of the version that were changed.
        StepError: Spark fails.
    """
    relations, kept, snapshot = data
    by_id = {entry.node_id: entry for entry in relations}
    for entry in relations:
        if (output := kept.get(entry.node_id)) is not None:
            engine.define_table(replace(output, relation=entry.relation))
        else:
            _define(engine, entry, by_id, snapshot)
    training, spec = record.training_data, record.spec
    node = MlNode(
        id=f"ml_model.{spec.name}",
        name=spec.name,
        path=spec.path,
        places=spec.places,
        parents=(training.node_id,),
        ml_model=spec,
    )
    fitted = engine.fit(node, training.relation, folder)
    was = [(m.dataset, m.slice, m.metric, repr(m.value)) for m in version.metrics]
    now = [(m.dataset, m.slice, m.metric, repr(m.value)) for m in fitted.metrics]
    other = [f"{dataset} {part} {name}".replace("  ", " ") for dataset, part, name, _ in sorted({*was} ^ {*now})]
    rows = engine.relation(training.relation)
    again = Version(version.ml_model, version.version, str(folder), version.fingerprint, fitted.signature)
    return Reproduction(
        version.ml_model,
        version.version,
        tuple(_said(entry, entry.node_id in kept) for entry in relations if entry.node_id in kept or entry.files),
        (
            compare_signatures(version.signature, fitted.signature),
            *compare_files(Path(version.location), folder),
            Part("metrics", len(was), tuple(dict.fromkeys(other))),
            compare_predictions(engine, rows, version, again),
        ),
        tuple(
            f"it was fitted with {name} {record.software[name]}, and this is {found}"
            for name, found in fitted.software.items()
            if record.software.get(name, found) != found
        ),
    )


def _said(entry: RecordedRelation, is_kept: bool) -> str:
    if is_kept or entry.files is None:
        return f"{entry.name} (build {entry.build_id})"
    return f"{entry.name} ({entry.files.path})"


def _define(
    engine: SparkEngine, entry: RecordedRelation, by_id: Mapping[str, RecordedRelation], snapshot: Snapshot
) -> None:
    places = Places(SourceLocation(f"{entry.name}.sql", 1))
    common = {"id": entry.node_id, "name": entry.name, "path": places.whole.path, "places": places}
    if entry.files is not None:
        files = entry.files
        columns = tuple(ColumnSpec(name, places.whole, kind) for name, kind in files.types.items())
        source = Source("", entry.name, files.path, files.format, places, files.options, columns=columns)
        engine.define_source(SourceNode(**common, relation=entry.relation, source=source))  # type: ignore[arg-type]
    elif entry.scored is not None:
        version = entry.made_by(snapshot)
        assert version is not None
        node = PredictionNode(
            **common,  # type: ignore[arg-type]
            relation=entry.relation,
            ml_model=f"ml_model.{entry.ml_model}",
            scored=entry.scored,
            explain=entry.explain,
        )
        engine.define_prediction(node, by_id[entry.scored].relation, version, entry.output_prefix)
    else:
        text = entry.sql or ""
        sql_model = SqlModel(entry.name, places.whole.path, text, places)
        sql = Rendered(text, places.whole.path, text)
        engine.define_view(
            SqlNode(**common, relation=entry.relation, sql_model=sql_model, sql=sql)  # type: ignore[arg-type]
        )
