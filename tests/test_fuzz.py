"""Broken projects by chance: a damaged copy of the example project in, no error or errors that a user can read out.

Every damage comes from a seed, so that a failure names what to repeat.
"""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest

from sqlml.cli.options import repeat_selectors
from sqlml.compile import compile_dag
from sqlml.errors import SqlmlError, flatten, format_error
from sqlml.ir.dag import Dag
from sqlml.ir.location import SourceLocation
from sqlml.parse import ParseRequest, parse_project, parse_variables
from sqlml.resolve import resolve_project, select_nodes
from sqlml.source_text import SourceText

ROOT = Path(__file__).parents[1]
COPIED = ("sqlml_project.yml", "models", "macros", "data_tests")
TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|\s+|[^\w\s]")
MARKS = "'\"`{}[]()<>:,;%#|&*?!-=/\\"
ODD = (
    *("null", "~", "[]", "{}", "-1", "0", "1e999", ".nan", "yes", "2013-13-45", "''", '"', "'", "`", "{{", "}}", "{%"),
    *("%}", "{#", "--", "/*", "*/", ";", "$$", "\t", "\x00", "\u2028", "é✓", "&a", "*a", "<<: 1", "!!python/object:x"),
    *("|", "? ", "a" * 300, "{{ ref('x') }}", "{{ config }}", "{{ 1 / 0 }}", "{{ ''.__class__ }}", "{% for %}"),
    *("{{ ref() }}", "select", "from", "union", "over (", "case when", "lateral view", "* except", "with a as ("),
    *("cast(1 as nope)", "x -> ", "::"),
)


def drop_mark(text: str, chance: random.Random) -> str:
    places = [place for place, letter in enumerate(text) if letter in MARKS]
    place = chance.choice(places)
    return text[:place] + text[place + 1 :]


def rename_word(text: str, chance: random.Random) -> str:
    word = chance.choice(list(re.finditer(r"[A-Za-z_]\w*", text)))
    shuffled = chance.choice([word[0] + "x", word[0][:-1], word[0].upper(), word[0][::-1], ""])
    return text[: word.start()] + shuffled + text[word.end() :]


def swap_tokens(text: str, chance: random.Random) -> str:
    tokens = TOKEN.findall(text)
    place = chance.randrange(len(tokens) - 3)
    other = place + chance.choice([1, 2, 3])
    tokens[place], tokens[other] = tokens[other], tokens[place]
    return "".join(tokens)


def change_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    place = chance.randrange(len(lines))
    lines[place] = chance.choice(
        ["", lines[place] * 2, "  " + lines[place], lines[place].lstrip(), "\t" + lines[place]]
    )
    return "".join(lines)


def move_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines) + 1), line)
    return "".join(lines)


def put_odd(text: str, chance: random.Random) -> str:
    place = chance.choice(list(re.finditer(r"\b", text))).start()
    return text[:place] + chance.choice(ODD) + text[place:]


def replace_value(text: str, chance: random.Random) -> str:
    values = list(re.finditer(r"(?<=: )[^\n{\[]+", text)) or list(re.finditer(r"\w+", text))
    value = chance.choice(values)
    return text[: value.start()] + chance.choice(ODD) + text[value.end() :]


def cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text))]


# Of the example project.
VARIABLES = ("careless", "last_week", "known_by", "split_by", "split_column")
DAMAGES = (drop_mark, rename_word, swap_tokens, change_line, move_line, put_odd, replace_value, cut)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example project over the same data."""
    folder = tmp_path_factory.mktemp("fuzz") / "example"
    folder.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name in ("data", "seeds"):
        (folder / name).symlink_to(ROOT / name, target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def dag(project: Path) -> Dag:
    return resolve_project(parse_project(ParseRequest(project)))


def complaint(project: Path) -> str:
    """Compile the project and return what is wrong with how it is refused; empty if nothing is."""
    try:
        compile_dag(resolve_project(parse_project(ParseRequest(project))), {})
    except SqlmlError as error:
        return next((text for single in flatten([error]) if (text := unreadable(single, project))), "")
    return ""


def unreadable(error: SqlmlError, project: Path) -> str:
    """Return what is wrong with an error's text or place; empty if nothing is."""
    text = format_error(error, lines_of=SourceText(project))
    if not error.what.strip() or "\x00" in text or "Traceback" in text or "object at 0x" in text:
        return f"unreadable: {text!r}"
    if len(error.what) > 1500:
        return f"too long ({len(error.what)}): {error.what[:200]!r}"
    if error.exit_code != 2:
        return f"exit code {error.exit_code}: {text}"
    if error.location is None:
        return ""
    file = project / error.location.path
    if not file.exists():
        return f"no such file: {text}"
    if file.is_file() and file.suffix in (".sql", ".yml"):
        lines = file.read_text(encoding="utf-8", errors="replace").count("\n") + 1
        if not 1 <= error.location.line <= lines:
            return f"no such line: {text}"
        return misplaced(error.location, text)
    return ""


