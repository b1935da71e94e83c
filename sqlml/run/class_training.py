"""Makes Java's archive of Spark's classes by one run of typical work: a Java in, the archive's path out."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlml.errors import EnvironmentFault
from sqlml.run.class_archive import can_archive, class_archive_path
from sqlml.run.java import find_java
from sqlml.run.jvm import find_spark_home
from sqlml.run.session import SessionSettings, close, open_session, start_session_jvm

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Java writes 190 MB of classes while it ends.
ARCHIVE_TIMEOUT_S = 600.0


def make_class_archive(log_folder: Path) -> Path:
    """Make the archive that later sessions start with; takes about a minute and 200 MB of the user's cache folder.

    Args:
        log_folder: takes Spark's log of the run.

    Raises:
        EnvironmentFault: there is no Java, or it cannot make archives.
    """
    java = find_java(os.environ)
    archive = class_archive_path(java, find_spark_home())
    if not can_archive(java):
        raise EnvironmentFault(
            f"'{java.executable}' cannot make a class archive, it has no base archive of its own",
            fix="use a full JDK or JRE: set JAVA_HOME",
        )
    archive.parent.mkdir(parents=True, exist_ok=True)
    # An old archive would be read, and Java does not write what it reads.
    archive.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="making-") as folder:
        made = Path(folder) / archive.name
        option = shlex.quote(f"-XX:ArchiveClassesAtExit={made}")
        settings = SessionSettings(log_folder, spark={"spark.driver.extraJavaOptions": option})
        session = open_session(settings, start_session_jvm(settings, java))
        try:
            _work(session, Path(folder))
        finally:
            close(session, ARCHIVE_TIMEOUT_S)
        if not made.is_file():
            raise EnvironmentFault("Java made no class archive", fix=f"read '{settings.log_file}'")
        made.replace(archive)
    return archive


def _work(session: SparkSession, folder: Path) -> None:
    """Load the classes that a build usually needs."""
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.ml.classification import GBTClassifier, LogisticRegression
    from pyspark.ml.evaluation import BinaryClassificationEvaluator
    from pyspark.ml.feature import Imputer, OneHotEncoder, StringIndexer, VectorAssembler

    rows = session.sql(
        """
        with numbers as (
          select id, cast(id as double) as x, if(id % 5 = 0, null, cast(id % 7 as double)) as y,
                 concat('c', id % 3) as word, timestamp_micros(id * 1000000) as at, id % 2 = 1 as is_odd
          from range(200))
        select a.*, avg(a.x) over (partition by a.word order by a.at) as mean, b.total,
               cast(a.is_odd as double) as label
        from numbers a left join (select word, sum(x) as total from numbers group by word) b using (word)
        """
    )
    for extension in ("parquet", "csv", "json"):
        rows.write.format(extension).save(str(folder / extension))
        session.read.format(extension).load(str(folder / extension)).count()
    data = session.read.parquet(str(folder / "parquet")).persist()
    prepare: list[Any] = [
        Imputer(inputCols=["y"], outputCols=["filled"]),
        StringIndexer(inputCol="word", outputCol="index", handleInvalid="keep"),
        OneHotEncoder(inputCols=["index"], outputCols=["slots"]),
        VectorAssembler(inputCols=["x", "filled", "slots"], outputCol="features"),
    ]
    estimators: list[Any] = [LogisticRegression(maxIter=2), GBTClassifier(maxIter=2, maxDepth=2)]
    for number, estimator in enumerate(estimators):
        saved = str(folder / f"pipeline{number}")
        Pipeline(stages=[*prepare, estimator]).fit(data).save(saved)
        scored = PipelineModel.load(saved).transform(data)
        BinaryClassificationEvaluator(numBins=0).evaluate(scored)
