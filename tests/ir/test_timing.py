"""Where the time goes: passes do not count twice, and add up to the whole."""

from __future__ import annotations

import time

from sqlml.ir.aids import Timing


def test_passes_add_up_to_the_whole():
    earliest = time.perf_counter()
    timing = Timing()
    latest = time.perf_counter()
    for _ in range(2):
        with timing.measure("compile", "outer"):
            time.sleep(0.002)
            with timing.measure("compile", "inner"):
                time.sleep(0.004)
    time.sleep(0.003)
    before = time.perf_counter()
    passes = {single.name: single for single in timing.passes}
    after = time.perf_counter()
    assert list(passes) == ["Python and imports", "outer", "inner", "between these"]
    start_s = passes["Python and imports"].wall_s
    assert before - latest <= sum(single.wall_s for single in passes.values()) - start_s <= after - earliest
    assert passes["inner"].wall_s >= 0.008
    assert 0.004 <= passes["outer"].wall_s <= before - latest - 0.008
    assert passes["between these"].wall_s >= 0.003
    cpu_s = sum(single.cpu_s for single in passes.values())
    assert 0 < start_s <= cpu_s <= time.process_time()
