"""Compiling N SQL models with types and lineage: from nothing, with nothing changed, after an edit: compile.py [N].

Beside them runs a floor: reading, rendering and parsing the same files, and no more.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path

from measure import compare, run

FLOOR = """
import pathlib, jinja2, sqlglot, yaml, gc
gc.disable()
environment = jinja2.Environment()
calls = {
    "ref": lambda name: f"`dev__{name}`", "source": lambda source, name: f"`source__{source}__{name}`",
    "config": lambda **keys: "",
}
for path in sorted(pathlib.Path("models").rglob("*.*")):
    text = path.read_text()
    if path.suffix == ".yml":
        yaml.load(text, Loader=yaml.CSafeLoader)
    else:
        sqlglot.parse_one(environment.from_string(text).render(**calls), read="spark")
"""
SQLML = (sys.executable, "-m", "sqlml")
COLD, WARM, EDIT, YAML = (
    "compile, no cache",
    "compile, nothing changed",
    "compile, a SQL file edited",
    "… a YAML file edited",
)
NUMBERS = itertools.count(2)

count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary) / "project"
    # Not here: memory of the parent counts as memory of the commands that it starts.
    writer = Path(__file__).with_name("projects.py").resolve()
    run((sys.executable, writer, folder, str(count), str(max(4, min(20, count // 10)))), Path(temporary))
    # A quarter down the layers, of the shape whose last word is an alias.
    sql = sorted(folder.glob("models/*/*.sql"))[count // 16 * 4]
    text = sql.read_text(encoding="utf-8")

    def prepare(name: str) -> None:
        """Bring the project into the state that a command is named for."""
        if name == COLD and (folder / "target").exists():
            # Not removed: ext4 makes files slowly where thousands have just gone, and that is not the compiler's time.
            (folder / "target").rename(Path(temporary) / f"target_{next(NUMBERS)}")
        elif name == EDIT:
            # Other rows, and so another fingerprint of all that reads them.
            sql.write_text(f"{text.rstrip()}\nwhere n.id <> {next(NUMBERS)}\n", encoding="utf-8")
        elif name == YAML:
            yaml = sql.with_suffix(".yml")
            yaml.write_text(f"{yaml.read_text(encoding='utf-8')}        # {next(NUMBERS)}\n", encoding="utf-8")

    run((*SQLML, "compile"), folder)
    commands = {
        COLD: (*SQLML, "compile"),
        WARM: (*SQLML, "compile"),
        EDIT: (*SQLML, "compile"),
        YAML: (*SQLML, "compile"),
        "plan, nothing changed": (*SQLML, "plan"),
        "read, render and parse only": (sys.executable, "-c", FLOOR),
    }
    print(f"{count} SQL models, {3 * count} data tests")
    compare(commands, folder, prepare=prepare)
