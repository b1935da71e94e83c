"""Times commands as whole processes, turn by turn, and prints medians and ratios."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Command = Sequence[str | Path]


def run(command: Command, folder: Path) -> tuple[float, float]:
    """Run a command; return its wall seconds and the CPU seconds of it and its children."""
    before, started = os.times(), time.monotonic()
    finished = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - started, os.times()
    if finished.returncode != 0:
        sys.exit(f"{command} ended with {finished.returncode}:\n{finished.stdout}{finished.stderr}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


def compare(
    commands: Mapping[str, Command], folder: Path, runs: int = 3, prepare: Callable[[str], None] = lambda name: None
) -> None:
    """Run the commands in turn, the last one being what the others are compared with, and print a table."""
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            prepare(name)
            measured[name].append(run(command, folder))
    medians = {
        name: (statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times))
        for name, times in measured.items()
    }
    base = medians[list(commands)[-1]]
    print(f"{'':34}{'wall s':>9}{'CPU s':>9}{'wall x':>9}{'CPU x':>9}   (medians of {runs})")
    for name, (wall, cpu) in medians.items():
        print(f"{name:34}{wall:9.2f}{cpu:9.2f}{wall / base[0]:9.1f}{cpu / max(base[1], 0.01):9.1f}")
