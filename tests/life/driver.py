"""The process in which a test's commands run.

`commands` answers one after another, `warm` does so with one Spark session, `kill` dies at a failpoint.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from itertools import count


def answer_commands(started: list[str]) -> None:
    """Read a folder and a command's arguments from each line of stdin (JSON), write how it ended to stdout.

    Args:
        started: gets an entry for each JVM (or session, if they share one) that a command asks for.
    """
    answers = sys.stdout
    from sqlml.cli import run

    for line in sys.stdin:
        folder, arguments = json.loads(line)
        os.chdir(folder)
        started.clear()
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments)
        ended = {
            "code": code,
            "out": out.getvalue(),
            "err": err.getvalue(),
            "java": len(started),
            "has_pyspark": "pyspark" in sys.modules,
        }
        answers.write(json.dumps(ended) + "\n")
        answers.flush()


def note_jvms() -> list[str]:
    """Return a list that gets the command line of each JVM that is started to run Spark."""
    started: list[str] = []

    def note(event: str, arguments: tuple) -> None:
        if event == "subprocess.Popen" and any("PythonGatewayServer" in str(word) for word in arguments[1]):
            started.append(" ".join(map(str, arguments[1])))

    sys.addaudithook(note)
    return started


def keep_session() -> list[str]:
    """Give all commands the session that the first of them opens; return a list that gets an entry for each use."""
    from sqlml.run import engine

    start, open_session = engine.start_session_jvm, engine.open_session
    sessions: list = []
    started: list[str] = []

    def start_once(settings):
        settings.log_folder.mkdir(parents=True, exist_ok=True)
        return None if sessions else start(settings)

    def open_once(settings, jvm):
        started.append("session")
        if not sessions:
            sessions.append(open_session(settings, jvm))
        return sessions[0]

    def forget(session):
        for view in session.catalog.listTables():
            session.catalog.dropTempView(view.name)

    engine.start_session_jvm, engine.open_session, engine.close = start_once, open_once, forget
    return started


def kill_build_at(failpoint: str, number: int) -> None:
    from sqlml.build import Request, build
    from sqlml.cli.progress import PlainProgress

    passed = count(1)

    def kill(name: str) -> None:
        if name == failpoint and next(passed) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    build(Request(), PlainProgress(), kill)


if __name__ == "__main__":
    if sys.argv[1] == "commands":
        answer_commands(note_jvms())
    elif sys.argv[1] == "warm":
        answer_commands(keep_session())
    else:
        kill_build_at(sys.argv[2], int(sys.argv[3]))
