import pytest

from sqlml.errors import CommandError
from sqlml.parse import parse_variables


def test_values_have_the_types_of_the_project_file():
    text = "{last_week: 2013-12-25, rate: 1e-3, careless: dep_delay, days: [1, 2], on: yes, text: '{{ x }}'}"
    assert parse_variables(text) == {
        "last_week": "2013-12-25",
        "rate": 0.001,
        "careless": "dep_delay",
        "days": [1, 2],
        "on": True,
        "text": "{{ x }}",
    }
    assert parse_variables("") == parse_variables("{}") == {}


@pytest.mark.parametrize("text", ["a", "[a]", "{a: 1", "{a: 1, a: 2}", "a=1", "[" * 100_000, "{[a]: 1}"])
def test_what_is_no_mapping(text):
    with pytest.raises(CommandError, match="--vars"):
        parse_variables(text)
