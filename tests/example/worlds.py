"""Small worlds around moments in time: real flights in, two copies of each world out, equal but for the future.

A world is a moment t, some flights from a month before it to a day after, and the weather around it. It stands in the
data twice: real, and with every outcome that became known after t replaced. Each copy has airlines, airports, aircraft
and weather stations of its own (`UA` is `017r.UA` in the real copy of world 17): SQL that matches rows by any of them
sees one copy of one world only, and all worlds are computed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from example.project import Built

MINUTE, HOUR, DAY = pd.Timedelta(minutes=1), pd.Timedelta(hours=1), pd.Timedelta(days=1)
REAL, CHANGED = "r.", "c."
NAMES = ["carrier", "origin", "dest", "tailnum"]
OUTCOMES = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]
MEASURED = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
PREFIX_LENGTH = 5


@dataclass(frozen=True)
class Worlds:
    """Both copies of all worlds, in the form of the project's sources and seeds.

    Attributes:
        copies: `prefix` of the names in each copy, and its moment `t`.
        changed: world to how many flights have another outcome in the changed copy.
        in_the_air: world to how many of them were to have left before t, and had not arrived.
    """

    copies: pd.DataFrame
    flights: pa.Table
    weather: pd.DataFrame
    planes: pd.DataFrame
    changed: pd.Series
    in_the_air: pd.Series


def make_worlds(built: Built, count: int, seed: int) -> Worlds:
    """Make worlds around `count` moments, each the scheduled departure of some flight."""
    rng = np.random.default_rng(seed)
    flights = _read_flights(built)
    weather = pd.read_csv(built.root / "data" / "weather.csv", parse_dates=["time_hour"])
    moments = pd.DatetimeIndex(rng.choice(flights.sched_dep_ts.unique(), count, replace=False)).sort_values()
    picked, skies = [], []
    for number, moment in enumerate(moments):
        sky = weather[weather.time_hour.between(moment - DAY, moment + 6 * HOUR)]
        picked.append(_pick_flights(flights, moment, rng).assign(world=f"{number:03}", t=moment))
        skies.append(sky.assign(world=f"{number:03}", t=moment))
    before, sky = pd.concat(picked, ignore_index=True), pd.concat(skies, ignore_index=True)
    after = _change_outcomes(before, rng)
    is_changed = (before[OUTCOMES].fillna(-9999) != after[OUTCOMES].fillna(-9999)).any(axis=1)
    both = _two_copies(before, after)
    schema = pq.read_schema(built.root / "data" / "flights.parquet").remove_metadata()
    planes = pd.read_csv(built.root / "seeds" / "planes.csv")
    asked = both.loc[both.sched_dep_ts == both.t, ["prefix", "tailnum"]].drop_duplicates()
    return Worlds(
        copies=both[["prefix", "t"]].drop_duplicates(),
        flights=pa.Table.from_pandas(_own_names(both, NAMES)[schema.names], schema=schema, preserve_index=False),
        weather=_own_names(_two_copies(sky, _change_weather(sky, rng)), ["origin"]),
        planes=_own_names(planes.merge(asked, on="tailnum"), ["tailnum"]),
        changed=is_changed.groupby(before.world).sum(),
        in_the_air=(is_changed & (before.sched_dep_ts < before.t)).groupby(before.world).sum(),
    )


def _read_flights(built: Built) -> pd.DataFrame:
    """Return the source's flights and what staging computed of them, by scheduled departure."""
    raw = pd.read_parquet(built.root / "data" / "flights.parquet")
    day = pd.to_datetime(raw[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    parts = [raw.carrier, raw.flight.astype(str), raw.origin, raw.sched_dep_time.astype(str).str.zfill(4)]
    raw["flight_id"] = day.str.cat(parts, sep="-")
    instants = built.table("stg_flights")[["flight_id", "sched_dep_ts", "sched_arr_ts", "arr_ts"]]
    flights = raw.merge(instants, on="flight_id", validate="one_to_one")
    assert len(flights) == len(raw)
    # Numbers, because they are compared hundreds of times; null is -1.
    flights["carrier_code"] = pd.factorize(flights.carrier)[0]
    flights["tail_code"] = pd.factorize(flights.tailnum)[0]
    flights["route_code"] = pd.factorize(flights.origin + flights.dest)[0]
    return flights.sort_values(["sched_dep_ts", "flight_id"], ignore_index=True)


def _pick_flights(flights: pd.DataFrame, moment: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Return all flights at `moment` and a part of those that their features could look at, past and future."""
    start, end = flights.sched_dep_ts.searchsorted([moment - 31 * DAY, moment + DAY])
    near = flights.iloc[start:end]
    now = near[near.sched_dep_ts == moment]
    age = moment - near.sched_dep_ts
    chance = rng.random(len(near))
    same_route = near.route_code.isin(now.route_code)
    same_tail = near.tail_code.isin(now.tail_code[now.tail_code >= 0])
    same_carrier = near.carrier_code.isin(now.carrier_code)
    return near[
        (age == pd.Timedelta(0))
        | same_tail
        | (same_route & ((chance < 0.2) | (age < DAY)))
        | (age.between(-4 * HOUR, 8 * HOUR) & (chance < 0.3))
        | (same_carrier & (age < 8 * DAY) & (chance < 0.03))
    ]


def _change_outcomes(flights: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Replace what became known after t, or never did, by something else that is known after t or never."""
    later = ~(flights.arr_ts <= flights.t)
    n = len(flights)
    # The first whole minute of delay with which a flight arrives after t.
    least = (flights.t - flights.sched_arr_ts) // MINUTE + 1
    delay = (np.maximum(least, -60) + rng.integers(0, 600, n)).astype(float)
    is_cancelled = rng.random(n) < 0.2
    clocks = [rng.integers(0, 24, n) * 100 + rng.integers(0, 60, n) for _ in range(2)]
    outcomes = {
        "dep_time": clocks[0],
        "dep_delay": rng.integers(-20, 600, n),
        "arr_time": clocks[1],
        "arr_delay": delay,
        "air_time": rng.integers(20, 700, n),
    }
    changed = flights.copy()
    for name, values in outcomes.items():
        changed[name] = flights[name].where(~later, pd.Series(values, flights.index).mask(is_cancelled))
    arrival = changed.sched_arr_ts + changed.arr_delay * MINUTE
    assert (changed.arr_delay.isna() | (arrival > changed.t))[later].all()
    return changed


def _change_weather(sky: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    changed = sky.copy()
    changed.loc[sky.time_hour > sky.t, MEASURED] = rng.uniform(1, 100, ((sky.time_hour > sky.t).sum(), len(MEASURED)))
    return changed


def _two_copies(real: pd.DataFrame, changed: pd.DataFrame) -> pd.DataFrame:
    copies = [real.assign(prefix=real.world + REAL), changed.assign(prefix=changed.world + CHANGED)]
    return pd.concat(copies, ignore_index=True)


def _own_names(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Put each copy's prefix before what its rows are matched by; null stays null."""
    return rows.assign(**{name: rows.prefix + rows[name] for name in names})
