"""Column lineage: what each output of a statement is computed from, and the walk between nodes."""

from __future__ import annotations

import pytest

from sqlml.ir.lineage import ColumnRef, Kind

T = "{{ source('raw', 'flights') }}"
FLIGHTS = "source.raw.flights"


@pytest.fixture
def edges(workshop):
    """Return what each column of a SQL model is computed from: kind to columns, `t.x` for those of the source."""

    def trace(sql, files=None, node="sql_model.m"):
        compiled = workshop.compile({"models/m.sql": sql, **(files or {})})
        lineage = compiled.lineage.nodes[node]
        return {column: _by_kind(lineage.edges(column)) for column in lineage.columns}

    return trace


def _by_kind(found):
    kinds = {}
    for edge in found:
        kind = "copy" if edge.is_copy else edge.kind.value
        name = f"{edge.source.node_id.rpartition('.')[2].replace('flights', 't')}.{edge.source.column}"
        kinds.setdefault(kind, set()).add(name)
    return kinds


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("id as x", {"copy": {"t.id"}}),
        ("(id) as x", {"copy": {"t.id"}}),
        ("cast(id as string) as x", {"value": {"t.id"}}),
        ("miles + delay as x", {"value": {"t.miles", "t.delay"}}),
        ("case when delay > 15 then 'late' else carrier end as x", {"value": {"t.delay", "t.carrier"}}),
        ("1 as x", {}),
        ("upper(lpad(dest, 5, origin)) as x", {"value": {"t.dest", "t.origin"}}),
        ("avg(delay) over (partition by carrier order by ts) as x",
         {"other_rows": {"t.delay"}, "filter": {"t.carrier", "t.ts"}}),
        ("delay - avg(delay) over (partition by carrier) as x",
         {"value": {"t.delay"}, "other_rows": {"t.delay"}, "filter": {"t.carrier"}}),
        ("rank() over (partition by carrier order by delay) as x",
         {"other_rows": {"t.delay"}, "filter": {"t.carrier"}}),
        ("lag(delay, 1, miles) over (order by ts) as x",
         {"other_rows": {"t.delay", "t.miles"}, "filter": {"t.ts"}}),
        ("sum(delay) filter (where miles > 5) over (order by ts) as x",
         {"other_rows": {"t.delay", "t.miles"}, "filter": {"t.ts"}}),
        ("last_value(delay) ignore nulls over (order by ts) as x", {"other_rows": {"t.delay"}, "filter": {"t.ts"}}),
        ("transform(array(delay, miles), e -> e + id) as x", {"value": {"t.delay", "t.miles", "t.id"}}),
        ("struct(id as a, delay as b).b as x", {"value": {"t.delay"}}),
        ("named_struct('a', id, 'b', delay).a as x", {"value": {"t.id"}}),
        ("if(delay > 1, struct(id as k), struct(miles as k)).k as x", {"value": {"t.delay", "t.id", "t.miles"}}),
        ("typeof(delay) as x", {}),
        ("delay in (select miles from {{ source('raw', 'flights') }} where id > 1) as x",
         {"value": {"t.delay"}, "other_rows": {"t.miles", "t.id"}}),
    ],
)  # fmt: skip
def test_expressions(edges, select, expected):
    assert edges(f"select {select} from {T}") == {"x": expected}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"select sum(delay) as x from {T}", {"other_rows": {"t.delay"}}),
        (f"select any(delay > 1) as x from {T}", {"other_rows": {"t.delay"}}),
        (f"select collect_list(delay) as x from {T}", {"other_rows": {"t.delay"}}),
        (f"select max_by(carrier, ts) as x from {T}", {"other_rows": {"t.carrier", "t.ts"}}),
        (f"select percentile_cont(0.5) within group (order by delay) as x from {T}", {"other_rows": {"t.delay"}}),
        (f"select count(*) as x from {T} where delay > 15", {"other_rows": {"t.delay"}}),
        (f"select max(struct(ts, delay)).delay as x from {T}", {"other_rows": {"t.delay"}}),
        (f"select carrier as x from {T} group by carrier", {"copy": {"t.carrier"}}),
        (f"select sum(id) as x from {T} group by carrier having max(delay) > 1",
         {"other_rows": {"t.id"}, "filter": {"t.carrier", "t.delay"}}),
        (f"select upper(carrier) as x from {T} group by 1", {"value": {"t.carrier"}}),
        (f"select id as x from {T} where delay > 1", {"copy": {"t.id"}, "filter": {"t.delay"}}),
        (f"select id as x from {T} qualify row_number() over (partition by id order by ts) = 1",
         {"copy": {"t.id"}, "filter": {"t.ts"}}),
        (f"select id as x from {T} order by delay", {"copy": {"t.id"}}),
        (f"select id as x from {T} order by delay limit 3", {"copy": {"t.id"}, "filter": {"t.delay"}}),
        (f"select id as x from {T} union all select miles from {T} where delay > 1",
         {"copy": {"t.id", "t.miles"}, "filter": {"t.delay"}}),
        (f"select id as x from {T} except select miles from {T}", {"copy": {"t.id"}, "filter": {"t.miles"}}),
        (f"select e as x from {T} lateral view explode(array(delay, miles)) as e",
         {"value": {"t.delay", "t.miles"}}),
        (f"select x.a as x from (select struct(id as a, miles as b) as x from {T}) as s", {"value": {"t.id"}}),
        (f"with c as (select carrier as k, sum(delay) as s from {T} group by carrier) select s / 2 as x from c",
         {"other_rows": {"t.delay"}, "filter": {"t.carrier"}}),
        (f"select (select max(delay) from {T}) as x", {"other_rows": {"t.delay"}}),
        (f"select a.id as x from {T} as a where exists (select 1 from {T} as b where b.miles > a.delay)",
         {"copy": {"t.id"}, "filter": {"t.miles", "t.delay"}}),
        (f"select f.b as x from {T} as f (a, b, c, d, e, f, g)", {"copy": {"t.carrier"}}),
        (f"select sum(delay) over w as x from {T} window w as (partition by carrier order by ts)",
         {"other_rows": {"t.delay"}, "filter": {"t.carrier", "t.ts"}}),
        (f"select delay + 1 as x from {T} group by all", {"value": {"t.delay"}}),
        (f"select distinct delay as x from {T}", {"copy": {"t.delay"}}),
        (f"select y + 1 as x from (select delay as y, miles as z from {T})", {"value": {"t.delay"}}),
    ],
)  # fmt: skip
def test_statements(edges, sql, expected):
    found = edges(sql)
    assert found == {"x": expected}


