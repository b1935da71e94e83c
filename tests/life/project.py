"""A tiny project on disk, and the real processes in which sqlml's commands run on it."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.dataset

DRIVER = Path(__file__).with_name("driver.py")

PEOPLE = [
    # A line that parts the label, with every seventh one on the wrong side: a fit that is good and not perfect.
    (number, "ab"[number % 2], number % 10, (number * 7) % 11, (number % 10 > 4) != (number % 7 == 0))
    for number in range(1, 121)
]

PROJECT_FILE = """name: life
target: dev
targets:
  dev:
    schema: dev
    memory: 1g
    spark:
      spark.master: local[2]
      spark.sql.shuffle.partitions: "2"
      # For a hundred rows, compiling code costs more than it saves.
      spark.sql.codegen.wholeStage: "false"
      spark.sql.codegen.factoryMode: NO_CODEGEN
"""

RELATIONS = """version: 2
seeds:
  - name: people
    columns:
      - {name: id, data_type: int}
      - {name: team, data_type: string}
      - {name: visits, data_type: int}
      - {name: tickets, data_type: int}
      - {name: leaves, data_type: boolean}
models:
  - name: features
    columns:
      - {name: id, data_tests: [unique]}
  - name: scores
    columns:
      - {name: probability, data_tests: [not_null]}
"""

ML_MODEL = """version: 2
ml_models:
  - name: leaver
    training_data: ref('features')
    estimator: LogisticRegression
    params: {maxIter: 5, regParam: 0.01}
    label: leaves
    keys: [id]
    features: [size, tickets]
    split: {by: hash, column: id, holdout: 0.25}
    gates: [{metric: areaUnderROC, at_least: 0.6}]
