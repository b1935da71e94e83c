"""Times commands as whole processes, turn by turn, and prints medians and ratios."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Command = Sequence[str | Path]

STOP = """
from pyspark import SparkContext
jvm = SparkContext._gateway.proc
spark.stop()
jvm.stdin.close()
jvm.wait()
"""
"""Ends a script's Spark, and waits for it: the CPU time of a process that nobody waited for is lost."""


class Cost(NamedTuple):
    """What a command cost: seconds on the clock, CPU seconds of it and its children, and its own peak memory."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: Command, folder: Path) -> Cost:
    """Run a command in a folder; end with what it said if it fails."""
    # A package that was installed has its bytecode.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as said:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command], cwd=folder, stdout=said, stderr=said, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{command} ended with {process.returncode}:\n{said.read()}")
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1_000_000)


def compare(
    commands: Mapping[str, Command], folder: Path, runs: int = 3, prepare: Callable[[str], None] = lambda name: None
) -> None:
    """Run the commands in turn, the last one being what the others are compared with, and print a table.

    Args:
        prepare: called with a command's name before each of its runs.
    """
    measured: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            prepare(name)
            measured[name].append(run(command, folder))
    medians = {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in measured.items()}
    base = medians[list(commands)[-1]]
    print(f"{'':34}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'wall x':>9}{'CPU x':>9}   (medians of {runs})")
    for name, cost in medians.items():
        ratios = f"{cost.wall_s / base.wall_s:9.1f}{cost.cpu_s / max(base.cpu_s, 0.01):9.1f}"
        print(f"{name:34}{cost.wall_s:9.2f}{cost.cpu_s:9.2f}{cost.peak_mb:9.0f}{ratios}")
