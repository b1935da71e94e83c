"""A version of the example is fitted again by the command, on other cores than those of the build: bit for bit."""

from __future__ import annotations

import json
import shutil

import pytest

from example.project import run_sqlml

DEV = "  dev: {schema: dev}\n"
# The same schema, and so the same versions.
ON_CORES = "  on_{0}_cores: {{schema: dev, spark: {{spark.master: 'local[{0}]'}}}}\n"

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.long]


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_other_cores_give_the_same_version(built, tmp_path, cores):
    root = shutil.copytree(built.root, tmp_path / "copy", symlinks=True)
    settings = (root / "sqlml_project.yml").read_text("utf-8")
    assert DEV in settings
    (root / "sqlml_project.yml").write_text(settings.replace(DEV, DEV + ON_CORES.format(cores)), "utf-8")
    # 257,083 rows are laid out in six partitions, whose sums meet in one order or another.
    done = run_sqlml(root, "model", "reproduce", "arrival_delay", "--target", f"on_{cores}_cores", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    compared = {part["name"]: (part["compared"] > 0, part["differs"]) for part in json.loads(done.stdout)["parts"]}
    assert compared == dict.fromkeys(("signature", "fitted stages", "tables", "metrics", "predictions"), (True, []))