PAIR = f"{T} as f join {T} as g"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # The row that belongs to this row …
        (f"select g.delay as x from {PAIR} on f.id = g.id", {"copy": {"t.delay"}, "filter": {"t.id"}}),
        (f"select delay as x from {T} join {{{{ ref('airlines') }}}} on code = carrier",
         {"copy": {"t.delay"}, "filter": {"airlines.code", "t.carrier"}}),
        (f"select name as x from {T} join {{{{ ref('airlines') }}}} on code = carrier",
         {"copy": {"airlines.name"}, "filter": {"airlines.code", "t.carrier"}}),
        # … and other rows.
        (f"select g.delay as x from {PAIR} on f.carrier = g.carrier and g.ts < f.ts",
         {"other_rows": {"t.delay"}, "filter": {"t.carrier", "t.ts"}}),
        (f"select g.delay as x from {PAIR} on g.id = f.miles",
         {"other_rows": {"t.delay"}, "filter": {"t.id", "t.miles"}}),
        (f"select f.delay as x from {PAIR} on g.ts < f.ts", {"copy": {"t.delay"}, "filter": {"t.ts"}}),
        (f"select id as x from {T} left semi join {{{{ ref('airlines') }}}} on code = carrier",
         {"copy": {"t.id"}, "filter": {"airlines.code", "t.carrier"}}),
        (f"select f.x from (select id as x, miles from {T}) as f "
         f"left join (select id as k from {T} where delay > 1) as g on g.k = f.miles",
         {"copy": {"t.id"}, "filter": {"t.miles", "t.delay"}}),
    ],
)  # fmt: skip
def test_joins(edges, sql, expected):
    assert edges(sql) == {"x": expected}


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("join", {"copy": {"t.carrier"}, "filter": {"airlines.code"}}),
        ("left join", {"copy": {"t.carrier"}, "filter": {"airlines.code"}}),
        ("right join", {"copy": {"airlines.code"}, "filter": {"t.carrier"}}),
        ("full join", {"value": {"airlines.code", "t.carrier"}}),
    ],
)
@pytest.mark.parametrize("column", ["k", "*"])
def test_the_column_of_using_has_the_value_of_its_side(edges, side, expected, column):
    left, right = f"(select carrier as k from {T}) as a", "(select code as k from {{ ref('airlines') }}) as b"
    found = edges(f"select {column} from {left} {side} {right} using (k)")["k"]
    if "value" in expected:
        found["value"] = found.pop("copy", set()) | found.get("value", set())
    assert found == expected


def test_stars_and_their_exceptions(edges):
    found = edges(f"with a as (select * except (ts) from {T}) select a.* except (id, dest), miles * 2 as two from a")
    assert found["carrier"] == {"copy": {"t.carrier"}}
    assert found["two"] == {"value": {"t.miles"}}
    assert set(found) == {"carrier", "origin", "miles", "delay", "two"}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"select * from (select id, carrier, miles from {T}) pivot (sum(miles) for carrier in ('AA', 'UA' as u))",
         {"id": {"copy": {"t.id"}},
          "AA": {"other_rows": {"t.miles", "t.carrier"}, "filter": {"t.id"}},
          "u": {"other_rows": {"t.miles", "t.carrier"}, "filter": {"t.id"}}}),
        (f"select p.AA_m, UA_d + 1 as d from (select carrier, miles, delay from {T}) "
         "pivot (sum(miles) as m, max(delay) as d for carrier in ('AA', 'UA')) as p",
         {"AA_m": {"other_rows": {"t.miles", "t.carrier"}}, "d": {"other_rows": {"t.delay", "t.carrier"}}}),
        (f"select a, b from (select id, carrier, miles from {T}) pivot (sum(miles) for carrier in ('AA')) as p(a, b)",
         {"a": {"copy": {"t.id"}}, "b": {"other_rows": {"t.miles", "t.carrier"}, "filter": {"t.id"}}}),
        (f"select id, what, n from {T} unpivot (n for what in (miles, delay))",
         {"id": {"copy": {"t.id"}, "filter": {"t.miles", "t.delay"}},
          "what": {"filter": {"t.miles", "t.delay"}},
          "n": {"value": {"t.miles", "t.delay"}}}),
        (f"select id, a, b from {T} unpivot include nulls ((a, b) for what in ((miles, delay) as x, (delay, ts) as y))",
         {"id": {"copy": {"t.id"}}, "a": {"value": {"t.miles", "t.delay"}}, "b": {"value": {"t.delay", "t.ts"}}}),
    ],
)  # fmt: skip
def test_pivots(edges, sql, expected):
    assert edges(sql) == expected