"""

FILES = {
    "sqlml_project.yml": PROJECT_FILE,
    "seeds/people.csv": "id,team,visits,tickets,leaves\n"
    + "".join(",".join(map(str, row)).lower() + "\n" for row in PEOPLE),
    "models/relations.yml": RELATIONS,
    "models/leaver.yml": ML_MODEL,
    "models/active.sql": "{{ config(materialized='view') }}\n"
    "select id, team, visits as size, tickets, leaves from {{ ref('people') }}\n",
    "models/features.sql": "-- one row per person\nselect id, team, size, tickets, leaves from {{ ref('active') }}\n",
    "models/scores.sql": "select id, size, predicted_leaves, probability\n"
    "from {{ predict('leaver', ref('features')) }}\n",
}

SEED, VIEW, FEATURES, SCORES = "seed.people", "sql_model.active", "sql_model.features", "sql_model.scores"
LEAVER = "ml_model.leaver"
STORED = (SEED, VIEW, FEATURES, LEAVER, SCORES)


@dataclass(frozen=True)
class Ended:
    """How a command ended, in a process of its own or in one that runs several.

    Attributes:
        java: how many times Java was started to run (not to ask for its version).
        has_pyspark: whether the process had imported pyspark when the command ended.
    """

    code: int
    out: str
    err: str
    java: int
    has_pyspark: bool

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err


class Commands:
    """A real process that runs one command after another; it starts with the first.

    Args:
        scratch: folder for its temporary files and those of its JVMs.
        is_warm: keep one Spark session for all commands, where each would start and end a JVM.
    """

    def __init__(self, scratch: Path, is_warm: bool = False) -> None:
        self._scratch = scratch
        self._mode = "warm" if is_warm else "commands"
        self._process: subprocess.Popen[str] | None = None

    def run(self, root: Path, *arguments: str) -> Ended:
        if self._process is None:
            self._process = start_driver(root, self._scratch, self._mode)
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps([str(root), arguments]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise AssertionError(f"the process ended: {self._process.communicate()}")
        return Ended(**json.loads(answer))

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate(timeout=60)
            self._process = None


def start_driver(root: Path, scratch: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the driver in a project's folder; Java's temporary files go to `scratch`."""
    scratch.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(DRIVER), *arguments],
        cwd=root,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(DRIVER.parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Project:
    """The folder of a project; its commands run in the process of `commands`."""

    def __init__(self, root: Path, commands: Commands) -> None:
        self.root = root
        self._commands = commands

    @classmethod
    def new(cls, root: Path, commands: Commands) -> Project:
        project = cls(root, commands)
        for name, text in FILES.items():
            project.write(name, text)
        return project

    def copy(self, root: Path, commands: Commands) -> Project:
        """Copy all of it as it lies there, links as links."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root, commands)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"'{old}' is {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    # Processes

    def run(self, *arguments: str) -> Ended:
        """Run one command of sqlml as a user would."""
        return self._commands.run(self.root, *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the driver in a process of its own."""
        return start_driver(self.root, scratch_of(self.root), *arguments)

    def kill_build_at(self, failpoint: str, number: int) -> None:
        """Let a build kill itself (-9) when it comes to `failpoint` for the `number`th time; wait for both to end."""
        process = self.start("kill", failpoint, str(number))
        out, err = process.communicate(timeout=400)
        assert process.returncode == -signal.SIGKILL, out + err
        await_end_of_java(self.root)

    # Commands

    def build(self, *arguments: str, code: int = 0) -> dict[str, str]:
        """Build; return how each step of run_results.json ended, data tests and what is only read left out."""
        ended = self.run("build", *arguments)
        assert ended.code == code, ended.text
        return self.statuses()

    def plan(self, *arguments: str) -> dict[str, str]:
        """Return `action: reasons` of what is stored, by node id; what is kept because unchanged is left out."""
        ended = self.run("plan", "--json", *arguments)
        assert (ended.code, ended.java) == (0, 0), ended.text
        steps = {step["node_id"]: step for step in ended.json["steps"] if step["node_id"] in STORED}
        said = {node_id: f"{step['action']}: {', '.join(step['reasons'])}" for node_id, step in steps.items()}
        return {node_id: text for node_id, text in said.items() if text != "keep: unchanged"}

    def versions(self) -> list[tuple[int, list[str]]]:
        """Return the versions of the one ML model with the names of their aliases."""
        ended = self.run("model", "list", "--json")
        assert (ended.code, ended.java) == (0, 0), ended.text
        return [(entry["version"], [alias["alias"] for alias in entry["aliases"]]) for entry in ended.json]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return all rows of a table, through `sqlml show`."""
        ended = self.run("show", name, "--limit", "1000", "--json")
        assert (ended.code, ended.java) == (0, 0), ended.text
        return ended.json["rows"]

    # Files

    def statuses(self) -> dict[str, str]:
        results = json.loads((self.root / "target/run_results.json").read_text(encoding="utf-8"))["results"]
        return {entry["node_id"]: entry["status"] for entry in results if entry["node_id"] in STORED}

    def messages(self) -> dict[str, str]:
        results = json.loads((self.root / "target/run_results.json").read_text(encoding="utf-8"))["results"]
        return {entry["node_id"]: entry["message"] for entry in results}

    def build_folders(self) -> dict[str, set[str]]:
        """Return what lies on disk: by table its builds' folders, by ML model its versions'."""
        found = {}
        for folder in (self.root / "warehouse").glob("*/dev/*"):
            found[folder.name] = {entry.name for entry in folder.iterdir() if not entry.is_symlink()}
        return found

    def known_folders(self) -> dict[str, set[str]]:
        """Return what the state says lies on disk, in the same form."""
        with sqlite3.connect(f"file:{self.root / 'warehouse/state.sqlite'}?mode=ro", uri=True) as state:
            locations = [row[0] for row in state.execute("select location from outputs where is_kept")]
            locations += [row[0] for row in state.execute("select location from versions")]
        found: dict[str, set[str]] = {}
        for location in filter(None, locations):
            _, _, name, build = location.split("/")
            found.setdefault(name, set()).add(build)
        return found

    def current(self, name: str) -> Path:
        """Return the folder that the link `current` of a table leads to."""
        return (self.root / "warehouse/tables/dev" / name / "current").resolve(strict=True)

    def linked_rows(self, name: str) -> int:
        return pyarrow.dataset.dataset(self.current(name), format="parquet").count_rows()


def scratch_of(root: Path) -> Path:
    return root.with_name(root.name + " tmp")


def await_end_of_java(root: Path, timeout_s: float = 30) -> None:
    """Wait until no JVM of this project runs; each has the project's scratch folder in its arguments."""
    deadline = time.monotonic() + timeout_s
    while found := running_java(root):
        assert time.monotonic() < deadline, f"still running: {found}"
        time.sleep(0.1)


def running_java(root: Path) -> list[int]:
    mark = f"-Djava.io.tmpdir={scratch_of(root)}/".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(argument.startswith(mark) for argument in arguments):
            found.append(int(entry.name))
    return found


def total(rows: list[dict[str, Any]], column: str) -> float:
    return math.fsum(row[column] for row in rows)
