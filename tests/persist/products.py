"""Products of a build for the tests of persist: small, whole, different from one build to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlml.ir.kept_trials import KeptTrial
from sqlml.ir.state import Alias, Column, Fingerprint, GateResult, Metric, Output, Signature, TestOutcome, Version

FILES = 5


def fingerprint(word: str) -> Fingerprint:
    return Fingerprint(digest=word, code=f"code {word}", parts={"sql": word, "parent:seed.größe": "1"})


def write_data(folder: Path, word: str) -> None:
    (folder / "nested").mkdir(parents=True)
    for number in range(FILES):
        (folder / f"part-{number}.parquet").write_text(word * 1000)
    (folder / "nested" / "part.parquet").write_text(word * 1000)


def read_data(location: str) -> str:
    """Return the word of the build in `location`; fail unless all of it is there and of one build."""
    words = {path.read_text()[: len(path.read_text()) // 1000] for path in Path(location).rglob("*.parquet")}
    assert len(list(Path(location).rglob("*.parquet"))) == FILES + 1
    assert len(words) == 1
    return words.pop()


def table(node_id: str, folder: Path, word: str) -> Output:
    return Output(
        node_id=node_id,
        build_id=folder.name,
        kind="table",
        fingerprint=fingerprint(word),
        relation=f"dev__{node_id.partition('.')[2]}",
        location=str(folder),
        columns=(Column("id", "bigint", is_nullable=False), Column("größe", "array<string>")),
        rows=7,
        champions={"late_arrival": 3},
        parents=("seed.a", "prediction.late_arrival.b"),
        built_at="2025-01-31T12:00:00Z",
    )


def view(node_id: str, word: str) -> Output:
    return Output(
        node_id=node_id,
        build_id=word,
        kind="view",
        fingerprint=fingerprint(word),
        relation="dev__x",
        sql=f"select '{word}'",
    )


def outcome(test_id: str, word: str) -> TestOutcome:
    return TestOutcome(test_id, fingerprint(word), "warn", failures=3, champions={"late_arrival": 2})


def signature() -> Signature:
    return Signature(
        ml_model="late_arrival",
        estimator="GBTClassifier",
        features=(Column("wind", "double"), Column("carrier", "string", is_nullable=False)),
        slots=("wind", "carrier=AA"),
        outputs=(Column("predicted_is_late", "boolean"),),
        label="is_late",
        label_type="boolean",
        classes=(False, True),
        threshold=0.25,
        settings={"spark.sql.ansi.enabled": "true"},
    )


def version(number: int, folder: Path, word: str = "1") -> Version:
    return Version(
        ml_model="late_arrival",
        version=number,
        location=str(folder),
        fingerprint=fingerprint(word),
        signature=signature(),
        metrics=(
            Metric("holdout", "areaUnderROC", 0.1 + 0.2),
            Metric("training", "logLoss", 0.5, "carrier=AA", 7, 0.4, 0.6, 0.7, 0.1, 1 / 3),
        ),
        gates=(GateResult("areaUnderROC >= 0.7", True, 0.738, "0.738 >= 0.7"),),
        facts={"rows": 10, "classes": {"true": 3}},
        created_at="2025-01-31T12:00:00Z",
    )


def trial(number: int, value: float = 0.5) -> KeptTrial:
    folds = ((Metric("training", "logLoss", value, rows=7), Metric("training", "f1", float("inf"))), ())
    return KeptTrial(number, f"{{'x': {number}}}", folds, 1.5, 3.0 * number)


def publish_table(store, node_id: str, word: str, built_at: str = "2025-01-31T12:00:00Z") -> Path:
    folder = store.begin_output(node_id)
    write_data(folder, word)
    store.data_written(node_id)
    store.audited(node_id)
    output = replace(table(node_id, folder, word), built_at=built_at)
    store.publish_output(output, [outcome(f"test.{node_id}", word)])
    return folder


def publish_version(store, word: str = "1", alias: str | None = "champion") -> int:
    number, folder = store.begin_version("late_arrival")
    write_data(folder, word)
    store.take_over_trials("late_arrival", word, "1")
    store.keep_trial("late_arrival", word, "1", trial(1))
    store.publish_version(version(number, folder, word), Alias(alias, number) if alias else None)
    return number


def build(store, word: str) -> None:
    """One build: a table and an ML model, as a run would do it."""
    with store.lock("sqlml build"):
        store.recover()
        run_id = store.start_run("build")
        publish_table(store, "sql_model.flights", word)
        publish_version(store, word)
        store.finish_run(run_id, "success")


def tree(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}
