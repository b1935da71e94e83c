"""Runs what docs/how_to_champion.md tells its reader to do, in a copy of the example, and writes what is printed.

Run it when what commands print has changed: `python tools/make_how_to.py`. It takes minutes, for it fits four times.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "how_to_champion.md"
PARTS = ("sqlml_project.yml", "models", "macros", "data_tests", "seeds", "data")
BLOCK = re.compile(r"^```(?P<kind>console|diff)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
# What is another in each run, or on each machine.
MOMENTS = (
    (re.compile(r"\b\d+(\.\d+)? s\b"), "… s"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?\b"), "…"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "…"),
)


def run_page(page: str, folder: Path) -> str:
    """Return `page` with what its commands print now.

    Args:
        page: Markdown. A block of `console` has commands, which begin with `$ ` and are each followed by what they
            print; a block of `diff` is a change of the project's files, as git writes it.
        folder: where the example is copied to; it must not be there yet.
    """
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        folder.mkdir(parents=True, exist_ok=True)
        copy(ROOT / part, folder / part)
    (folder / ".gitignore").write_text("target/\nwarehouse/\n", "utf-8")
    _run("git init -q && git add . && git commit -qm 'The example'", folder)

    def rerun(block: re.Match[str]) -> str:
        if block["kind"] == "diff":
            _run("git apply --recount -", folder, block["body"])
            return block[0]
        commands = [line for line in block["body"].splitlines() if line.startswith("$ ")]
        printed = [f"{command}\n{_run(command.removeprefix('$ '), folder)}" for command in commands]
        return f"```{block['kind']}\n{''.join(printed)}```"

    return BLOCK.sub(rerun, page)


def without_moments(page: str) -> str:
    """Return `page` without durations, dates and commits."""
    for pattern, instead in MOMENTS:
        page = pattern.sub(instead, page)
    return page


def _run(command: str, folder: Path, given: str | None = None) -> str:
    """Return what a command prints, errors among it, as a terminal would show it."""
    author = {f"GIT_{who}_{what}": "analyst" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **author, "PATH": path, "COLUMNS": "120"}
    finished = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        input=given,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode and not command.startswith("sqlml"):
        raise SystemExit(f"{command}\n{finished.stdout}")
    lines = [line.rstrip() for line in finished.stdout.replace(str(folder), "…").splitlines()]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        PAGE.write_text(run_page(PAGE.read_text("utf-8"), Path(made) / "nycflights"), "utf-8")
