"""The one Spark session of the test run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from sqlml.run.session import SessionSettings, close, open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A local session on two cores, opened as a build opens it."""
    session = open_session(SessionSettings(tmp_path_factory.mktemp("spark_logs"), cores=2, memory="2g"))
    yield session
    close(session)
