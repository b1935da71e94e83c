"""What a phase may use besides its input, none of which changes what comes out: a cache and a stop-watch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlml.ir.cache import Cache, NoCache


@dataclass(slots=True)
class Pass:
    """The time that one pass of a phase took, without that of passes inside of it.

    Attributes:
        wall_s, cpu_s: seconds; CPU seconds are those of this process.
    """

    phase: str
    name: str
    wall_s: float = 0.0
    cpu_s: float = 0.0


class Timing:
    """Adds up the time of passes; what the process did before counts as its first one."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()
        self._start_s = time.process_time()
        self._passes: dict[tuple[str, str], Pass] = {}
        self._inside = [Pass("", "")]

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The passes, in the order in which they began first; the last one is all else until now."""
        measured = self._inside[0]
        wall_s = time.perf_counter() - self._began_s - measured.wall_s
        cpu_s = time.process_time() - self._start_s - measured.cpu_s
        start = Pass("start", "Python and imports", self._start_s, self._start_s)
        return start, *self._passes.values(), Pass("", "between these", wall_s, cpu_s)

    @contextmanager
    def measure(self, phase: str, name: str) -> Iterator[None]:
        """Add the time that the block takes to the pass `name` of `phase`."""
        own = self._passes.setdefault((phase, name), Pass(phase, name))
        spent = Pass(phase, name)
        self._inside.append(spent)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            own.wall_s += wall - spent.wall_s
            own.cpu_s += cpu - spent.cpu_s
            self._inside.pop()
            self._inside[-1].wall_s += wall
            self._inside[-1].cpu_s += cpu


@dataclass(frozen=True, slots=True)
class Aids:
    """What every phase is given.

    Attributes:
        cache: what earlier runs found out.
        timing: where the time goes.
    """

    cache: Cache = field(default_factory=NoCache)
    timing: Timing = field(default_factory=Timing)
