"""Opens what is to be scored: a file or a node that was built in, its rows out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlml.ir.dag import Dag
from sqlml.ir.deferral import Deferral
from sqlml.ir.state import Signature, Snapshot
from sqlml.run.engine import SparkEngine
from sqlml.run.files import read_input
from sqlml.run.relations import Champions, Relations

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def open_input(
    engine: SparkEngine,
    dag: Dag,
    snapshot: Snapshot,
    source: Path | str,
    signature: Signature,
    *,
    deferral: Deferral | None = None,
) -> DataFrame:
    """Return the rows of a file by its path, or of a node by its id, lazily.

    Args:
        signature: says the types of the columns of a file that has none.
        deferral: another target, of which `snapshot` has what this one lacks.

    Raises:
        DataError: the node was never built, or a file cannot be read.
    """
    if isinstance(source, Path):
        return read_input(engine.session, source, signature)
    Relations(dag, snapshot, engine, Champions.of(snapshot), deferral).define(source)
    return engine.relation(dag.nodes[source].relation)
