"""Outputs of an ML model: its entries of `outputs:` in, MlOutputs and what is wrong with them out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlml.errors import SqlmlError, suggest
from sqlml.ir.estimators import find_estimator
from sqlml.ir.location import Places
from sqlml.ir.ml_outputs import OUTPUT_KEYS, OUTPUT_KINDS, TRAINING_DATA, OutputKind, kinds_of, makers_of
from sqlml.ir.project import MlOutput
from sqlml.parse.columns import read_columns
from sqlml.parse.data_tests import Relation
from sqlml.parse.specs import MlModelSpec, MlOutputSpec
from sqlml.parse.subject import Subject


def read_ml_outputs(
    spec: MlModelSpec, subject: Subject, places: Places, errors: list[SqlmlError]
) -> tuple[MlOutput, ...]:
    """Return the outputs of an ML model that are enabled; what is wrong with them goes to `errors`."""
    outputs: list[MlOutput] = []
    for position, entry in enumerate(spec.outputs):
        if entry.enabled:
            path = f"outputs.{position}"
            errors.extend(_check(spec, entry, path, subject))
            outputs.append(_to_output(entry, _places_below(places, path), errors))
    return tuple(outputs)


def _places_below(places: Places, key: str) -> Places:
    before = f"{key}."
    below = [
        {name.removeprefix(before): place for name, place in named.items() if name.startswith(before)}
        for named in (places.keys, places.values)
    ]
    return Places(places.of(key), *below)


def _to_output(entry: MlOutputSpec, places: Places, errors: list[SqlmlError]) -> MlOutput:
    columns, tests = read_columns(entry.columns, Relation(f"output '{entry.name}'", places, errors))
    return MlOutput(
        name=entry.name,
        kind=entry.kind,
        places=places,
        over=entry.for_,
        top=entry.top,
        seen=TRAINING_DATA if entry.exclude_seen is True else entry.exclude_seen or None,
        max_distance=entry.max_distance,
        columns=columns,
        tests=tests,
        description=entry.description,
        tags=tuple(entry.tags),
    )


def _check(spec: MlModelSpec, entry: MlOutputSpec, path: str, subject: Subject) -> Iterator[SqlmlError]:
    kind = OUTPUT_KINDS.get(entry.kind)
    if kind is None:
        what = f"output '{entry.name}' is of an unknown kind '{entry.kind}'"
        yield subject.value_error(f"{path}.kind", what, suggest(entry.kind, OUTPUT_KINDS, "there are"))
        return
    yield from _check_maker(spec, entry, kind, path, subject)
    given = (entry.for_, entry.top, entry.exclude_seen or None, entry.max_distance)
    for key, value in zip(OUTPUT_KEYS, given, strict=True):
        if value is not None and key not in kind.takes:
            what = f"'{key}' means nothing to output '{entry.name}', of kind '{kind.name}'"
            takers = [name for name, other in OUTPUT_KINDS.items() if key in other.takes]
            yield subject.error(f"{path}.{key}", what, f"remove it; it is for: {', '.join(takers)}")
        elif value is None and key in kind.needs:
            what = f"output '{entry.name}', of kind '{kind.name}', needs '{key}'"
            yield subject.error(path, what, f"add '{key}: NUMBER', how far apart two rows may be")
    if entry.max_distance is not None and entry.max_distance <= 0:
        yield subject.value_error(
            f"{path}.max_distance", "'max_distance' is a number above 0", "write one, such as 0.5"
        )
    if kind.is_near:
        yield from _check_near(spec, entry, path, subject)


def _check_near(spec: MlModelSpec, entry: MlOutputSpec, path: str, subject: Subject) -> Iterator[SqlmlError]:
    what = f"output '{entry.name}' looks for rows that lie near each other"
    hashing = [transform for transform in spec.transforms if transform.near is not None]
    if len(hashing) != 1:
        fix = "add near: {random_projection: 2.0} or near: {min_hash: 5} to the columns that say what is near"
        more = f" by one transform with 'near:', and there are {len(hashing)}"
        yield subject.error(f"{path}.kind", what + more, fix if not hashing else "remove it from all but one")
    if not spec.keys:
        yield subject.error(f"{path}.kind", f"{what}, and nothing tells rows apart", "add 'keys:' to the ML model")


def _check_maker(
    spec: MlModelSpec, entry: MlOutputSpec, kind: OutputKind, path: str, subject: Subject
) -> Iterator[SqlmlError]:
    estimator = find_estimator(spec.estimator, spec.params, spec.problem, spec.family)
    if estimator is None or kind.name in kinds_of(estimator):
        return
    what = f"{spec.estimator} cannot make output '{entry.name}', of kind '{kind.name}'"
    own = kinds_of(estimator)
    makes = f"; {spec.estimator} makes: {', '.join(own)}" if own else ""
    yield subject.value_error(f"{path}.kind", what, f"it is made by: {', '.join(makers_of(kind.name))}{makes}")
