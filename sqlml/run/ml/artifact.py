"""The files of a fitted model: a PipelineModel, a signature and tables in, a folder out, and back again."""

from __future__ import annotations

import hashlib
import json
import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import DataError
from sqlml.ir.explanations import TABLES_FOLDER, Row
from sqlml.ir.project import MlModel
from sqlml.ir.state import Column, Signature

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.ml.util import MLWriter

PIPELINE = "pipeline"
VALUES = "values"
SIGNATURE_FILE = "signature.json"
_FORMAT = 1
_CHUNK_BYTES = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_MOST_LETTERS = 40
_MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Saved:
    """A fitted pipeline and what it reads and returns."""

    pipeline: PipelineModel
    signature: Signature


@dataclass(frozen=True, slots=True)
class FittedPart:
    """One of the fitted pipelines of a version.

    Attributes:
        value: of the version's `for_each:` column, as text; None: it is the only one.
        folder: holds `pipeline/` and the `signature.json` of this one.
    """

    value: str | None
    folder: Path
    pipeline: PipelineModel
    signature: Signature


def signature_of(pipelines: Mapping[str | None, Saved], ml_model: MlModel) -> Signature:
    """Return the signature of a version: of its only pipeline, or what those of all values have in common."""
    first = next(iter(pipelines.values())).signature
    if ml_model.for_each is None:
        return first
    for_each = ml_model.for_each
    thresholds = {saved.signature.threshold for saved in pipelines.values()}
    return replace(
        first,
        slots=(),
        slot_features=(),
        slot_means=(),
        threshold=first.threshold if len(thresholds) == 1 else None,
        for_each=for_each.column,
        others=for_each.others,
    )


def save_fitted(
    pipelines: Mapping[str | None, Saved], signature: Signature, tables: Mapping[str, Sequence[Row]], folder: Path
) -> None:
    """Write a fitted model into `folder`, which is made.

    First `pipeline/`, or a folder like this one, without tables, for each value below `values/`; then each of `tables`
    as `tables/NAME.jsonl`, then `signature.json` with the checksums of all files of the pipelines.

    Args:
        pipelines: by value of the `for_each:` column; the only one by None.
        signature: of the whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folders = {
        f"{at:04}-{_UNSAFE.sub('-', value)[:_MOST_LETTERS]}": value
        for at, value in enumerate(pipelines, 1)
        if value is not None
    }
    if folders:
        _save_values(folder / VALUES, {name: pipelines[value] for name, value in folders.items()})
    else:
        _writer(pipelines[None].pipeline).save(_local_uri(folder.absolute() / PIPELINE))
    for name, rows in tables.items():
        (folder / TABLES_FOLDER).mkdir(exist_ok=True)
        text = "".join(json.dumps(_plain(row), ensure_ascii=False) + "\n" for row in rows)
        (folder / TABLES_FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")
    document: dict[str, Any] = {
        "format": _FORMAT,
        "signature": asdict(signature) | {"settings": dict(signature.settings)},
        "checksums": checksums(folder / (VALUES if folders else PIPELINE)),
    }
    document |= {"values": folders} if folders else {}
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / SIGNATURE_FILE).write_text(text + "\n", encoding="utf-8")


def _save_values(folder: Path, pipelines: Mapping[str, Saved]) -> None:
    """Write each of several fitted pipelines into its own folder below `folder`, several at once."""

    def save(name: str) -> None:
        save_fitted({None: pipelines[name]}, pipelines[name].signature, {}, folder / name)

    with ThreadPoolExecutor(min(len(pipelines), _MOST_AT_ONCE), "save") as pool:
        list(pool.map(save, pipelines))


def _writer(pipeline: PipelineModel) -> MLWriter:
    """Return the writer whose files every language's Spark can read.

    Pyspark's own choice for OneVsRest is a writer that only Python reads back, although the stage has a Java twin.
    """
    from pyspark.ml.classification import OneVsRestModel
    from pyspark.ml.util import JavaMLWritable, JavaMLWriter

    parts = [model for stage in pipeline.stages for model in getattr(stage, "models", (stage,))]
    is_java = all(isinstance(part, JavaMLWritable) for part in parts)
    if is_java and any(isinstance(stage, OneVsRestModel) for stage in pipeline.stages):
        return JavaMLWriter(pipeline)  # type: ignore[arg-type]
    return pipeline.write()


def _plain(row: Row) -> dict[str, Any]:
    # JSON has no word for what is not a finite number.
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()
    }


def read_pipeline(folder: Path) -> PipelineModel:
    """Return the PipelineModel in `folder`, whose files are checked first.

    Raises:
        DataError: a file is missing, was changed or is not one of the fitted model's.
    """
    from pyspark.ml import PipelineModel

    _check(folder, PIPELINE)
    with _plain_path(folder.absolute() / PIPELINE) as path:
        return PipelineModel.load(_local_uri(path))


def part_folders(folder: Path) -> dict[str | None, Path]:
    """Return the folder of each fitted pipeline of a version, by its value; of the only one the version's own."""
    folders = _document(folder).get("values")
    return {value: folder / VALUES / name for name, value in sorted(folders.items())} if folders else {None: folder}


