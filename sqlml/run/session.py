"""Opens and closes the one Spark session: `SessionSettings` in, a `SparkSession` with pinned settings out."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import CommandError
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.run.java import Java, find_java
from sqlml.run.jvm import EXIT_TIMEOUT_S, Jvm, JvmSettings, environment_set, start_jvm
from sqlml.run.python_logs import PythonLogs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOG_FILE_NAME = "spark.log"

# A session made by `open_session` carries what `close` has to undo under this name.
_OPENED = "_sqlml_opened"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session may differ in.

    Attributes:
        log_folder: `spark.log` is appended to there.
        cores: of the local machine; None for all. Not used if `spark` sets `spark.master`.
        memory: the heap as a Java size such as `4g`; None for `spark.driver.memory`, else `default_heap`.
        spark: the target's own Spark settings; they win over sqlml's defaults, never over the pinned ones.
        app_name: shown by cluster managers.
    """

    log_folder: Path
    cores: int | None = None
    memory: str | None = None
    spark: Mapping[str, str] = field(default_factory=dict)
    app_name: str = "sqlml"

    @property
    def log_file(self) -> Path:
        """The file that takes all that Java, Spark and Python's warnings write."""
        return self.log_folder / LOG_FILE_NAME

    @property
    def master(self) -> str:
        """Spark's master URL."""
        return self.spark.get("spark.master", f"local[{self.cores or available_cores()}]")

    @property
    def is_local(self) -> bool:
        """Whether Spark runs in the driver alone."""
        return self.master == "local" or self.master.startswith("local[")


@dataclass(frozen=True, slots=True)
class _Opened:
    jvm: Jvm
    logs: PythonLogs
    interrupt: Any


def available_cores() -> int:
    """Return the cores that this process may run on."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def start_session_jvm(settings: SessionSettings, java: Java | None = None) -> Jvm:
    """Start the JVM for `open_session(settings, jvm)` and return at once; imports no pyspark.

    Raises:
        EnvironmentFault: there is no Java or no Spark to start.
        CommandError: `settings.spark` changes a pinned setting.
    """
    _refuse_pinned(settings.spark)
    spark = settings.spark
    cluster_folders = (os.environ.get(name, "") for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"))
    class_path = (spark.get("spark.driver.extraClassPath", ""), *cluster_folders)
    environment = {"PYSPARK_PYTHON": _worker_python(settings)}
    if settings.is_local:
        environment["SPARK_LOCAL_IP"] = "127.0.0.1"
    return start_jvm(
        java or find_java(os.environ),
        JvmSettings(
            log_file=settings.log_file,
            heap=settings.memory or spark.get("spark.driver.memory"),
            options=tuple(shlex.split(spark.get("spark.driver.extraJavaOptions", ""))),
            class_path=tuple(entry for entry in class_path if entry),
            environment=environment,
        ),
    )


def open_session(settings: SessionSettings, jvm: Jvm | None = None) -> SparkSession:
    """Return a new Spark session; end it with `close`.

    Args:
        settings: the same that `jvm` was started with.
        jvm: from `start_session_jvm`; None starts one now. It belongs to the session from here on.

    Raises:
        EnvironmentFault: Java or Spark did not start.
        CommandError: `settings.spark` changes a pinned setting.
    """
    _refuse_pinned(settings.spark)
    jvm = jvm or start_session_jvm(settings)
    try:
        return _open_on(jvm, settings)
    except BaseException:
        jvm.close()
        raise


def close(session: SparkSession, timeout_s: float = EXIT_TIMEOUT_S) -> None:
    """Stop `session`, end its JVM and remove its temporary files; `open_session` works again afterwards.

    Args:
        session: from `open_session`.
        timeout_s: how long the JVM may take to end by itself before it is killed.
    """
    from pyspark import SparkContext

    opened: _Opened = getattr(session, _OPENED)
    gateway = SparkContext._gateway
    if opened.jvm.is_alive():
        session.stop()
    _forget_session()
    if gateway is not None:
        gateway.close()
    opened.jvm.close(timeout_s)
    opened.logs.close()
    _set_interrupt(opened.interrupt)


def session_conf(settings: SessionSettings, scratch: Path) -> dict[str, str]:
    """Return every Spark setting of a session: sqlml's defaults, then the target's own, then the pinned."""
    own = {**settings.spark, "spark.master": settings.master}
    return {**_defaults(settings, scratch), **own, **PINNED_SETTINGS}


def _defaults(settings: SessionSettings, scratch: Path) -> dict[str, str]:
    conf = {
        "spark.app.name": settings.app_name,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Steps that run at once share the cores instead of waiting for each other's last task.
        "spark.scheduler.mode": "FAIR",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        # INT96, Spark's default, has no statistics and is deprecated in Parquet.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.parquet.compression.codec": "zstd",
    }
    if settings.is_local:
        cores = settings.cores or available_cores()
        conf |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            # Adaptive execution can join partitions that are too small and cannot split the ones here.
            "spark.sql.shuffle.partitions": str(max(4, 2 * cores)),
        }
    return conf


def _open_on(jvm: Jvm, settings: SessionSettings) -> SparkSession:
    with warnings.catch_warnings():
        # pandas and others warn while they are imported, before there is a logger to send it to.
        warnings.simplefilter("ignore")
        from pyspark import SparkConf, SparkContext
        from pyspark.sql import SparkSession

    logs = PythonLogs(settings.log_file)
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        SparkContext._ensure_initialized(gateway=jvm.connect())
        conf = SparkConf(loadDefaults=False).setAll(list(session_conf(settings, jvm.scratch).items()))
        with environment_set({"PYSPARK_PYTHON": _worker_python(settings)}):
            # Not the builder: SPARK_REMOTE and the like would make it a Connect session.
            session = SparkSession(SparkContext(conf=conf))
    except BaseException:
        _forget_session()
        logs.close()
        _set_interrupt(interrupt)
        raise
    setattr(session, _OPENED, _Opened(jvm, logs, interrupt))
    return session


def _forget_session() -> None:
    """Take the session and its gateway out of pyspark's classes, which would hand them out again."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    SparkContext._gateway = None
    SparkContext._jvm = None
    SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None
    SparkSession._activeSession = None


def _set_interrupt(previous: Any) -> None:
    """Put back what Ctrl-C did before; pyspark's own answer to it would call a JVM that is gone."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, previous)


def _worker_python(settings: SessionSettings) -> str:
    # Else workers take the first `python3` on the path, which lacks this environment's packages.
    return sys.executable if settings.is_local else os.environ.get("PYSPARK_PYTHON", sys.executable)


def _refuse_pinned(spark: Mapping[str, str]) -> None:
    for name, value in PINNED_SETTINGS.items():
        if name in spark and spark[name].lower() != value.lower():
            raise CommandError(
                f"the target sets '{name}' to '{spark[name]}', which is '{value}' in every session",
                fix=f"remove '{name}' from the target's 'spark:'",
            )
