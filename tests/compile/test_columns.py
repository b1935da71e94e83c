"""Columns through SQL: what statements return, and the exact places of what does not exist."""

import pytest

SOURCE = "{{ source('raw', 'flights') }}"
AIRLINES = "{{ ref('airlines') }}"
ALL = ("id", "carrier", "origin", "dest", "miles", "delay", "ts")


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        (f"select * from {SOURCE}", ALL),
        (f"select f.* from {SOURCE} as f", ALL),
        (f"select * except (id, TS) from {SOURCE}", ALL[1:-1]),
        (f"select Carrier, miles as Miles_Flown from {SOURCE}", ("Carrier", "Miles_Flown")),
        (f"with a as (select id, miles + 1 as m from {SOURCE}) select * from a", ("id", "m")),
        (f"with a(x, y) as (select id, miles from {SOURCE}) select y, x from a", ("y", "x")),
        (f"select * from (select id as a from {SOURCE}) as s", ("a",)),
        (f"select * from (select id from {SOURCE}) as s(renamed)", ("renamed",)),
        (f"select id from {SOURCE} union all select id + 1 from {SOURCE} order by id", ("id",)),
        (f"(select id from {SOURCE}) union (select id from {SOURCE}) limit 3", ("id",)),
        (f"select * from {SOURCE} f join {AIRLINES} a on f.carrier = a.code", (*ALL, "code", "name")),
        (f"select * from {SOURCE} join (select code as carrier, name from {AIRLINES}) using (carrier)",
         ("carrier", "id", *ALL[2:], "name")),
        (f"select * from {SOURCE} join (select code carrier, name Dest, name from {AIRLINES}) using (dest, carrier)",
         ("dest", "carrier", "id", "origin", *ALL[4:], "name")),
        (f"select * from {SOURCE} natural join (select code as carrier, name from {AIRLINES})",
         ("carrier", "id", *ALL[2:], "name")),
        (f"select * from {SOURCE} f left semi join {AIRLINES} a on f.carrier = a.code", ALL),
        (f"select id from {SOURCE} f where exists (select 1 from {AIRLINES} where code = f.carrier and miles > 0)",
         ("id",)),
        (f"select (select max(name) from {AIRLINES} where code = carrier) as n from {SOURCE}", ("n",)),
        (f"select id, l.z from {SOURCE} f, lateral (select f.miles + 1 as z) l", ("id", "z")),
        (f"select id, x from {SOURCE} lateral view explode(split(carrier, '')) e as x", ("id", "x")),
        (f"select id, explode(array(1, 2)) as n from {SOURCE}", ("id", "n")),
        (f"select posexplode(array(1, 2)) as (at, n) from {SOURCE}", ("at", "n")),
        (f"select miles + 1 as a, a * 2 as b from {SOURCE}", ("a", "b")),
        (f"select carrier as c, count(*) as n from {SOURCE} group by c having n > 1 order by n, c", ("c", "n")),
        (f"select row_number() over w as n from {SOURCE} window w as (partition by carrier order by ts)", ("n",)),
        (f"select transform(array(miles), x -> x + delay) as t from {SOURCE}", ("t",)),
        (f"select window.start as s, count(*) as n from {SOURCE} group by window(ts, '1 hour')", ("s", "n")),
        ("select * from values (1, 'a') as v(x, y)", ("x", "y")),
        ("select id from range(3)", ("id",)),
        (f"select struct(f.*) as s, count(*) as n from {SOURCE} f group by all", ("s", "n")),
        (f"from {SOURCE} |> where miles > 1 |> select id, miles", ("id", "miles")),
        (
            f"select * from {SOURCE} pivot (sum(miles) for carrier in ('AA', 'UA'))",
            ("id", "origin", "dest", "delay", "ts", "AA", "UA"),
        ),
        (f"select s.* from (select struct(id, miles as m) as s from {SOURCE})", ("id", "m")),
        (f"select inline(array(struct(id, carrier as c))) from {SOURCE}", ("id", "c")),
        (f"select *, current_date as today from {SOURCE}", (*ALL, "today")),
        (f"select id from {SOURCE};", ("id",)),
        ("with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select n from r", ("n",)),
        (f"select timestampdiff(minute, ts, ts) as m, extract(hour from ts) as h from {SOURCE}", ("m", "h")),
        (f"select id as `a b`, f.`carrier` from {SOURCE} f", ("a b", "carrier")),
    ],
)  # fmt: skip
def test_returned_columns(workshop, sql, columns):
    assert workshop.columns(sql) == columns