def misplaced(place: SourceLocation, text: str) -> str:
    """Return what is wrong with what is underlined; empty if nothing is."""
    shown = [line for line in text.splitlines() if re.match(r" +\d+ \| ", line)]
    carets = [line for line in text.splitlines() if re.match(r" +\| +\^+$", line)]
    if place.column is not None and not (len(shown) == len(carets) == 1):
        return f"nothing is underlined: {text}"
    if place.end_line is not None and (place.end_line, place.end_column or 0) <= (place.line, place.column or 0):
        return f"it ends before it begins ({place!r}): {text}"
    return ""


FILES = ["sqlml_project.yml", *sorted(
    path.relative_to(ROOT).as_posix() for name in COPIED[1:] for path in (ROOT / name).rglob("*") if path.is_file()
)]  # fmt: skip


@pytest.mark.parametrize("count", [6, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_refused_in_words(project, file, count):
    chance = random.Random(file)
    path = project / file
    whole = path.read_text(encoding="utf-8")
    try:
        for number in range(count):
            text = whole
            for _ in range(chance.choice([1, 1, 1, 2, 3])):
                if len(text) > 20:
                    text = chance.choice(DAMAGES)(text, chance)
            path.write_text(text, encoding="utf-8")
            try:
                found = complaint(project)
            except Exception as error:
                error.add_note(f"damage {number} of {file}:\n{text}")
                raise
            assert not found, f"damage {number} of {file}:\n{text}"
    finally:
        path.write_text(whole, encoding="utf-8")


def test_the_copy_is_whole_without_damage(project):
    compile_dag(resolve_project(parse_project(ParseRequest(project))), {})


def test_selections_are_refused_in_words(dag):
    chance = random.Random("select")
    names = [node.name for node in dag.nodes.values()]
    parts = (*names[:12], "+", "@", "2", ",", " ", "tag:", "path:", "resource_type:", "staging", "models/", "*", ":",
             "é", "source:", "state:", "-", ".", "..", "[", "(", "\\", "1" * 30, "'", "seed", "test")  # fmt: skip
    for _ in range(1500):
        texts = ["".join(chance.choices(parts, k=chance.randrange(5))) for _ in range(chance.randrange(3))]
        try:
            assert set(select_nodes(dag, texts[:1], texts[1:])) <= set(dag.nodes)
        except SqlmlError as error:
            assert not unreadable(error, ROOT), texts


def test_variables_are_refused_in_words(project):
    chance = random.Random("vars")
    parts = (*ODD, "{", "}", "name", ": ", ", ", "careless: dep_delay", "last_week: 1", "\n", "- ", "1", " ")
    for _ in range(1500):
        text = "".join(chance.choices(parts, k=chance.randrange(7)))
        try:
            assert isinstance(parse_variables(text), dict)
        except SqlmlError as error:
            assert not unreadable(error, project), text


@pytest.mark.parametrize(
    "name", ["known_by", *(pytest.param(name, marks=pytest.mark.long) for name in VARIABLES if name != "known_by")]
)
def test_values_of_variables_are_refused_in_words(project, name):
    for value in (None, [], {}, 1.5, True, "'", "{{ x }}", "a" * 400, -1, ["x"], {"a": None}):
        try:
            compile_dag(resolve_project(parse_project(ParseRequest(project, None, {name: value}))), {})
        except SqlmlError as error:
            for single in flatten([error]):
                assert not unreadable(single, project), (name, value)


def test_arguments_of_selections_are_never_lost():
    chance = random.Random("arguments")
    for _ in range(300):
        given = chance.choices(["--select", "-s", "--exclude", "a", "+b", "--json", "tag:x", "--vars", "{}"], k=6)
        repeated = repeat_selectors(["build", *given])
        assert [word for word in repeated if word not in ("--select", "-s", "--exclude")] == [
            "build",
            *(word for word in given if word not in ("--select", "-s", "--exclude")),
        ]
