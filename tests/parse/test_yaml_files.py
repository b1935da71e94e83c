import yaml

from sqlml.errors import ParseError
from sqlml.ir.location import SourceLocation
from sqlml.parse.yaml_files import Reader, compose


def read(text, render=None):
    errors = []
    reader = Reader("m.yml", render or (lambda text, place: text), errors)
    return reader.entry(compose("m.yml", text)), errors


def test_every_key_and_item_has_its_line_and_column():
    entry, errors = read("name: a\nsplit: {by: hash,  holdout: 0.2}\ncolumns:\n  - name: x\n    known: after\n  - y\n")
    assert errors == []
    assert entry.value == {
        "name": "a",
        "split": {"by": "hash", "holdout": 0.2},
        "columns": [{"name": "x", "known": "after"}, "y"],
    }
    places = {key: (place.line, place.column) for key, place in entry.places.keys.items()}
    assert places == {
        "name": (1, 1),
        "split": (2, 1),
        "split.by": (2, 9),
        "split.holdout": (2, 20),
        "columns": (3, 1),
        "columns.0": (4, 5),
        "columns.0.name": (4, 5),
        "columns.0.known": (5, 5),
        "columns.1": (6, 5),
    }
    assert entry.places.of("columns.0.known.at") == SourceLocation("m.yml", 5, 5)


def test_plain_scalars_have_the_types_that_a_user_expects():
    entry, _ = read(
        "[1, 1e-3, 2.5E+2, .5, 0x1f, 12:30, 2013-11-01, yes, no, ~, '1e-3', \"2\", 1_000, .inf, "
        "2013-11-01 05:00:00, 1:30.5]"
    )
    assert entry.value == [
        1, 0.001, 250.0, 0.5, 31, "12:30", "2013-11-01", True, False, None, "1e-3", "2", 1000, float("inf"),
        "2013-11-01 05:00:00", "1:30.5",
    ]  # fmt: skip


def test_anchors_aliases_and_merge_keys():
    entry, errors = read("base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\nboth: {<<: [*base, {c: 4}]}\n")
    assert errors == []
    assert entry.value["other"] == {"a": 1, "b": 3}
    assert entry.value["both"] == {"a": 1, "b": 2, "c": 4}


def test_keys_are_text_as_written():
    entry, _ = read("on: 1\n2013: 2\n1.50: 3\n")
    assert entry.value == {"on": 1, "2013": 2, "1.50": 3}


def test_a_key_given_twice_keeps_the_first_and_names_both_lines():
    entry, errors = read("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert entry.value == {"a": 1, "b": {"c": 1}}
    assert sorted((error.what, error.location.line) for error in errors) == [
        ("key 'a' is given twice, first in line 1", 5),
        ("key 'c' is given twice, first in line 3", 4),
    ]


def test_a_value_that_cannot_be_rendered_is_told_once():
    def render(text, place):
        raise ParseError("no", place)

    entry, errors = read("a: '{{ x }}'\nb: [1, '{{ y }}']\n", render)
    assert entry.broken == {"a", "b.1"}
    assert [(error.location.line, error.location.column) for error in errors] == [(1, 4), (2, 8)]


def test_endless_yaml_is_an_error_and_not_a_crash():
    endless = ["a: &a [*a]\n", "[" * 200_000, "- " * 200_000 + "x", "? " * 200_000 + "x", "a: &a\n  <<: *a\n  b: 1\n"]
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    for text in (*endless, laughs):
        try:
            _, errors = read(text)
        except ParseError as error:
            errors = [error]
        assert errors, text[:40]
        assert all(error.location.path == "m.yml" for error in errors)


def test_the_c_and_the_python_parser_agree(monkeypatch):
    text = "a: [1, 1e3, x, ~, yes]\nb: {c: 'd', e: \"f\"}\ng: |\n  h\n  i\n"
    fast, _ = read(text)

    class Slow(yaml.SafeLoader):
        pass

    monkeypatch.setattr("sqlml.parse.yaml_files._Loader", Slow)
    slow, _ = read(text)
    assert fast == slow
