"""Compiling N SQL models from nothing, beside only reading, rendering and parsing the same files: compile.py [N]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import compare
from projects import write_project

FLOOR = """
import pathlib, jinja2, sqlglot, yaml, gc
gc.disable()
environment = jinja2.Environment()
calls = {"ref": lambda name: f"`dev__{name}`", "source": lambda source, name: f"`source__{source}__{name}`"}
for path in sorted(pathlib.Path("models").iterdir()):
    text = path.read_text()
    if path.suffix == ".yml":
        yaml.load(text, Loader=yaml.CSafeLoader)
    else:
        sqlglot.parse_one(environment.from_string(text).render(**calls), read="spark")
"""

count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary) / "project"
    write_project(folder, count, layers=max(4, min(20, count // 10)))
    commands = {
        f"sqlml compile, {count} SQL models": (sys.executable, "-m", "sqlml", "compile"),
        "read, render and parse only": (sys.executable, "-c", FLOOR),
    }
    compare(commands, folder)
