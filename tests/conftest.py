"""The one Spark session of a test process, commands that run on it, and who runs which tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from sqlml.run.class_archive import can_archive, class_archive_path
from sqlml.run.java import find_java
from sqlml.run.jvm import find_spark_home
from sqlml.run.session import SessionSettings, close, open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def pytest_configure() -> None:
    """Make the many short-lived processes of the tests cheap.

    JVMs get the quick compiler alone, since the full one costs twice their CPU time. With it comes a small cache of
    compiled code. A whole run fills it, and Java would throw code away and make it anew.
    """
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m")
    # In the background of a script Ctrl-C is ignored, by what is started there too, and some tests press it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Where Python may not keep what it compiled, every command of a test would compile the whole package again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


FIRST = ("example", "life", "cli", "spark")
# What they wait for, the built example, is made by another file.
LATER = ("test_example.py", "test_honest_in_time.py")
ARCHIVE_FOLDER = "class archive"
MAKE_ARCHIVE = """
import sys
from pathlib import Path
from sqlml.run.class_training import make_class_archive
make_class_archive(Path(sys.argv[1]))
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked 'long' too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put first what takes longest, so that processes that share the files end together."""
    here = Path(__file__).parent
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(here)
        return FIRST.index(path.parts[0]) if path.parts[0] in FIRST and path.name not in LATER else len(FIRST)

    items.sort(key=rank)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the archive, which takes 200 MB, once every process is done with it."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None and not hasattr(config, "workerinput"):
        shutil.rmtree(factory.getbasetemp() / ARCHIVE_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def class_archive(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the many JVMs of a whole run start in half of the time, with an archive of Spark's classes, made once."""
    # Making it costs as much as ten starts without it.
    are_many = any(item.get_closest_marker("slow") for item in request.session.items)
    java = find_java(os.environ) if are_many else None
    if java is None or class_archive_path(java, find_spark_home()).is_file() or not can_archive(java):
        yield
        return
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / ARCHIVE_FOLDER
    with pytest.MonkeyPatch.context() as patch, FileLock(f"{folder}.lock") as lock:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        if not class_archive_path(java, find_spark_home()).is_file():
            arguments = [sys.executable, "-c", MAKE_ARCHIVE, str(folder / "logs")]
            made = subprocess.run(arguments, capture_output=True, text=True, check=False)
            assert made.returncode == 0, made.stderr
        lock.release()
        yield


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory, class_archive: None) -> Iterator[SparkSession]:
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