# ^ stands before the place of the error.
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"select id,\n  ^milse from {SOURCE}", "'milse', which 'raw.flights' does not have|mean 'miles'"),
        (f"select f.^milse from {SOURCE} as f", "'milse', which 'raw.flights' does not have|mean 'miles'"),
        (f"select ^g.miles from {SOURCE} as f", "'g.miles', but reads no relation 'g'|it reads: f"),
        (f"select id from {SOURCE} where ^nope > 1", "uses column 'nope'|it has: carrier"),
        (f"select miles as m from {SOURCE} where ^m > 1", "uses 'm' where names of the SELECT list|CTE"),
        (f"select id from {SOURCE} group by ^idd", "uses column 'idd'|mean 'id'"),
        (f"select id from {SOURCE} order by ^idd", "uses column 'idd'|mean 'id'"),
        (f"select sum(x.miles) over (partition by x.^zz) as s from {SOURCE} x", "'zz', which 'raw.flights' does"),
        (f"with a as (select id from {SOURCE})\nselect ^miles from a", "'miles', which 'a' does not|has: id"),
        (f"with a as (select ^idd as id from {SOURCE}) select id from a", "'idd', which 'raw.flights' does not"),
        (f"select * except (^idd) from {SOURCE}", "leaves out column 'idd', which '*'|mean 'id'"),
        (f"select ^x.* from {SOURCE} f", "'x.*', but reads no relation 'x'|it reads: f"),
        (f"select id from {SOURCE} join {AIRLINES} using (^code)", "joins using column 'code'|it has: carr"),
        (f"select a.id from {SOURCE} a join {AIRLINES} b on a.carrier = b.^cod", "'cod', which 'airlines'|'code'"),
        (f"select id from {SOURCE} f where exists (select 1 from {AIRLINES} where ^cod = f.carrier)", "'cod', which"),
        (f"select f.id from {SOURCE} f left semi join {AIRLINES} a on f.carrier = a.code where ^a.name = 'x'",
         "'a.name', but reads no relation 'a'"),
        (f"select ^id from {SOURCE} a join {SOURCE} b on a.id = b.id",
         "column 'id', which both 'a' and 'b' have|say which one: a.id or b.id"),
        (f"select ^miles + 1 from {SOURCE}", "an expression without a name (column 1)|add `as name`"),
        (f"select id, ^miles as ID from {SOURCE}", "returns 'id' and 'ID', which are one name|rename one"),
        (f"select ^id as `a.b` from {SOURCE}", "'a.b': a dot in a name is read as a field|name it 'a_b'"),
        (f"select ^* from {SOURCE} pivot (sum(miles) for carrier in ('a.b'))", "'a.b': a dot in a name|name it 'a_b'"),
        (f"select id, miles from {SOURCE} union all select ^id from {SOURCE}", "UNION of 2 and 1 columns|same columns"),
        ("select id from ^airlines", "reads 'airlines', which is no CTE|write {{ ref('airlines') }}"),
        ("select id from ^raw.flights", "reads 'raw.flights'|write {{ source('raw', 'flights') }}"),
        ("select ^x as y", "uses column 'x' but reads no relation|add a FROM clause"),
        ("^select *", "returns no columns"),
        (f"select id from {SOURCE} union all by name select ^miles from {SOURCE}",
         "BY NAME, which Spark's SQL does not"),
        (f"select ^id from {SOURCE} lateral view explode(array(1)) e as id",
         "which both 'raw.flights' and 'e' have|give both an alias"),
    ],
)  # fmt: skip
def test_wrong_columns(workshop, sql, expected):
    before, after = sql.split("^")
    text = workshop.errors({"models/m.sql": before + after})
    for part in expected.split("|"):
        assert part in text
    assert f"models/m.sql:{before.count(chr(10)) + 1}:{len(before.split(chr(10))[-1]) + 1}\n" in text
    assert text.count("error:") == 1


