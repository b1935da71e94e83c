"""The Spark settings that every session of sqlml has, as data: they are part of fingerprints and signatures."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PINNED_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # An overflow, a bad cast or a division by zero is an error, in training and in serving, and not a null.
        "spark.sql.ansi.enabled": "true",
        # The same instant gives the same hour of day on every machine.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.caseSensitive": "false",
    }
)
"""Spark setting to its value; a project cannot change them."""