def read_parts(folder: Path) -> tuple[FittedPart, ...]:
    """Return the fitted pipelines of a version, whose files are checked first.

    Raises:
        DataError: a file is missing, was changed or is not one of the fitted model's.
    """
    folders = part_folders(folder)
    if None not in folders:
        _check(folder, VALUES)
    with ThreadPoolExecutor(min(len(folders), _MOST_AT_ONCE), "load") as pool:
        pipelines = list(pool.map(read_pipeline, folders.values()))
    return tuple(
        FittedPart(value, own, pipeline, read_signature(own))
        for (value, own), pipeline in zip(folders.items(), pipelines, strict=True)
    )


def _check(folder: Path, below: str) -> None:
    """Compare the files of a fitted model with their checksums."""
    expected = _document(folder)["checksums"]
    found = checksums(folder / below)
    if found != expected:
        wrong = sorted(name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name))
        shown = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        raise DataError(
            f"the fitted model in '{folder}' was changed after it was saved: {shown}",
            fix="put its files back, roll back to another version, or fit again with --retrain",
        )


def read_signature(folder: Path) -> Signature:
    """Return the signature of the fitted model in `folder`.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    try:
        entry = dict(_document(folder)["signature"])
        for name in ("features", "inputs", "outputs"):
            entry[name] = tuple([Column(**column) for column in entry[name]])
        entry["slot_features"] = tuple([tuple(names) for names in entry["slot_features"]])
        entry |= {name: tuple(entry.get(name, ())) for name in ("slots", "classes", "slot_means")}
        return Signature(**entry)
    except (KeyError, TypeError) as error:
        raise _other_version(folder) from error


def _other_version(folder: Path) -> DataError:
    what = f"the fitted model in '{folder}' was saved by another version of sqlml"
    return DataError(what, fix="fit it again: sqlml build --retrain NAME")


def checksums(folder: Path) -> dict[str, str]:
    """Return path (relative, forward slashes) to SHA-256 of each file below `folder`; Hadoop's own `.crc` left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".crc")
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def _document(folder: Path) -> Mapping[str, Any]:
    try:
        document = json.loads((folder / SIGNATURE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fix = "restore it from a backup, name another --version, or fit it again: sqlml build --retrain NAME"
        raise DataError(f"there is no readable fitted model in '{folder}'", fix=fix) from error
    if document.get("format") != _FORMAT:
        raise _other_version(folder)
    return dict(document)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _local_uri(path: Path) -> str:
    # Not `as_uri`: Hadoop takes %20 for three characters.
    return f"file://{path.as_posix()}"


@contextmanager
def _plain_path(path: Path) -> Iterator[Path]:
    """Give a path to the same folder without what Spark's loader takes for patterns (`[a]`, `{a}`, `a,b`)."""
    if not any(character in str(path) for character in "*?[]{},\\"):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="sqlml-") as scratch:
        link = Path(scratch) / PIPELINE
        link.symlink_to(path, target_is_directory=True)
        yield link