def test_all_errors_of_all_files_are_reported_together(workshop):
    text = workshop.errors(
        {
            "models/a.sql": f"select idd as id, milez as m from {SOURCE}",
            "models/b.sql": "select id, mm from {{ ref('a') }}",
            "models/c.sql": "select from from",
        }
    )
    # A misspelt column of `a` has a name all the same, so that its readers are checked too.
    assert text.count("error:") == 4
    assert text.index("a.sql:1:8") < text.index("a.sql:1:19") < text.index("b.sql:1:12") < text.index("c.sql")


def test_a_misspelt_name_is_reported_once(workshop):
    text = workshop.errors(
        {"models/a.sql": f"select idd from {SOURCE}", "models/b.sql": "select id from {{ ref('a') }}"}
    )
    assert text.count("error:") == 1


def test_unknown_columns_are_contagious_and_no_error(workshop):
    compiled = workshop.compile(
        {
            "models/a.sql": "select * from parquet.`/tmp/x`",
            "models/b.sql": "select whatever, t.more from {{ ref('a') }} as t where other > 1",
            "models/c.sql": "select *, 1 as one from {{ ref('b') }} join parquet.`/tmp/x` using (whatever)",
        }
    )
    assert compiled.columns["sql_model.a"] is None
    assert compiled.columns["sql_model.b"] == ("whatever", "more")
    assert compiled.columns["sql_model.c"] is None
    assert "past the project" in compiled.warnings[0][0]


def test_places_come_through_macros_to_the_users_file(workshop):
    text = workshop.errors(
        {
            "macros/m.sql": "{% macro twice(x) %}({{ x }} * 2){% endmacro %}",
            "models/m.sql": f"select {{{{ twice('milse') }}}} as a,\n  {{# note #}} milse as b from {SOURCE}",
        }
    )
    assert "m.sql:1:8\n" in text
    assert "m.sql:2:14\n" in text


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a,, b from t", "m.sql:1:9|nothing follows a comma"),
        ("select a, from t", "m.sql:1:9|nothing follows a comma"),
        ("select (a from t", "m.sql:1:11|near 'from': expecting )"),
        ("select 'a from t", "m.sql:1:8|' is never closed"),
        ("select 1 as a /* x", "m.sql:1:15|/* is never closed"),
        ("select 1 as a\nfrom", "m.sql:2:1|near 'from': expected table name"),
        ("select 1 as a; select 2 as b", "m.sql:1:14|more than one statement"),
        ("insert into t select 1", "m.sql:1:1|is not a SELECT"),
        ("-- nothing", "m.sql:1:1|has no SQL"),
    ],
)
def test_broken_sql(workshop, sql, expected):
    text = workshop.errors({"models/m.sql": sql})
    for part in expected.split("|"):
        assert part in text


def test_a_trailing_semicolon_is_cut_off(workshop):
    compiled = workshop.compile({"models/m.sql": "select 1 as a -- one\n; -- done\n;"})
    assert compiled.dag.nodes["sql_model.m"].sql.text == "select 1 as a -- one\n"


def test_functions_that_change_are_warned_of(workshop):
    compiled = workshop.compile(
        {"models/m.sql": f"select rand() as r, current_date as d, 'now()' as s, id as now from {SOURCE}"}
    )
    assert [(text.split(",")[0], str(place)) for text, place in compiled.warnings] == [
        ("sql model 'm' calls rand", "models/m.sql:1:8"),
        ("sql model 'm' calls current_date", "models/m.sql:1:21"),
    ]


def test_tests_on_columns_that_do_not_exist(workshop):
    text = workshop.errors(
        {
            "models/m.sql": f"select id, carrier from {SOURCE}",
            "models/m.yml": "version: 2\nmodels:\n  - name: m\n    columns:\n      - name: idd\n"
            "        data_tests: [not_null]\n"
            "      - name: carrier\n        data_tests:\n"
            "          - relationships: {to: ref('airlines'), field: codes}\n"
            "          - not_null: {where: mils > 1}\n",
            "tests/t.sql": "select * from {{ ref('m') }} where dest is null",
        }
    )
    assert "tests column 'idd', which 'm' does not have\n  --> models/m.yml:6" in text
    assert "uses column 'codes', which 'airlines' does not have\n  --> models/m.yml:9" in text
    assert "uses column 'mils', which 'm' does not have\n  --> models/m.yml:10" in text
    assert "uses column 'dest', which 'm' does not have\n  --> tests/t.sql:1:36" in text
