"""Keeps Python's warnings and pyspark's loggers off the terminal: a log file in, silence out."""

from __future__ import annotations

import logging
from pathlib import Path

# pyspark writes each failed query to stderr through these, as one line of JSON with the whole Java trace.
PYSPARK_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
OTHER_LOGGERS = ("py.warnings", "py4j")


class PythonLogs:
    """Warnings and pyspark's log records, written to a file until `close`."""

    def __init__(self, log_file: Path) -> None:
        from pyspark.logger import PySparkLogger

        log_file.parent.mkdir(parents=True, exist_ok=True)
        self._file = logging.FileHandler(log_file, encoding="utf-8", delay=True)
        self._file.setLevel(logging.WARNING)
        # A logger that pyspark has not made itself would lack what pyspark calls on it.
        self._loggers: list[logging.Logger] = [PySparkLogger.getLogger(name) for name in PYSPARK_LOGGERS]
        self._loggers += [logging.getLogger(name) for name in OTHER_LOGGERS]
        for logger in self._loggers:
            for handler in list(logger.handlers):
                logger.removeHandler(handler)
            logger.addHandler(self._file)
        logging.captureWarnings(True)

    def close(self) -> None:
        """Close the file; the loggers stay silent, since a logger without a handler writes to stderr."""
        logging.captureWarnings(False)
        for logger in self._loggers:
            logger.removeHandler(self._file)
            logger.addHandler(logging.NullHandler())
        self._file.close()
