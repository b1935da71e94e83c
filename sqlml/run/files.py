"""Files that people bring and take away: rows to score in, scored rows out."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.errors import CommandError, DataError, EnvironmentFault, StepError
from sqlml.ir.state import Signature
from sqlml.run.failure import Doing, spark_failures
from sqlml.run.misfits import Reading, explain_misfit
from sqlml.run.tables import NO_GLOB, READ_DEFAULTS, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_FORMATS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet", ".orc": "orc"}
# As sources are read; a person's file may have line ends inside of quotes.
_OPTIONS = {**READ_DEFAULTS, "csv": {**READ_DEFAULTS["csv"], "multiLine": "true"}}


def read_input(spark: SparkSession, path: Path, signature: Signature) -> DataFrame:
    """Return the rows of a file or folder; in csv and json, which carry no types, features get the signature's.

    What else a csv file has stays the text that it is, so that `007` passes through as `007`.

    Raises:
        CommandError: the format cannot be told from the ending.
        DataError: the file is empty or not of its format.
    """
    file_format = _format(path)
    _check_header(path, file_format)
    reader = spark.read.format(file_format).option(*NO_GLOB)
    for option, value in _OPTIONS.get(file_format, {}).items():
        reader = reader.option(option, value)
    try:
        with spark_failures(Doing(f"'{path}' cannot be read")):
            if file_format in _OPTIONS:
                reader = reader.schema(_with_features(reader.load(str(path)).schema, signature))
            return reader.load(str(path))
    except StepError as error:
        # Nothing has run yet but the reading of a schema: the file is what is wrong.
        raise DataError(error.what, fix=f"see that it is a whole {file_format} file") from error


def _format(path: Path) -> str:
    endings = [path.suffix.lower()]
    if path.is_dir():
        endings += sorted({file.suffix.lower() for file in path.iterdir() if file.name[0] not in "._"})
    found = next((_FORMATS[ending] for ending in endings if ending in _FORMATS), None)
    if found is None:
        raise CommandError(f"the format of '{path}' is unknown", fix=f"use a file ending in {', '.join(_FORMATS)}")
    return found


def _check_header(path: Path, file_format: str) -> None:
    if file_format != "csv" or path.is_dir():
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except OSError as error:
        raise EnvironmentFault(f"'{path}' cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"'{path}' is not a csv file in UTF-8", fix="save it as UTF-8, or as Parquet") from error
    if not header:
        raise DataError(f"'{path}' is empty", fix="its first line must name the columns")


def _with_features(inferred: StructType, signature: Signature) -> StructType:
    from pyspark.sql.types import DataType, StructField, StructType

    types = {column.name.lower(): column.type for column in signature.features}
    return StructType(
        [
            StructField(field.name, DataType.fromDDL(types[field.name.lower()]))
            if field.name.lower() in types
            else field
            for field in inferred
        ]
    )


def reading_of(path: Path, signature: Signature) -> Reading:
    """Return how `read_input` reads a csv file, to say what in it is wrong."""
    types = {column.name.lower(): column.type for column in signature.features}
    return Reading(f"'{path}'", path, _OPTIONS["csv"], types, fix=f"'{signature.ml_model}' needs it: correct the file")


def write_rows(rows: DataFrame, output: Path, predicted: str, reading: Reading | None = None) -> tuple[int, int]:
    """Write `rows` to `output`, whole or not at all, in place of what is there.

    Returns how many there are, and how many of them have no prediction.

    `.csv`, `.json` and `.jsonl` give one file; anything else a folder of Parquet files.

    Args:
        predicted: the column with the prediction.
        reading: how the rows are read, if they are of a file.

    Raises:
        DataError: a value of the input is not of its type.
        EnvironmentFault: the output cannot be written.
        StepError: Spark failed.
    """
    draft = output.with_name(f".{output.name}.new")

    def explain(file: Path) -> DataError | None:
        return explain_misfit(rows.sparkSession, reading, file) if reading else None

    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _remove(draft)
        try:
            with spark_failures(Doing(f"'{output}' cannot be written", explain=explain)):
                counts = _write(rows, output.suffix.lower(), draft, predicted)
            _remove(output)
            draft.rename(output)
        finally:
            _remove(draft)
            _remove(_parts(draft))
    except OSError as error:
        raise EnvironmentFault(f"'{output}' cannot be written: {error.strerror}") from error
    return counts


def is_written(output: Path) -> bool:
    """Whether `output` is a file, or a folder with nothing but what `write_rows` leaves: safe to replace."""
    return not output.is_dir() or all(
        file.name.startswith((".", "part-")) or file.name == "_SUCCESS" for file in output.iterdir()
    )


def _write(rows: DataFrame, ending: str, draft: Path, predicted: str) -> tuple[int, int]:
    from pyspark.sql import Observation
    from pyspark.sql.functions import count, expr, lit

    columns = list(rows.columns)
    if ending == ".csv":
        rows = rows.selectExpr(*[_flat(quote(field.name), field.dataType.simpleString()) for field in rows.schema])
    # Counted on the way, so that nothing is read twice.
    counted = Observation()
    without = expr(f"count_if({quote(predicted)} IS NULL)")
    rows = rows.observe(counted, count(lit(1)).alias("rows"), without.alias("without"))
    parts = _parts(draft)
    if ending == ".csv":
        rows.write.option("escape", '"').csv(str(parts))
        _join(parts, draft, columns)
    elif ending in (".json", ".jsonl"):
        rows.write.option("ignoreNullFields", "false").json(str(parts))
        _join(parts, draft, None)
    else:
        rows.write.parquet(str(draft))
    return int(counted.get["rows"]), int(counted.get["without"])


def _flat(name: str, data_type: str) -> str:
    """Return the expression of a column that CSV can hold: what has parts becomes JSON text."""
    has_parts = data_type.startswith(("array", "map", "struct"))
    return f"to_json({name}, map('ignoreNullFields', 'false')) as {name}" if has_parts else name


def _join(parts: Path, draft: Path, header: list[str] | None) -> None:
    """Put part files one after another, bytes as they are, under one header."""
    with draft.open("w", encoding="utf-8", newline="") as file:
        if header is not None:
            csv.writer(file, lineterminator="\n").writerow(header)
    with draft.open("ab") as joined:
        for part in sorted(parts.glob("part-*")):
            with part.open("rb") as file:
                shutil.copyfileobj(file, joined)


def _parts(draft: Path) -> Path:
    return draft.with_name(draft.name + ".parts")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
