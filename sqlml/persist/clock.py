"""The time now as the state keeps it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return the time now, UTC, ISO 8601 with milliseconds: `2025-01-31T12:00:00.000Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
