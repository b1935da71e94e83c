"""Where the time of a command went: what its phases measured in, lines for a person or JSON-ready data out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlml.ir.aids import Aids


def as_lines(aids: Aids) -> Iterator[str]:
    """Yield a table of passes with a total, and what came from the cache."""
    passes = aids.timing.passes
    width = max([len(single.name) for single in passes])
    yield f"{'phase':<9}{'pass':<{width}}  wall ms   CPU ms"
    for single in passes:
        yield f"{single.phase:<9}{single.name:<{width}}{1000 * single.wall_s:9.0f}{1000 * single.cpu_s:9.0f}"
    wall_s = sum([single.wall_s for single in passes])
    cpu_s = sum([single.cpu_s for single in passes])
    yield f"{'':<9}{'total':<{width}}{1000 * wall_s:9.0f}{1000 * cpu_s:9.0f}"
    for kind, (asked, found) in aids.cache.counts.items():
        yield f"from the cache: {found} of {asked} {kind}"


def as_document(aids: Aids) -> dict[str, Any]:
    """Return the same as JSON-ready data, in seconds."""
    return {
        "passes": [
            {
                "phase": single.phase,
                "pass": single.name,
                "wall_s": round(single.wall_s, 4),
                "cpu_s": round(single.cpu_s, 4),
            }
            for single in aids.timing.passes
        ],
        "cache": {kind: {"asked": asked, "found": found} for kind, (asked, found) in aids.cache.counts.items()},
    }
