"""Shows the shares of known and wrong types after a run."""

from __future__ import annotations

import pytest
from corpus_score import Score

_SCORES = pytest.StashKey[dict[str, Score]]()


@pytest.fixture
def report(request: pytest.FixtureRequest):
    """Return a function that shows a score after the run."""

    def show(title: str, score: Score) -> None:
        request.config.stash.setdefault(_SCORES, {})[title] = score

    return show


def pytest_terminal_summary(terminalreporter) -> None:
    for title, score in terminalreporter.config.stash.get(_SCORES, {}).items():
        terminalreporter.write_line(f"types of {title}: {score}")
