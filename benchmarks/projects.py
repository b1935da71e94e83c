"""Writes projects to measure with: N SQL models in layers over one Parquet source, the same text for the same N.

As a program: projects.py FOLDER N LAYERS.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

COLUMNS = ("id", "grp", "seg", "day", "v1", "v2", "v3", "v4", "v5", "v6")
TESTS = {"id": "        data_tests: [unique, not_null]\n", "grp": "        data_tests: [not_null]\n"}

WINDOW = """with kept as (
  select * from {a}
  where v1 is not null
), numbered as (
  select
    k.*,
    row_number() over (partition by k.grp order by k.id) as place,
    lag(k.v2, 1) over (partition by k.grp order by k.id) as before_v2,
    sum(k.v3) over (partition by k.grp order by k.id rows between 6 preceding and current row) as sum_v3
  from kept as k
)
select
  n.id,
  n.grp,
  n.seg,
  n.day,
  coalesce(n.v1, 0) as v1,
  coalesce(n.before_v2, n.v2) as v2,
  n.sum_v3 / 7 as v3,
  case when n.place = 1 then 0 else n.v4 end as v4,
  n.v5 - n.v6 / 2 as v5,
  cast(n.place as double) / 1000 as v6
from numbered as n"""
JOIN = """select
  a.id,
  a.grp,
  coalesce(b.seg, a.seg) as seg,
  a.day,
  (a.v1 + coalesce(b.v1, 0)) / 2 as v1,
  a.v2 * 0.9 + coalesce(b.v3, 0) * 0.1 as v2,
  greatest(a.v3, b.v3) as v3,
  a.v4,
  abs(a.v5 - coalesce(b.v5, 0)) as v5,
  b.v6
from {a} as a
left join {b} as b on a.id = b.id and b.v1 is not null
where a.id >= 0"""
THREE = """with joined as (
  select a.id, a.grp, a.seg, a.day, a.v1, b.v2, b.v3, c.v4, c.v5, c.v6
  from {a} as a
  inner join {b} as b on a.id = b.id
  left join {c} as c on a.id = c.id
), totals as (
  select grp, avg(v1) as mean_v1, max(v4) as max_v4, count(*) as n_rows
  from joined
  where v2 is not null
  group by grp
  having count(*) > 1
)
select
  j.id,
  j.grp,
  upper(j.seg) as seg,
  date_add(j.day, 1) as day,
  j.v1 - t.mean_v1 as v1,
  j.v2,
  round(j.v3, 3) as v3,
  j.v4 / nullif(t.max_v4, 0) as v4,
  j.v5 + t.n_rows as v5,
  j.v6
from joined as j
left join totals as t on j.grp = t.grp"""
AGGREGATE = """select
  t.id,
  t.grp,
  t.seg,
  t.day,
  t.v1 - g.mean_v1 as v1,
  t.v2 / nullif(g.max_v2, 0) as v2,
  t.v3 + g.n_rows as v3,
  case when t.v4 > 0 then ln(t.v4) when t.v4 < 0 then -1 else 0 end as v4,
  t.v5,
  month(t.day) * t.v6 as v6
from {a} as t
inner join (
  select grp, avg(v1) as mean_v1, max(v2) as max_v2, count(*) as n_rows from {a} group by grp
) as g on t.grp = g.grp"""
SHAPES = (WINDOW, JOIN, THREE, AGGREGATE)


def layered_sql(count: int, layers: int) -> list[tuple[str, str, list[str]]]:
    """Return (name, SQL with {a}, {b} and {c}, the names it reads; `events` is the source) for each SQL model."""
    pick = random.Random(7)
    width = -(-count // layers)
    made: list[tuple[str, str, list[str]]] = []
    for number in range(count):
        layer = number // width
        above = [name for name, _, _ in made[(layer - 1) * width : layer * width]] if layer else ["events"]
        reads = [pick.choice(above) for _ in range(3)]
        made.append((f"m_{number:05d}", SHAPES[number % len(SHAPES)], reads))
    return made


def write_events(path: Path, rows: int) -> None:
    """Write the source as one Parquet file."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random_numbers = np.random.default_rng(7)
    columns = {
        "id": pa.array(np.arange(rows), pa.int64()),
        "grp": pa.array(random_numbers.integers(0, 50, rows), pa.int32()),
        "seg": pa.array([f"s{number}" for number in random_numbers.integers(0, 8, rows)]),
    }
    columns["day"] = pa.array(np.datetime64("2026-01-01") + random_numbers.integers(0, 60, rows), pa.date32())
    columns |= {f"v{number}": pa.array(random_numbers.normal(size=rows)) for number in range(1, 7)}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def write_project(folder: Path, count: int, layers: int = 10, rows: int = 10_000) -> list[tuple[str, str, list[str]]]:
    """Write a sqlml project of `count` SQL models, each with a YAML file and three data tests; return its SQL."""
    write_events(folder / "data" / "events.parquet", rows)
    (folder / "models").mkdir(parents=True)
    (folder / "sqlml_project.yml").write_text("name: bench\n", encoding="utf-8")
    (folder / "models" / "sources.yml").write_text(
        "version: 2\nsources:\n  - name: raw\n    tables:\n      - {name: events, path: data/events.parquet}\n",
        encoding="utf-8",
    )
    made = layered_sql(count, layers)
    for number, (name, sql, reads) in enumerate(made):
        stem = folder / "models" / f"layer_{number * layers // count:02d}" / name
        stem.parent.mkdir(exist_ok=True)
        calls = ["{{ source('raw', 'events') }}" if read == "events" else f"{{{{ ref('{read}') }}}}" for read in reads]
        config = "{{ config(tags=['bench']) }}\n"
        stem.with_suffix(".sql").write_text(config + fill(sql, calls) + "\n", encoding="utf-8")
        said = [
            f"      - name: {column}\n        description: column {column}\n{TESTS.get(column, '')}"
            for column in COLUMNS
        ]
        entry = f"version: 2\nmodels:\n  - name: {name}\n    description: generated\n    columns:\n{''.join(said)}"
        stem.with_suffix(".yml").write_text(entry, encoding="utf-8")
    return made


def fill(sql: str, relations: list[str]) -> str:
    """Return SQL with the relations that it reads put in."""
    return sql.format(**dict(zip("abc", relations, strict=True)))


if __name__ == "__main__":
    write_project(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
