"""The one Spark session of the test run, and commands that run on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from sqlml.run.session import SessionSettings, close, open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def pytest_configure() -> None:
    """Give the many short-lived JVMs of the tests the quick compiler alone; the full one costs twice their CPU time."""
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A local session on two cores, opened as a build opens it."""
    session = open_session(SessionSettings(tmp_path_factory.mktemp("spark_logs"), cores=2, memory="2g"))
    yield session
    close(session)


@pytest.fixture(scope="module")
def warm(spark: SparkSession) -> Iterator[None]:
    """Let the commands that a module calls use the test run's session, where each would start and end a JVM."""

    def start(settings: SessionSettings) -> None:
        settings.log_folder.mkdir(parents=True, exist_ok=True)

    def forget(session: SparkSession) -> None:
        for view in session.catalog.listTables():
            session.catalog.dropTempView(view.name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sqlml.run.engine.start_session_jvm", start)
        patch.setattr("sqlml.run.engine.open_session", lambda settings, jvm: start(settings) or spark)
        patch.setattr("sqlml.run.engine.close", forget)
        yield
