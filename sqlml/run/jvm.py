"""Starts and ends Spark's driver JVM: a `Java` and settings in, a connected py4j gateway out."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlml.errors import EnvironmentFault
from sqlml.run.class_archive import class_archive_path
from sqlml.run.java import VECTOR_MODULE, Java
from sqlml.run.memory import default_heap

START_TIMEOUT_S = 120.0
EXIT_TIMEOUT_S = 10.0
INSTALL_PYSPARK = "run: pip install 'pyspark>=4.0,<5'"
POLL_INTERVAL_S = 0.01

# What Spark's own launcher opens (JavaModuleOptions in its source).
OPENED_PACKAGES = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)

LAUNCHER_OPTIONS = (
    # Java 17 does not know all of the options below.
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)

OWN_OPTIONS = (
    # Throughput counts here and pauses do not: a logistic regression took 6.7 s against 11.1 s with G1.
    "-XX:+UseParallelGC",
    # Else each JVM leaves a file in the machine's temp folder.
    "-XX:-UsePerfData",
    # What a session does not pin must not depend on the machine either.
    "-Duser.timezone=UTC",
    "-Duser.language=en",
    "-Duser.country=US",
    "-Dfile.encoding=UTF-8",
    "-Djava.awt.headless=true",
)

LOG4J_CONFIGURATION = """\
status = error
rootLogger.level = warn
rootLogger.appenderRef.file.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{yyyy-MM-dd HH:mm:ss.SSS} %p %c{1}: %m%n%ex
"""

GATEWAY_MAIN = "org.apache.spark.api.python.PythonGatewayServer"


@dataclass(frozen=True, slots=True)
class JvmSettings:
    """What must be known when the JVM starts.

    Attributes:
        log_file: takes all that Java and Spark write; its folder is made.
        heap: a Java size such as `4g`; None for a share of the memory.
        options: further options of `java`.
        class_path: entries before Spark's own jars.
        environment: set in the JVM's environment, over this process's.
    """

    log_file: Path
    heap: str | None = None
    options: tuple[str, ...] = ()
    class_path: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Jvm:
    """A running driver JVM; it dies with this process, however this process dies.

    Attributes:
        log_file: where Java and Spark write.
        scratch: a folder for what lives as long as the JVM; removed by `close` or at exit.
    """

    def __init__(self, process: subprocess.Popen[bytes], scratch: Path, log_file: Path) -> None:
        self.log_file = log_file
        self.scratch = scratch
        self._process = process
        self._finalizer = weakref.finalize(self, _end, process, scratch, EXIT_TIMEOUT_S)

    @property
    def process_id(self) -> int:
        """The JVM's process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the JVM still runs."""
        return self._process.poll() is None

    def connect(self, timeout_s: float = START_TIMEOUT_S) -> Any:
        """Wait until the JVM listens, then return a py4j gateway, which pyspark's own classes use.

        Raises:
            EnvironmentFault: the JVM ended, or did not listen within `timeout_s`.
        """
        port, secret = self._await_address(timeout_s)
        from pyspark.java_gateway import launch_gateway

        # The only way to hand pyspark a JVM that it has not started.
        handover = {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
        with environment_set(handover):
            return launch_gateway()  # type: ignore[no-untyped-call]

    def close(self, timeout_s: float = EXIT_TIMEOUT_S) -> None:
        """End the JVM and remove its scratch folder; a second call does nothing.

        Args:
            timeout_s: how long the JVM may take to end by itself before it is killed.
        """
        if self._finalizer.detach() is not None:
            _end(self._process, self.scratch, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _await_address(self, timeout_s: float) -> tuple[int, str]:
        address = _address_file(self.scratch)
        deadline = time.monotonic() + timeout_s
        # PythonGatewayServer renames the finished file into place, so that what is there is whole.
        while not address.exists():
            if not self.is_alive():
                raise self._fault(f"Java ended with code {self._process.returncode} before Spark was up")
            if time.monotonic() > deadline:
                raise self._fault(f"Spark was not up after {timeout_s:.0f} s")
            time.sleep(POLL_INTERVAL_S)
        content = address.read_bytes()
        port, length = struct.unpack_from("!ii", content)
        return port, content[8 : 8 + length].decode("utf-8")

    def _fault(self, what: str) -> EnvironmentFault:
        reason = _last_line(self.log_file)
        return EnvironmentFault(
            f"{what}: {reason}" if reason else what,
            fix=f"read '{self.log_file}'; run: sqlml debug",
        )


class environment_set:  # noqa: N801  used as a verb in a with statement
    """Set environment variables for the length of a with statement, and then put back what was there."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._values}
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def start_jvm(java: Java, settings: JvmSettings) -> Jvm:
    """Start Spark's driver JVM and return at once, so that it comes up while Python does other work.

    Raises:
        EnvironmentFault: pyspark is missing or has no jars, or `java` cannot be run.
    """
    spark_home = find_spark_home()
    scratch = Path(tempfile.mkdtemp(prefix="sqlml-"))
    (scratch / "tmp").mkdir()
    (scratch / "log4j2.properties").write_text(LOG4J_CONFIGURATION, encoding="utf-8")
    settings.log_file.parent.mkdir(parents=True, exist_ok=True)
    archive = class_archive_path(java, spark_home)
    shared = (f"-XX:SharedArchiveFile={archive}",) if archive.is_file() else ()
    environment = {
        **os.environ,
        **settings.environment,
        "SPARK_HOME": str(spark_home),
        "SPARK_SCALA_VERSION": "2.13",
        "SPARK_CONNECT_MODE": "0",
        "_PYSPARK_DRIVER_CONN_INFO_PATH": str(_address_file(scratch)),
    }
    try:
        with settings.log_file.open("ab") as log:
            process = subprocess.Popen(
                _command(java, settings, spark_home, scratch, shared),
                # PythonGatewayServer ends when its input does, which happens even if this process is killed.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                # Ctrl-C reaches Python only, which then ends the JVM in order.
                start_new_session=True,
            )
    except OSError as error:
        shutil.rmtree(scratch, ignore_errors=True)
        raise EnvironmentFault(f"'{java.executable}' cannot be run: {error.strerror}") from error
    return Jvm(process, scratch, settings.log_file)


def find_spark_home() -> Path:
    """Return the folder of the installed pyspark, without importing it.

    Raises:
        EnvironmentFault: it is missing, or it is the client without Spark's jars.
    """
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise EnvironmentFault("the package pyspark is not installed", fix=INSTALL_PYSPARK)
    home = Path(spec.origin).parent
    if not (home / "jars").is_dir():
        raise EnvironmentFault(f"pyspark in '{home}' has no jars; it is only a client", fix=INSTALL_PYSPARK)
    return home


def _command(java: Java, settings: JvmSettings, spark_home: Path, scratch: Path, shared: tuple[str, ...]) -> list[str]:
    modules = (f"--add-modules={VECTOR_MODULE}",) if java.vector_module else ()
    return [
        str(java.executable),
        *LAUNCHER_OPTIONS,
        *modules,
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED_PACKAGES),
        *OWN_OPTIONS,
        *shared,
        f"-Xmx{settings.heap or default_heap()}",
        f"-Djava.io.tmpdir={scratch / 'tmp'}",
        f"-Dderby.system.home={scratch / 'tmp'}",
        f"-Dlog4j2.configurationFile={(scratch / 'log4j2.properties').as_uri()}",
        *settings.options,
        "-cp",
        os.pathsep.join([*settings.class_path, *_spark_jars(spark_home)]),
        GATEWAY_MAIN,
    ]


def _spark_jars(spark_home: Path) -> list[str]:
    """Return the jars in a fixed order: `slf4j-api` first as Spark's launcher has it, the others by name."""
    jars = sorted((spark_home / "jars").glob("*.jar"))
    return [str(jar) for jar in sorted(jars, key=lambda jar: not jar.name.startswith("slf4j-api"))]


def _address_file(scratch: Path) -> Path:
    return scratch / "gateway"


def _last_line(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _end(process: subprocess.Popen[bytes], scratch: Path, timeout_s: float) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(scratch, ignore_errors=True)
