"""The process in which a test's commands run: `commands` answers one after another, `kill` dies at a failpoint."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from itertools import count


def answer_commands() -> None:
    """Read a command's arguments from each line of stdin (JSON), write how it ended to stdout."""
    answers = sys.stdout
    started: list[str] = []

    def note(event: str, arguments: tuple) -> None:
        if event == "subprocess.Popen":
            started.append(" ".join(map(str, arguments[1])))

    sys.addaudithook(note)
    from sqlml.cli import run

    for line in sys.stdin:
        started.clear()
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(json.loads(line))
        ended = {
            "code": code,
            "out": out.getvalue(),
            "err": err.getvalue(),
            "java": sum("PythonGatewayServer" in command for command in started),
            "has_pyspark": "pyspark" in sys.modules,
        }
        answers.write(json.dumps(ended) + "\n")
        answers.flush()


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
        answer_commands()
    else:
        kill_build_at(sys.argv[2], int(sys.argv[3]))
