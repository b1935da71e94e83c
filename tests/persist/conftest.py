from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sqlml.persist import open_store

HERE = Path(__file__).parent


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "mein Projekt ü#?%20"
    folder.mkdir()
    return folder


@pytest.fixture
def open_it(root):
    """Open stores that are closed at the end."""
    stores = []

    def opened(schema="dev", failpoint=lambda name: None, at=None):
        stores.append(open_store(at or root, schema, failpoint))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_it):
    return open_it()


@pytest.fixture
def start():
    """Start Python processes that have `products`, `open_store`, `root` and `arguments` at hand."""
    processes = []

    def started(code: str, root: Path, *arguments: str, **options) -> subprocess.Popen:
        head = (
            "import sys, os, signal, time; from pathlib import Path\n"
            f"sys.path[:0] = [{str(HERE)!r}, {str(HERE.parents[1])!r}]\n"
            "import products; from sqlml.persist import open_store\n"
            "root, arguments = Path(sys.argv[1]), sys.argv[2:]\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", head + code, str(root), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()
