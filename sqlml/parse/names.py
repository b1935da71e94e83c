"""Names: what the files declare in, names that are taken twice and entries that describe nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlml.errors import ParseError, SqlmlError, suggest
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Source
from sqlml.parse.declared import DeclaredRelation
from sqlml.parse.files import FoundFile

Named = tuple[str, str, SourceLocation]
"""A noun such as `sql model`, the name, and the place."""


def check_names(named: Iterable[Named]) -> Iterator[SqlmlError]:
    """Yield an error for each name that is taken already; SQL models, seeds and ML models share their names."""
    taken: dict[str, Named] = {}
    for noun, name, place in named:
        first = taken.setdefault(name.lower(), (noun, name, place))
        if first[2] != place:
            what = f"{noun} '{name}' has a name that {first[0]} '{first[1]}' has already, at {first[2]}"
            fix = "rename one of the two" + ("" if first[1] == name else ": capital letters do not count")
            yield ParseError(what, place, fix)


def check_sources(sources: Iterable[Source]) -> Iterator[SqlmlError]:
    """Yield an error for each source that is declared already."""
    named = (("source", f"{source.source_name}.{source.name}", source.places.value_of("name")) for source in sources)
    yield from check_names(named)


def match_entries(
    noun: str,
    entries: Sequence[DeclaredRelation],
    files: Sequence[FoundFile],
    others: Mapping[str, str],
    errors: list[SqlmlError],
) -> dict[str, DeclaredRelation]:
    """Return the entries by the name of their file; an entry without a file, or a second one, is an error.

    Args:
        noun: `sql model` or `seed`.
        entries: of `models:` or `seeds:`.
        files: the files that they may describe.
        others: names of other kinds, with the key that they belong under.
        errors: where errors go.
    """
    names = {file.stem for file in files}
    matched: dict[str, DeclaredRelation] = {}
    for declared in entries:
        name = declared.name
        if name is None:
            what = f"an entry of '{declared.kind}' has no name"
            errors.append(
                ParseError(what, declared.places.whole, "add 'name:' with the name of the file, without its ending")
            )
        elif name not in names:
            errors.append(_no_file(noun, declared, name, names, others))
        elif name in matched:
            what = f"{noun} '{name}' is described twice, first at {matched[name].place}"
            errors.append(ParseError(what, declared.place, "merge the two entries"))
        else:
            matched[name] = declared
    return matched


def _no_file(
    noun: str, declared: DeclaredRelation, name: str, names: set[str], others: Mapping[str, str]
) -> ParseError:
    what = f"{noun} '{name}' is described, but there is no file for it"
    if name in others:
        return ParseError(what, declared.place, f"describe it under '{others[name]}:'")
    fix = suggest(name, names, "there are") if names else "write the file, or remove the entry"
    return ParseError(what, declared.place, fix)
