"""How much memory Spark gets: what the machine or its container has in, a heap size for Java out."""

from __future__ import annotations

import os
from pathlib import Path

MEBIBYTE = 1024 * 1024
LARGEST_HEAP_MIB = 8 * 1024
SMALLEST_HEAP_MIB = 512


def default_heap() -> str:
    """Return half of the memory as a Java size such as `4096m`, at least 512 MiB and at most 8 GiB."""
    share = memory_bytes() // 2 // MEBIBYTE
    return f"{max(SMALLEST_HEAP_MIB, min(LARGEST_HEAP_MIB, share))}m"


def memory_bytes() -> int:
    """Return the bytes of memory that this process may use: the machine's, or less if a cgroup says so."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *cgroup_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))])


def cgroup_limits(groups: Path, mount: Path) -> list[int]:
    """Return every limit, in bytes, on the process with these groups; a parent's limit holds for its children.

    Args:
        groups: the process's list of groups (`/proc/self/cgroup`).
        mount: where the groups are mounted (`/sys/fs/cgroup`).
    """
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    limits: list[int] = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            base, file_name = mount, "memory.max"
        elif "memory" in controllers.split(","):
            base, file_name = mount / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = base / name.lstrip("/")
        for folder in (own, *own.parents):
            if not folder.is_relative_to(base):
                break
            limits += _limit(folder / file_name)
    return limits


def _limit(file: Path) -> list[int]:
    try:
        return [int(file.read_text(encoding="ascii"))]
    except (OSError, ValueError):  # no such group here, or the word "max"
        return []