def test_a_misspelt_column_of_a_pivot_is_found_once_at_its_place(workshop):
    text = workshop.errors({"models/m.sql": f"select * from {T}\npivot (sum(milse) for carrier in ('AA', 'UA'))"})
    assert "uses column 'milse', which 'raw.flights' does not have\n  --> models/m.sql:2:12" in text
    assert text.count("error:") == 1
    text = workshop.errors({"models/m.sql": f"select AAA from {T} pivot (sum(miles) for carrier in ('AA'))"})
    assert "did you mean 'AA'" in text


def test_unknown_is_contagious_and_says_so(workshop, edges):
    found = edges("select * from parquet.`/tmp/x`")
    assert found == {"*": {}}
    found = edges("select whatever from {{ ref('p') }}", {"models/p.sql": "select * from parquet.`/tmp/x`"})
    assert found == {"whatever": {"unknown": {"p.*"}}}
    found = edges(f"with recursive r as (select id from {T} union all select id + 1 from r) select id from r")
    assert found == {"id": {"unknown": {"t.*"}}}


ML = {
    "models/m.yml": "version: 2\nml_models:\n  - name: late\n    training_data: ref('f')\n"
    "    estimator: LogisticRegression\n    label: is_late\n    positive: true\n    keys: [id]\n    where: miles > 1\n",
    "models/f.sql": f"select id, miles * 2 as miles, carrier, delay > 15 as is_late from {T}",
    "models/today.sql": f"select id, miles + 1 as miles, carrier from {T}",
}


def test_through_a_fitted_model(workshop, edges):
    found = edges("select id, probability as p from {{ predict('late', ref('today')) }}", ML)
    assert found["p"] == {"copy": {"today.probability"}}
    lineage = workshop.compile().lineage
    prediction = lineage.nodes["prediction.late.today"]
    assert _by_kind(prediction.edges("id")) == {"copy": {"today.id"}}
    assert _by_kind(prediction.edges("probability")) == {"value": {"today.miles", "today.carrier"}, "fit": {"late.*"}}
    assert _by_kind(lineage.nodes["ml_model.late"].edges("miles")) == {"copy": {"f.miles"}}
    assert _by_kind(lineage.nodes["ml_model.late"].edges("is_late")) == {"copy": {"f.is_late"}, "filter": {"f.miles"}}
    reached = lineage.roots(ColumnRef("sql_model.m", "p"))
    assert reached == {ColumnRef(FLIGHTS, "miles"), ColumnRef(FLIGHTS, "carrier")}
    with_fit = lineage.roots(ColumnRef("sql_model.m", "p"), (Kind.VALUE, Kind.FIT))
    assert with_fit == reached | {ColumnRef(FLIGHTS, "delay")}


def test_names_are_in_the_parents_spelling_and_chains_are_walked(workshop):
    compiled = workshop.compile(
        {
            "models/a.sql": f"select ID as Number, Delay from {T}",
            "models/b.sql": "select NUMBER as n, delay as d from {{ ref('a') }}",
        }
    )
    lineage = compiled.lineage
    assert [edge.source for edge in lineage.edges(ColumnRef("sql_model.b", "n"))] == [
        ColumnRef("sql_model.a", "Number")
    ]
    assert lineage.copies(ColumnRef("sql_model.b", "n")) == {
        ColumnRef("sql_model.b", "n"), ColumnRef("sql_model.a", "Number"), ColumnRef(FLIGHTS, "id")
    }  # fmt: skip
    children = lineage.children()[ColumnRef(FLIGHTS, "delay")]
    assert [child for child, _ in children] == [ColumnRef("sql_model.a", "Delay")]


def test_only_what_lies_above_an_ml_model_is_traced_unless_asked(workshop):
    from sqlml.compile import compile_dag

    dag = workshop.compile({"models/m.sql": f"select id from {T}"}).dag
    assert compile_dag(dag, {}).lineage is None
    assert set(compile_dag(dag, {}, with_lineage=True).lineage.nodes) == {FLIGHTS, "seed.airlines", "sql_model.m"}
