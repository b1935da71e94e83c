"""Live progress of a run: a table that moves on a terminal, plain lines elsewhere, nothing with --json."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sqlml.ir.results import Progress, Status, StepResult

if TYPE_CHECKING:
    from rich.console import Console

COLORS = {
    Status.SUCCESS: "green",
    Status.KEPT: "bright_black",
    Status.WARN: "yellow",
    Status.FAIL: "red",
    Status.ERROR: "red",
    Status.SKIPPED: "yellow",
}


@contextmanager
def open_progress(is_json: bool) -> Iterator[Progress]:
    """Give the progress that fits where stdout goes."""
    if is_json:
        yield SilentProgress()
    elif sys.stdout.isatty():
        from rich.console import Console

        with LiveProgress(Console()) as live:
            yield live
    else:
        yield PlainProgress()


def line_of(result: StepResult) -> str:
    """Return one line: how it ended, kind, name, rows, seconds, and what there is to say."""
    kind, _, name = result.node_id.partition(".")
    rows = "" if result.rows is None else f"{result.rows:,} rows"
    seconds = f"{result.duration_s:.1f} s"
    # What more there is, a table, comes with the error.
    said = result.message.partition("\n")[0]
    return f"{result.status.value:<8}{kind:<11}{name:<32} {rows:>16} {seconds:>8}  {said}".rstrip()


def is_worth_a_line(result: StepResult) -> bool:
    """Whether a person wants to hear of it: what was kept because nothing changed is only counted at the end."""
    return result.status is not Status.KEPT


class SilentProgress:
    """Says nothing."""

    def started(self, node_id: str) -> None:
        """Say nothing."""

    def ended(self, result: StepResult) -> None:
        """Say nothing."""


class PlainProgress:
    """One line for each step that did something."""

    def started(self, node_id: str) -> None:
        """Say nothing: the line comes with the end."""

    def ended(self, result: StepResult) -> None:
        """Print the step's line."""
        if is_worth_a_line(result):
            click.echo(line_of(result))


class LiveProgress:
    """Lines for what ended, and below them what is running, with its seconds."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._render)

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._live.stop()

    def started(self, node_id: str) -> None:
        """Show the step as running."""
        with self._lock:
            self._running[node_id] = time.monotonic()

    def ended(self, result: StepResult) -> None:
        """Print the step's line above what is running."""
        from rich.text import Text

        with self._lock:
            self._running.pop(result.node_id, None)
        if is_worth_a_line(result):
            self._console.print(Text(line_of(result), style=COLORS[result.status]))

    def _render(self) -> str:
        with self._lock:
            now = time.monotonic()
            return "\n".join(f"running {node_id}  {now - since:.0f} s" for node_id, since in self._running.items())
