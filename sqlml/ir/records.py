"""What a version was made of: all that is needed to say how two versions differ, and to make one again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import MlModel
from sqlml.ir.state import Column, Snapshot, Version


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit of git that the project's folder was at; `is_dirty` if files of the project differed from it."""

    commit: str
    is_dirty: bool


@dataclass(frozen=True, slots=True)
class RecordedFiles:
    """What a source or a seed was read from.

    Attributes:
        path: relative to the project's root, or absolute.
        types: declared Spark types, by column.
        version: hex digest of the content; None where there was nothing.
    """

    path: str
    format: str
    options: Mapping[str, str]
    types: Mapping[str, str]
    version: str | None


@dataclass(frozen=True, slots=True)
class RecordedRelation:
    """A relation that the training data was made of.

    Attributes:
        node_id, name: with `read_of` they begin with it and a dot.
        fingerprint: digest of all that decided its rows, as it was read.
        sql: rendered; None where it has none.
        files: of sources and seeds.
        build_id: of the build that was read; None for what is not stored.
        ml_model: of a prediction or an output of a fitted model; `version` is the one that made it.
        of_target: name of the other target whose version made it; empty: it is this one's own.
        scored: id of the relation that a prediction is of; `explain` features explain each of its rows.
        read_of: name of the other target that has it; empty: it is this one's own, or stands for another's.
        can_be_made_again: whether `sql` over `parents`, or `files`, give the rows that were read; else only its build
            has them.
    """

    node_id: str
    name: str
    relation: str
    parents: tuple[str, ...]
    fingerprint: str
    sql: str | None = None
    files: RecordedFiles | None = None
    build_id: str | None = None
    ml_model: str | None = None
    version: int | None = None
    scored: str | None = None
    output_prefix: str = ""
    explain: int | None = None
    of_target: str = ""
    read_of: str = ""
    can_be_made_again: bool = True

    @property
    def stored_id(self) -> str:
        """The id of its node where it was built."""
        return self.node_id.removeprefix(f"{self.read_of}.")

    def made_by(self, snapshot: Snapshot) -> Version | None:
        """Return the version that made it, if it is still there."""
        found = snapshot.other if self.of_target else snapshot
        return None if found is None or self.ml_model is None else found.version(self.ml_model, self.version or 0)


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """What a version was fitted from, and under what.

    Attributes:
        spec: as declared, without its places in files.
        relations: parents first; the last is the training data.
        columns: of the training data.
        defaults: Spark's default of each param that was not set.
        settings: of Spark, those that sqlml pins and those of the target.
        software: what ran it, to its version: `sqlml`, `pyspark`, `java`, `python`.
        commit: None where the project lies in no repository of git.
    """

    spec: MlModel
    relations: tuple[RecordedRelation, ...]
    columns: tuple[Column, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    commit: Commit | None = None

    @property
    def training_data(self) -> RecordedRelation:
        """The relation that it was fitted on."""
        return self.relations[-1]


def without_places(ml_model: MlModel) -> MlModel:
    """Return a spec that knows its file and no lines, which move without meaning anything."""
    nowhere = SourceLocation(ml_model.path, 1)
    return replace(
        ml_model,
        places=Places(nowhere),
        transforms=tuple(replace(entry, location=nowhere) for entry in ml_model.transforms),
        gates=tuple(replace(gate, location=nowhere) for gate in ml_model.gates),
        slices=tuple(replace(part, location=nowhere) for part in ml_model.slices),
        outputs=(),
    )
