"""Features know nothing of the future: change every outcome known after t, and no bit of a feature at t moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from example.project import Built, copy_project, run_sqlml
from example.worlds import CHANGED, PREFIX_LENGTH, REAL, Worlds, make_worlds

MOMENTS = 60
LABELS = ("is_late", "arr_delay")
COMPILED = "target/compiled/models"

pytestmark = [pytest.mark.spark, pytest.mark.slow]

Features = dict[str, dict[str, dict[str, str]]]


@pytest.fixture(scope="module")
def worlds(built, spark, tmp_path_factory) -> Worlds:
    """Worlds, and the relations that the features' SQL reads as temp views over them."""
    made = make_worlds(built, MOMENTS, seed=2013)
    folder = tmp_path_factory.mktemp("worlds")
    define_relations(spark, built, made, folder)
    yield made
    for view in spark.catalog.listTables():
        spark.catalog.dropTempView(view.name)


def define_relations(spark, built: Built, worlds: Worlds, folder: Path) -> None:
    def sql(name: str) -> Any:
        return spark.sql((built.root / COMPILED / f"staging/{name}.sql").read_text("utf-8"))

    def define(name: str, rows: pa.Table) -> None:
        pyarrow.parquet.write_table(rows, folder / f"{name}.parquet", coerce_timestamps="us")
        spark.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)

    define("source__raw__flights", worlds.flights)
    define("source__raw__weather", pa.Table.from_pandas(worlds.weather, preserve_index=False))
    define("dev__planes", pa.Table.from_pandas(worlds.planes, preserve_index=False))
    define("copies", pa.Table.from_pandas(worlds.copies, preserve_index=False))
    spark.read.parquet(str(built.root / "warehouse/tables/dev/airports/current")).createOrReplaceTempView(
        "dev__airports"
    )
    # The SQL names some airports itself, so that its result is copied and not what it reads.
    sql("stg_airports").createOrReplaceTempView("airports_of_all")
    spark.sql(
        "select concat(prefix, airport) as airport, name, time_zone from airports_of_all cross join copies"
    ).createOrReplaceTempView("dev__stg_airports")
    sql("stg_planes").createOrReplaceTempView("dev__stg_planes")
    sql("stg_weather").createOrReplaceTempView("dev__stg_weather")
    sql("stg_flights").write.parquet(str(folder / "stg_flights"))
    spark.read.parquet(str(folder / "stg_flights")).createOrReplaceTempView("dev__stg_flights")


def features_at_moments(spark, root: Path) -> Features:
    """Return copy's prefix -> flight -> feature -> its value to the last bit, of flights at their world's moment."""
    spark.sql((root / COMPILED / "features/flight_features.sql").read_text("utf-8")).createOrReplaceTempView("features")
    rows = spark.sql(
        "select prefix, features.* from features "
        f"join copies on prefix = left(carrier, {PREFIX_LENGTH}) and t = sched_dep_ts"
    )
    found: Features = {}
    for row in rows.toArrow().to_pylist():
        prefix = row.pop("prefix")
        # repr tells null from NaN and 0.0 from -0.0, and gives every digit of a double.
        values = {name: repr(value).replace(prefix, "") for name, value in row.items() if name not in LABELS}
        flights = found.setdefault(prefix, {})
        assert values["flight_id"] not in flights
        flights[values["flight_id"]] = values
    return found


def moved(features: Features, worlds: Worlds) -> dict[str, set[str]]:
    """Return world -> the features that differ between its copies in any flight."""
    differing = {}
    for world in worlds.changed.index:
        real, changed = features[world + REAL], features[world + CHANGED]
        assert real.keys() == changed.keys()
        assert real
        differing[world] = {
            name for flight in real for name in real[flight] if real[flight][name] != changed[flight][name]
        }
    return differing


@pytest.fixture(scope="module")
def honest(built, spark, worlds) -> Features:
    return features_at_moments(spark, built.root)


def test_the_worlds_could_tell(worlds, honest):
    """The futures do differ, and the features do look at something."""
    assert worlds.copies.t.nunique() == MOMENTS
    assert worlds.changed.min() > 10
    assert (worlds.in_the_air > 0).mean() > 0.95
    values = [flight for flights in honest.values() for flight in flights.values()]
    assert len(values) >= 2 * MOMENTS
    for name in ("carrier_delay_6h", "carrier_late_7d", "origin_delay_3h", "route_late_30d", "aircraft_delay_7d"):
        present = {flight[name] for flight in values} - {"None"}
        assert len(present) > 0.3 * len(values) / 2, name
    assert sum(flight["temperature"] != "None" for flight in values) > 0.95 * len(values)


def test_no_feature_knows_what_comes_after(worlds, honest):
    differing = {world: names for world, names in moved(honest, worlds).items() if names}
    assert differing == {}


def test_careless_windows_are_caught(spark, worlds, tmp_path):
    """By the same worlds: windows that count flights by scheduled departure, some of which are still in the air."""
    root = copy_project(tmp_path / "careless")
    finished = run_sqlml(root, "compile", "--vars", "{known_by: sched_dep_ts}")
    assert finished.returncode == 0, finished.stderr
    differing = moved(features_at_moments(spark, root), worlds)
    assert sum(bool(names) for names in differing.values()) > 0.9 * MOMENTS
    caught = set().union(*differing.values())
    assert {"carrier_delay_6h", "carrier_late_7d", "origin_delay_3h", "route_delay_1d", "route_late_30d"} <= caught
    # Neither weather nor timetable has anything to do with it.
    assert {name.split("_")[0] for name in caught} <= {"carrier", "origin", "route", "aircraft"}
