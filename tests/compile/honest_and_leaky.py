"""Reads `honest_and_leaky.sql`: pairs of SQL that differ in what a feature could know when it was asked for.

Each pair has the SQL of an ML model's training data on an honest side and on a leaky one, with the codes of what is
wrong with that. `@x` stands for `{{ ref('x') }}`. All read `stg`, one row per flight: `delay`, `status` and `landed`
are known at `landed`, and all else from the beginning. `dep` is the event time, unless `at` says another one. What
stands after `file` is another SQL model (or macro file) that both sides read; on the leaky side, one that is otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = {
    "sqlml_project.yml": "name: small\n",
    "data/flights.csv": "id,tail,carrier,word,miles,booked,dep,delay,landed,status\n"
    "1,N1,AA,early,100,2024-01-01 00:00:00,2024-01-02 00:00:00,5,2024-01-02 03:00:00,late\n",
    "models/sources.yml": "version: 2\nsources:\n  - name: raw\n    tables:\n      - name: flights\n"
    "        path: data/flights.csv\n        columns:\n          - {name: delay, known: {at: landed}}\n"
    "          - {name: landed, known: {at: landed}}\n          - {name: status, known: {at: landed}}\n",
    "models/stg.sql": "select *, delay > 15 as is_late from {{ source('raw', 'flights') }}",
}
ML_MODEL = (
    "version: 2\nml_models:\n  - name: late\n    training_data: ref('f')\n    estimator: LogisticRegression\n"
    "    label: is_late\n    positive: true\n    keys: [id]\n    features: [x]\n    event_time: {event_time}\n"
)


@dataclass
class Side:
    """The SQL of one side of a pair; `files` are the other files, by path."""

    event_time: str = "dep"
    codes: frozenset[str] = frozenset()
    sql: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def project(self) -> dict[str, str]:
        """Return the files of a project whose ML model learns from this side."""
        ml_model = ML_MODEL.format(event_time=self.event_time)
        return {**PROJECT, **self.files, "models/f.sql": self.sql, "models/ml.yml": ml_model}


@dataclass
class Pair:
    """Two sides that differ in one thing."""

    name: str
    honest: Side
    leaky: Side


def read_pairs() -> list[Pair]:
    """Return the pairs in the order of the file."""
    text = (Path(__file__).parent / "honest_and_leaky.sql").read_text(encoding="utf-8")
    return [_read_pair(*part.split("\n", 1)) for part in re.split(r"^-- pair ", text, flags=re.MULTILINE)[1:]]


def _read_pair(name: str, text: str) -> Pair:
    shared: dict[str, str] = {}
    sides: dict[str, Side] = {}
    side: Side | None = None
    for head, body in re.findall(r"^-- (file|honest|leaky|itself)\b(.*\n(?:(?!-- ).*\n?)*)", text, flags=re.MULTILINE):
        said, _, sql = body.partition("\n")
        sql = re.sub(r"@(\w+)", r"{{ ref('\1') }}", sql).strip()
        if head == "file":
            path = said.strip()
            files = shared if side is None else side.files
            files[path if "/" in path else f"models/{path}.sql"] = sql
        elif head == "itself" and side is not None:
            side.sql = sql
        else:
            words, _, event_time = said.partition(" at ")
            side = sides[head] = Side(event_time.strip() or "dep", frozenset(words.split()), sql, dict(shared))
    sides["leaky"].sql = sides["leaky"].sql or sides["honest"].sql
    return Pair(name, sides["honest"], sides["leaky"])
