"""The root project, copied and built by a real process; its published tables and fitted models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset

ROOT = Path(__file__).parents[2]


def copy_project(folder: Path) -> Path:
    """Copy the root project; its large files stay where they are."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "sqlml_project.yml", folder)
    for name in ("models", "macros", "data_tests", "seeds"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "data").symlink_to(ROOT / "data", target_is_directory=True)
    return folder


def run_sqlml(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does; its output must be asserted by the caller."""
    command = [sys.executable, "-m", "sqlml", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=3600)


@dataclass(frozen=True)
class Built:
    """A project that was built.

    Attributes:
        root: its folder, whose path has a space.
        results: how each step of the build ended.
    """

    root: Path
    results: dict[str, Any]

    @classmethod
    def of(cls, root: Path) -> Built:
        """Take a project that was just built."""
        return cls(root, json.loads((root / "target" / "run_results.json").read_text("utf-8")))

    def table(self, name: str) -> pd.DataFrame:
        """Read a published table as any other program would."""
        return pyarrow.dataset.dataset(self.root / "warehouse/tables/dev" / name / "current").to_table().to_pandas()

    def model_folder(self, ml_model: str) -> Path:
        return self.root / "warehouse" / "models" / "dev" / ml_model / "1"

    def model(self, ml_model: str) -> dict[str, Any]:
        """Return what is kept of the champion."""
        finished = run_sqlml(self.root, "model", "show", ml_model, "--json")
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    def metrics(self, ml_model: str, dataset: str) -> dict[str, float]:
        measured = self.model(ml_model)["metrics"]
        return {m["metric"]: m["value"] for m in measured if m["dataset"] == dataset and not m["slice"]}
