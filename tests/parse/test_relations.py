import pytest

from sqlml.errors import SqlmlError
from sqlml.ir.location import SourceLocation
from sqlml.ir.project import Known

SQL = "select 1 as id, 2 as amount\n"
YAML = """\
version: 2
models:
  - name: orders
    description: one row per order
    config: {materialized: view, tags: nightly}
    columns:
      - name: id
        data_type: bigint
        description: the order
        data_tests: [unique, not_null]
      - name: arrived
        known: {at: arr_ts}
      - name: late
        known: after
        tests:
          - accepted_values:
              name: late_is_known
              values: [true, false]
              config: {severity: warn, where: "arrived is not null", tags: [t]}
      - name: customer
        data_tests:
          - relationships:
              arguments: {to: ref('customers'), field: id}
              severity: warn
          - not_null: {enabled: false}
          - unique:
"""


def test_a_sql_model_with_its_entry(parse):
    project = parse({"models/a/orders.sql": SQL, "models/orders.yml": YAML})
    (orders,) = project.sql_models
    assert (orders.name, orders.path, orders.text) == ("orders", "models/a/orders.sql", SQL)
    assert orders.description == "one row per order"
    assert orders.config == {"materialized": "view", "tags": ("nightly",)}
    assert orders.places.whole == SourceLocation("models/a/orders.sql", 1)
    assert orders.places.of("columns.2.name") == SourceLocation("models/orders.yml", 13, 9)
    assert [(column.name, column.data_type, column.known, column.location.line) for column in orders.columns] == [
        ("id", "bigint", None, 7),
        ("arrived", None, Known("arr_ts"), 11),
        ("late", None, Known(), 13),
        ("customer", None, None, 20),
    ]


def test_data_tests_in_all_of_dbts_spellings(parse):
    (orders,) = parse({"models/orders.sql": SQL, "models/orders.yml": YAML}).sql_models
    tests = [(test.kind, test.column, test.severity, test.location.line) for test in orders.tests]
    assert tests == [
        ("unique", "id", "error", 10),
        ("not_null", "id", "error", 10),
        ("accepted_values", "late", "warn", 16),
        ("relationships", "customer", "warn", 22),
        ("unique", "customer", "error", 26),
    ]
    values = orders.tests[2]
    assert (values.name, values.where, values.tags) == ("late_is_known", "arrived is not null", ("t",))
    assert values.arguments == {"values": (True, False)}
    assert orders.tests[3].arguments == {"to": "ref('customers')", "field": "id"}


def test_seeds_are_files_with_or_without_an_entry(parse):
    project = parse(
        {
            "seeds/planes.csv": "id\n1\n",
            "seeds/more/airlines.parquet": b"PAR1",
            "seeds/README.md": "no seed",
            "seeds/off.json": "{}\n",
            "seeds/seeds.yml": "seeds: [{name: planes, options: {sep: ';', header: true}, "
            "columns: [{name: id, data_type: int}]}, {name: 'off', config: {enabled: false}}]\n",
        }
    )
    assert [(seed.name, seed.path, seed.format) for seed in project.seeds] == [
        ("airlines", "seeds/more/airlines.parquet", "parquet"),
        ("planes", "seeds/planes.csv", "csv"),
    ]
    assert project.seeds[1].options == {"sep": ";", "header": "true"}
    assert project.seeds[1].columns[0].data_type == "int"
    assert project.seeds[1].places.of("columns.0.name").path == "seeds/seeds.yml"


SOURCES = """\
sources:
  - name: raw
    tags: [raw]
    tables:
      - name: flights
        path: "data/{{ var('year') }}/flights.csv"
        keys: flight_id
        tags: big
        options: {inferSchema: false}
        columns:
          - {name: flight_id, data_tests: [unique]}
          - {name: dep_delay, known: after}
      - {name: parts, path: data/parts}
      - {name: old, path: data/gone.csv, enabled: false}
"""


def test_sources_and_their_formats(parse, tmp_path):
    files = {
        "models/s.yml": SOURCES,
        "data/2013/flights.csv": "flight_id\n1\n",
        "data/parts/p0.orc": b"",
        "data/parts/_SUCCESS": "",
    }
    project = parse(files, variables={"year": 2013})
    flights, parts = project.sources
    assert (flights.source_name, flights.name, flights.path, flights.format) == (
        "raw",
        "flights",
        "data/2013/flights.csv",
        "csv",
    )
    assert (flights.keys, flights.tags, flights.options) == (("flight_id",), ("raw", "big"), {"inferSchema": "false"})
    assert flights.places.of("columns.1.name") == SourceLocation("models/s.yml", 12, 14)
    assert flights.columns[1].known == Known()
    assert flights.tests[0].location.line == 11
    assert (parts.path, parts.format) == ("data/parts", "orc")


def test_singular_tests_and_macros(parse):
    project = parse(
        {
            "tests/no_late.sql": "select * from {{ ref('orders') }}",
            "tests/test_python.py": "",
            "macros/a/money.sql": "{% macro money(x) %}{{ x }} / 100{% endmacro %}",
        }
    )
    (test,) = project.singular_tests
    assert (test.kind, test.name, test.text) == ("singular", "no_late", "select * from {{ ref('orders') }}")
    assert test.location == SourceLocation("tests/no_late.sql", 1)
    assert [macro.path for macro in project.macro_files if not macro.shipped] == ["macros/a/money.sql"]


def test_line_ends_and_byte_order_marks_of_other_systems(parse):
    project = parse(
        {
            "models/orders.sql": b"\xef\xbb\xbfselect 1\r\n  as id\r\n",
            "models/o.yml": b"\xef\xbb\xbfversion: 2\r\nmodels:\r\n  - name: orders\r\n",
        }
    )
    assert project.sql_models[0].text == "select 1\n  as id\n"


def test_hidden_files_are_not_read(parse):
    project = parse(
        {"models/.ipynb_checkpoints/a.sql": SQL, "models/.a.yml": "[", "models/b.sql": SQL, "models/notes.md": "x"}
    )
    assert [sql_model.name for sql_model in project.sql_models] == ["b"]


def test_all_errors_of_all_files_come_together(parse):
    with pytest.raises(SqlmlError) as failure:
        parse(
            {"models/a.yml": "models: [\n", "models/b.yml": "sorces: []\n", "models/c.sql": "", "macros/d.sql": b"\xff"}
        )
    assert [error.location.path for error in failure.value.errors] == [
        "macros/d.sql",
        "models/a.yml",
        "models/b.yml",
        "models/c.sql",
    ]
