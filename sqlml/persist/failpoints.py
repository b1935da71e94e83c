"""The instants at which a crash could hurt: their names, in order, for the callable that tests inject."""

from __future__ import annotations

from typing import Final

DATA_WRITTEN: Final = "data written"
"""A table's files are whole and on disk; its data tests have not run; the state knows nothing of them."""

AUDITED: Final = "audited"
"""The data tests have passed; the state still names the output before."""

COMMITTED: Final = "committed"
"""The transaction that makes the output current is done; the `current` link still leads to the one before."""

LINKED: Final = "linked"
"""The `current` link leads to the new output; older builds have not been removed."""

TRIAL_KEPT: Final = "trial kept"
"""The transaction that keeps a trial of a search is done; its version is not made yet."""

MODEL_SAVED: Final = "model saved"
"""A version's folder is whole and on disk; the state knows nothing of it."""

ALIAS_MOVED: Final = "alias moved"
"""The transaction that records a version and moves its alias, or only moves an alias, is done."""

FAILPOINTS: Final = (DATA_WRITTEN, AUDITED, COMMITTED, LINKED, TRIAL_KEPT, MODEL_SAVED, ALIAS_MOVED)
"""All of them."""
