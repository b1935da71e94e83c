"""How errors are shown: an error and the lines of its file in, the text with what is wrong underlined out."""

import pytest

from sqlml.errors import CompileError, ErrorList, format_error
from sqlml.ir.location import SourceLocation, locate_line, locate_span


def show(text: str, place: SourceLocation) -> list[str]:
    """Return the lines below the place, without the fix."""
    error = CompileError("it is wrong", place, "mend it")
    lines = format_error(error, lines_of={"a.sql": text.split("\n")}.get).split("\n")
    assert lines[0] == "error: it is wrong"
    assert lines[1] == f"  --> {place}"
    assert lines[-1] == "  fix: mend it"
    return lines[2:-1]


def span(text: str, word: str) -> SourceLocation:
    start = text.index(word)
    return locate_span("a.sql", text, start, start + len(word))


@pytest.mark.parametrize(
    ("text", "word", "shown"),
    [
        ("select a\nfrom t", "a", ["  1 | select a", "    |        ^"]),
        ("select a\n\tfrom tt", "tt", ["  2 |     from tt", "    |          ^^"]),
        ("select 日本 as 'x', nope", "nope", ["  1 | select 日本 as 'x', nope", "    |                     ^^^^"]),
        ("select 'e\u0301', nope", "nope", ["  1 | select 'e\u0301', nope", "    |             ^^^^"]),
        ("select a\x1b[31m, b", "b", ["  1 | select a\ufffd[31m, b", "    |                ^"]),
        # What goes on over several lines is underlined to the end of its first.
        ("select a +\n  b as c", "a +\n  b", ["  1 | select a +", "    |        ^^^"]),
        ("\n" * 9 + "select a", "a", ["  10 | select a", "     |        ^"]),
    ],
)
def test_what_is_wrong_is_underlined(text, word, shown):
    assert show(text, span(text, word)) == shown


def test_without_an_end_the_word_is_underlined():
    assert show("select name_of, b", SourceLocation("a.sql", 1, 8))[1] == "    |        ^^^^^^^"
    assert show("select (a)", SourceLocation("a.sql", 1, 8))[1] == "    |        ^"
    assert show("select", SourceLocation("a.sql", 1, 7))[1] == "    |       ^"


def test_nothing_is_shown_where_there_is_nothing():
    for place in (
        SourceLocation("a.sql", 1),
        SourceLocation("a.sql", 3, 1),
        SourceLocation("a.sql", 1, 40),
        SourceLocation("b.sql", 1, 1),
    ):
        assert show("select a", place) == []
    assert "|" not in format_error(CompileError("x", SourceLocation("a.sql", 1, 1)))


@pytest.mark.parametrize("word", ["first", "middle", "last", "e" * 300])
def test_a_long_line_is_cut_around_what_is_wrong(word):
    text = f"select {'a, ' * 100}{word}{', b' * 100} end" if word != "first" else "first" + ", b" * 100
    line, carets = show(text, span(text, word))
    begin, end = carets.index("^"), carets.rindex("^") + 1
    assert len(line) <= len("  1 | ") + 110
    assert line[begin:end] == word if len(word) < 100 else line[begin:end] == word[:109] + "…"
    assert "…" in line


def test_all_errors_of_a_list_are_shown_with_their_lines():
    both = ErrorList(
        [CompileError("x", SourceLocation("a.sql", 1, 1)), CompileError("y", SourceLocation("a.sql", 2, 1))]
    )
    text = format_error(both, lines_of=lambda path: ["select", "from"])
    assert (
        text
        == "error: x\n  --> a.sql:1:1\n  1 | select\n    | ^^^^^^\n\nerror: y\n  --> a.sql:2:1\n  2 | from\n    | ^^^^"
    )


def test_a_part_of_a_value_has_its_own_place():
    plain = SourceLocation("m.yml", 3, 10, 3, 15)
    quoted = SourceLocation("m.yml", 3, 10, 3, 17)
    assert plain.part("a > b", 4, 5) == SourceLocation("m.yml", 3, 14)
    assert quoted.part("a > b", 4, 5) == SourceLocation("m.yml", 3, 15)
    assert quoted.part("a > b", 4, 5).end_column == 16
    for whole in (SourceLocation("m.yml", 3, 10), SourceLocation("m.yml", 3, 10, 4, 2), SourceLocation("m.yml", 3)):
        assert whole.part("a > b", 4, 5) is whole
    assert SourceLocation("m.yml", 3, 10, 3, 18).part("a > b", 4, 5).column == 10


def test_a_line_is_placed_by_what_is_written_in_it():
    place = locate_line("a.sql", "x\n  {% if %}  \n", 2)
    assert (place.column, place.end_line, place.end_column) == (3, 2, 11)
    assert locate_line("a.sql", "x\n\n", 2) == SourceLocation("a.sql", 2)
    assert locate_line("a.sql", "x", 9) == SourceLocation("a.sql", 9)
