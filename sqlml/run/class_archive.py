"""Where Java's archive of Spark's classes lies: a Java and a Spark in, a path out; it halves the start of Spark.

Java checks by itself that an archive fits it and every jar (size and time), and goes on without one that does not.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from sqlml.run.java import Java

SUFFIX = ".jsa"


def class_archive_path(java: Java, spark_home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the archive for this Java and this Spark belongs, in the user's cache folder."""
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    # Two environments of one user have two archives, each with its own class path.
    key = f"{java.executable.resolve()}\n{java.version}\n{java.vector_module}\n{spark_home}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return Path(cache) / "sqlml" / f"spark-classes-{digest}{SUFFIX}"


def can_archive(java: Java) -> bool:
    """Tell whether `java` has its own base archive, on which an archive of other classes stands."""
    home = java.executable.resolve().parent.parent
    return (home / "lib" / "server" / f"classes{SUFFIX}").is_file()
