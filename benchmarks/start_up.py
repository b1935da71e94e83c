"""What it costs to start: `sqlml --version` and a build with nothing to do, beside an empty Python program."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import compare, run

SQLML = (sys.executable, "-m", "sqlml")

with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary) / "project"
    run((*SQLML, "init", folder), Path(temporary))
    run((*SQLML, "build"), folder)
    commands = {
        "sqlml --version": (*SQLML, "--version"),
        "sqlml plan": (*SQLML, "plan"),
        "sqlml build, nothing to do": (*SQLML, "build"),
        "python -c pass": (sys.executable, "-c", "pass"),
    }
    compare(commands, folder, runs=5)
