"""Keeps what Spark cuts a long lineage with: a folder of a project in, checkpoints below it until it is removed."""

from __future__ import annotations

import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OWN_SETTING = "spark.checkpoint.dir"


class Checkpoints:
    """Checkpoints of one session.

    Without them each iteration of some estimators makes the lineage longer, until a JVM that serializes it runs out of
    stack.

    Args:
        folder: they are kept in a folder of their own below it, which Spark makes. A target whose executors do not see
            this machine's files says where else, by Spark's own setting.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._made: Path | None = None

    def allow(self, session: SparkSession) -> None:
        """Let estimators make checkpoints from now on."""
        context = session.sparkContext
        with self._lock:
            if self._made is None and context.getConf().get(OWN_SETTING) is None:
                context.setCheckpointDir(self._folder.absolute().as_uri())
                self._made = self._folder / str(context.getCheckpointDir()).rpartition("/")[2]

    def remove(self) -> None:
        """Delete them; fitted models that were not saved can then no longer be read."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
            # Another build may have some, or `sqlml clean` may have been there.
            with suppress(OSError):
                self._folder.rmdir()
