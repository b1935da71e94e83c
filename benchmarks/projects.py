"""Writes projects to measure with: N SQL models in layers over one Parquet source, the same text for the same N."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("id", "grp", "seg", "v1", "v2", "v3")
TESTS = {"id": "        data_tests: [unique, not_null]\n", "grp": "        data_tests: [not_null]\n"}

WINDOW = """select
  s.id, s.grp, s.seg,
  coalesce(s.v1, 0) as v1,
  lag(s.v2) over (partition by s.grp order by s.id) as v2,
  sum(s.v3) over (partition by s.grp order by s.id rows between 6 preceding and current row) as v3
from {a} as s"""
JOIN = """select
  a.id, a.grp, coalesce(b.seg, a.seg) as seg,
  (a.v1 + coalesce(b.v1, 0)) / 2 as v1,
  case when a.v2 > b.v2 then a.v2 else b.v2 end as v2,
  abs(a.v3 - coalesce(b.v3, 0)) as v3
from {a} as a
left join {b} as b on a.id = b.id"""
AGGREGATE = """with totals as (
  select grp, avg(v1) as mean_v1, max(v2) as max_v2, count(*) as n from {a} group by grp
)
select
  t.id, t.grp, upper(t.seg) as seg,
  t.v1 - totals.mean_v1 as v1,
  t.v2 / nullif(totals.max_v2, 0) as v2,
  t.v3 + totals.n as v3
from {a} as t
inner join totals on t.grp = totals.grp"""


def layered_sql(count: int, layers: int) -> list[tuple[str, str, list[str]]]:
    """Return (name, SQL with {a} and {b}, the names it reads; `events` is the source) for each SQL model."""
    pick = random.Random(7)
    width = -(-count // layers)
    made: list[tuple[str, str, list[str]]] = []
    for number in range(count):
        layer = number // width
        above = [name for name, _, _ in made[(layer - 1) * width : layer * width]] if layer else ["events"]
        reads = [pick.choice(above), pick.choice(above)]
        made.append((f"m_{number:05d}", (WINDOW, JOIN, AGGREGATE)[number % 3], reads))
    return made


def write_events(path: Path, rows: int) -> None:
    """Write the source as one Parquet file."""
    random_numbers = np.random.default_rng(7)
    columns = {
        "id": pa.array(np.arange(rows), pa.int64()),
        "grp": pa.array(random_numbers.integers(0, 50, rows), pa.int32()),
        "seg": pa.array([f"s{number}" for number in random_numbers.integers(0, 8, rows)]),
    }
    columns |= {name: pa.array(random_numbers.normal(size=rows)) for name in ("v1", "v2", "v3")}
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
    for name, sql, reads in made:
        calls = ["{{ source('raw', 'events') }}" if read == "events" else f"{{{{ ref('{read}') }}}}" for read in reads]
        (folder / "models" / f"{name}.sql").write_text(sql.format(a=calls[0], b=calls[1]) + "\n", encoding="utf-8")
        said = [
            f"      - name: {column}\n        description: column {column}\n{TESTS.get(column, '')}"
            for column in COLUMNS
        ]
        columns = "".join(said)
        entry = f"version: 2\nmodels:\n  - name: {name}\n    description: generated\n    columns:\n{columns}"
        (folder / "models" / f"{name}.yml").write_text(entry, encoding="utf-8")
    return made
