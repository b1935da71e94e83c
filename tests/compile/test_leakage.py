"""Time of knowledge and other mistakes in learning: L001 to L007, and the levels that a project sets."""

from __future__ import annotations

import pytest

from sqlml.errors import SqlmlError

SOURCES = """\
version: 2
sources:
  - name: raw
    tables:
      - name: flights
        path: data/flights.csv
        columns:
          - {name: delay, known: after}
models:
  - name: stg
    columns:
      - {name: delay, known: {at: landed}}
      - {name: landed, known: {at: landed}}
"""
STG = (
    "select id, carrier, origin, miles, ts as dep, delay, ts + make_dt_interval(0, 0, delay) as landed "
    "from {{ source('raw', 'flights') }}"
)
LABEL = "delay > 15 as is_late"


def ml_model(features="", **keys):
    given = {"label": "is_late", "positive": "true", "keys": "[id]", "event_time": "dep", **keys}
    text = "version: 2\nml_models:\n  - name: late\n    training_data: ref('f')\n    estimator: LogisticRegression\n"
    # A timestamp without a role is no feature.
    features = features or ("" if given["event_time"] else "{exclude: [dep]}")
    text += f"    features: {features}\n" if features else ""
    return text + "".join(f"    {key}: {value}\n" for key, value in given.items() if value is not None)


@pytest.fixture
def found(workshop):
    """Return the diagnostics of a project whose ML model is trained on `f`: (code, level, text, place)."""

    def compile_it(sql, files=None, project="name: small\n", **keys):
        written = {
            "sqlml_project.yml": project,
            "models/sources.yml": SOURCES,
            "models/stg.sql": STG,
            "models/f.sql": sql,
            "models/ml.yml": ml_model(**keys),
            **(files or {}),
        }
        try:
            diagnostics = workshop.compile(written).diagnostics
        except SqlmlError as error:
            errors = getattr(error, "errors", (error,))
            return [(single.code, "error", single.what, str(single.location)) for single in errors]
        return [(entry.code, entry.level, entry.what, str(entry.location)) for entry in diagnostics]

    return compile_it


def codes(found):
    return [(code, level) for code, level, *_ in found]


def test_a_feature_that_knows_the_future(found):
    (entry,) = found(f"select id, dep, delay * 2 as twice, {LABEL} from {{{{ ref('stg') }}}}")
    assert entry == (
        "L001",
        "error",
        "ml model 'late' learns from 'twice', which is not known yet when it predicts: "
        "late.twice <- f.twice <- stg.delay (known: {at: landed}) <- raw.flights.delay",
        "models/ml.yml:4:20",
    )


def test_the_path_leads_to_the_source_that_says_so(found):
    sql = "select id, ts as dep, delay, carrier = 'AA' as is_late from {{ source('raw', 'flights') }}"
    (entry,) = found(sql, features="[delay]")
    assert entry[2].endswith("late.delay <- f.delay <- raw.flights.delay (known: after)")
    assert entry[3] == "models/ml.yml:6:16"


def test_all_errors_come_together(found):
    errors = found(
        "select id, dep, delay, hour(landed) as landed, carrier = 'AA' as is_late, nope from {{ ref('stg') }}"
    )
    assert codes(errors) == [("", "error")]
    errors = found("select id, dep, delay, hour(landed) as landed, carrier = 'AA' as is_late from {{ ref('stg') }}")
    assert codes(errors) == [("L001", "error"), ("L001", "error")]


@pytest.mark.parametrize(
    "expression",
    [
        "coalesce(delay, 0)", "case when delay > 1 then 1 else 0 end", "greatest(miles, delay)",
        "struct(delay as x, miles as y).x", "delay + avg(miles) over (order by dep)",
    ],
)  # fmt: skip
def test_every_way_through_an_expression_counts(found, expression):
    assert codes(found(f"select id, dep, {expression} as x, {LABEL} from {{{{ ref('stg') }}}}")) == [("L001", "error")]


def test_what_only_shares_a_struct_or_a_filter_is_honest(found):
    sql = f"select id, dep, struct(delay as x, miles as y).y as z, {LABEL} from {{{{ ref('stg') }}}}"
    assert found(sql) == []
    assert codes(found(f"{sql} where delay > -99")) == [("L009", "note")]


def test_the_label_may_be_known_late(found):
    assert found(f"select id, dep, miles, {LABEL} from {{{{ ref('stg') }}}}") == []


def test_a_column_known_at_the_event_time_is_known_in_time(found):
    files = {
        "models/g.yml": "version: 2\nmodels:\n  - name: g\n    columns: [{name: miles, known: {at: dep}}]\n",
        "models/g.sql": "select * from {{ ref('stg') }}",
    }
    sql = f"select id, dep, miles, {LABEL} from {{{{ ref('g') }}}}"
    assert found(sql, files) == []
    assert codes(found(sql, files, event_time=None)) == [("L001", "error")]


def test_a_declaration_replaces_what_is_inherited(found):
    # raw.flights.delay is known after; stg says at landed, which is what counts for the window below.
    sql = window("landed")
    assert found(sql) == []


def window(known_at, at="dep", of="delay"):
    return (
        "select s.id, s.dep, s.miles, w.x, s.delay > 15 as is_late from {{ ref('stg') }} as s left join {{ known_window("  # noqa: E501
        f"rows=ref('stg'), row_key='id', key='carrier', at='{at}', events=ref('stg'), known_at='{known_at}', "
        f"within='6 hours', aggregates={{'x': 'sum({of})'}}) }}}} as w using (id)"
    )


def asof(known_at, columns="['delay']"):
    return (
        "select s.id, s.dep, s.miles, w.*, s.delay > 15 as is_late from {{ ref('stg') }} as s left join (select id, "
        "delay as last from {{ asof_join(rows=ref('stg'), row_key='id', key='carrier', at='dep', events=ref('stg'), "
        f"known_at='{known_at}', columns={columns}) }}}}) as w using (id)"
    )


@pytest.mark.parametrize("macro", [window, asof])
def test_the_shipped_macros_bound_other_rows_by_their_own_time(found, macro):
    sql = macro("landed").replace("w.*", "w.last")
    assert found(sql) == []


@pytest.mark.parametrize("macro", [window, asof])
def test_with_another_time_they_do_not(found, macro):
    (entry,) = found(macro("dep").replace("w.*", "w.last"))
    assert entry[:2] == ("L002", "warn")
    assert "stg.delay (known: {at: landed}) <- raw.flights.delay; their rows are bounded by 'dep' only" in entry[2]


def test_a_moment_that_is_itself_known_late_bounds_nothing(found):
    assert codes(found(window("landed", at="landed"))) == [("L002", "warn")]
    assert codes(found(window("landed", at="dep + interval 1 day"))) == [("L002", "warn")]
    assert found(window("landed", at="dep - interval 1 day")) == []


def test_copies_of_the_time_are_as_good_as_itself(found):
    files = {"models/events.sql": "select carrier, delay as d, landed as known_from from {{ ref('stg') }}"}
    sql = window("known_from", of="d").replace("events=ref('stg')", "events=ref('events')")
    assert found(sql, files) == []
    files["models/events.sql"] = files["models/events.sql"].replace("landed", "landed - interval 1 day")
    assert codes(found(sql, files)) == [("L002", "warn")]


def test_a_macro_of_that_name_in_the_project_promises_nothing(found):
    own = (
        "{% macro known_window(rows, row_key, key, at, events, known_at, within, aggregates) %}"
        "(select id, avg(delay) over (partition by carrier order by landed) as x from {{ events }}){% endmacro %}"
    )
    assert codes(found(window("landed"), {"macros/own.sql": own})) == [("L002", "warn")]


SELF_JOIN = (
    "select s.id, s.dep, s.miles, sum(e.delay) as x, any_value(s.delay > 15) as is_late from {{ ref('stg') }} as s "
    "left join {{ ref('stg') }} as e on e.carrier = s.carrier and"
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("e.landed < s.dep", []),
        ("s.dep >= e.landed", []),
        ("e.landed between s.dep - interval 6 hours and s.dep", []),
        ("e.landed >= s.dep - interval 6 hours and e.landed < s.dep", []),
        ("e.dep < s.dep", [("L002", "warn")]),
        ("e.landed > s.dep", [("L002", "warn")]),
        ("e.landed < date_trunc('day', s.dep) - interval 1 day", []),
        ("e.landed < s.dep + interval 1 day", [("L002", "warn")]),
        ("e.landed < s.dep - interval '-1' day", [("L002", "warn")]),
        ("e.landed < s.landed", [("L002", "warn")]),
        ("(e.landed < s.dep or e.id = 1)", [("L002", "warn")]),
        ("e.id <> s.id", [("L002", "warn")]),
    ],
)
def test_joins_are_bounded_by_inequalities(found, condition, expected):
    assert codes(found(f"{SELF_JOIN} {condition} group by s.id, s.dep, s.miles")) == expected


def test_a_correlated_subquery_is_bounded_in_its_where(found):
    sql = (
        "select id, dep, miles, (select avg(e.delay) from {{ ref('stg') }} as e where e.carrier = s.carrier and "
        f"e.landed < s.dep) as x, {LABEL} from {{{{ ref('stg') }}}} as s"
    )
    assert found(sql) == []
    assert codes(found(sql.replace("e.landed <", "e.dep <"))) == [("L002", "warn")]


@pytest.mark.parametrize(
    "select",
    [
        "avg(delay) over (partition by carrier order by landed rows between 5 preceding and 1 preceding)",
        "lag(delay) over (partition by carrier order by dep)",
        "rank() over (order by landed)",
    ],
)
def test_a_window_alone_bounds_nothing(found, select):
    assert codes(found(f"select id, dep, {select} as x, {LABEL} from {{{{ ref('stg') }}}}")) == [("L002", "warn")]


def test_a_count_of_rows_is_computed_from_what_they_were_chosen_by(found):
    counts = "select carrier, count(*) as n from {{ ref('stg') }} where delay > 15 group by carrier"
    files = {"models/counts.sql": counts}
    sql = f"select id, dep, n, {LABEL} from {{{{ ref('stg') }}}} left join {{{{ ref('counts') }}}} using (carrier)"
    assert codes(found(sql, files)) == [("L002", "warn")]


def test_a_shared_source_column_that_does_not_say_when_it_is_known(found):
    sql = "select id, dep, miles, carrier, miles > 500 as is_late from {{ ref('stg') }}"
    (entry,) = found(sql)
    assert entry[:2] == ("L003", "note")
    assert entry[2].endswith("does not say when it is known: late.miles <- f.miles <- stg.miles <- raw.flights.miles")


def test_a_leak_is_allowed_with_a_reason(found, workshop):
    sql = f"select id, dep, delay, miles, {LABEL} from {{{{ ref('stg') }}}}"
    assert found(sql, allow_leakage="{Delay: announced the day before}") == []
    refused = found(sql, allow_leakage="{dely: announced}")
    assert sorted(codes(refused)) == [("", "error"), ("L001", "error")]
    assert "names 'dely', which is not one of its features" in refused[1][2]
    text = workshop.errors({"models/ml.yml": ml_model(allow_leakage="{delay: ''}")})
    assert "gives no reason for 'delay'" in text


def test_predictions_of_another_model_are_no_leak(found):
    files = {"models/other.yml": ml_model().replace("name: late", "name: other").replace("ref('f')", "ref('g')"),
             "models/g.sql": f"select id, dep, miles, {LABEL} from {{{{ ref('stg') }}}}"}  # fmt: skip
    sql = "select p.id, p.dep, p.probability as likely, p.is_late from {{ predict('other', ref('g')) }} as p"
    assert found(sql, files) == []


GROUPED = "select carrier, origin, avg(miles) as x from {{ ref('stg') }} "


@pytest.mark.parametrize("sources", [SOURCES, SOURCES.partition("        columns:")[0]], ids=["judged", "not judged"])
@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("select carrier, avg(miles) as x from {{ ref('stg') }} group by carrier", "carrier"),
        ("with a as (select carrier as k, avg(miles) as x from {{ ref('stg') }} group by 1) select k, x from a", "k"),
        ("select CARRIER, x from {{ ref('by_carrier') }}", "CARRIER"),
        (GROUPED + "group by carrier, origin", None),
        (GROUPED + "group by carrier, rollup(origin)", None),
        ("select carrier, x, explode(array(1, 2)) as n from {{ ref('by_carrier') }}", None),
        ("select b.carrier, s.miles as x from {{ ref('by_carrier') }} b join {{ ref('stg') }} s using (carrier)", None),
    ],
)  # fmt: skip
def test_a_feature_that_the_training_data_are_grouped_by(workshop, sql, named, sources):
    ml = "version: 2\nml_models:\n  - {name: m, training_data: ref('f'), estimator: KMeans}\n"
    by_carrier = "select carrier, avg(miles) as x from {{ ref('stg') }} group by carrier"
    given = {"models/stg.sql": STG, "models/by_carrier.sql": by_carrier, "models/f.sql": sql, "models/ml.yml": ml}
    found = workshop.compile({**given, "models/sources.yml": sources}).diagnostics
    said = [entry.what for entry in found if entry.code == "L004"]
    assert said == ([f"feature '{named}' of ml model 'm' is the key 'f.{named}': it names the row"] if named else [])


def test_clusterings_of_what_was_are_not_judged(found):
    sql = "select carrier as id, avg(delay) as x from {{ ref('stg') }} group by carrier"
    model = ml_model("[x]", label=None, positive=None, event_time=None).replace("LogisticRegression", "KMeans")
    assert found(sql, {"models/ml.yml": model}) == []


def test_what_a_pivot_gathers_of_other_rows(found):
    stg = "(select id, dep, origin, carrier, delay from {{ ref('stg') }})"
    files = {"models/p.sql": f"select * from {stg} pivot (sum(delay) for carrier in ('AA'))"}
    (entry,) = found("select id, dep, AA as x, origin = 'JFK' as is_late from {{ ref('p') }}", files)
    assert entry[0] == "L002"
    assert "feature 'x' of ml model 'late' counts 'delay' of other rows" in entry[2]


def test_unknown_columns_are_no_mistake(found):
    own = "select id, dep, origin, delay as AA from {{ ref('stg') }}"
    files = {"models/p.sql": f"with recursive r as ({own} union all select * from r where id < 0) select * from r"}
    assert found("select id, dep, AA as x, origin = 'JFK' as is_late from {{ ref('p') }}", files) == []


def test_at_names_a_column_that_is_there(workshop):
    sources = SOURCES.replace("{name: delay, known: {at: landed}}", "{name: delay, known: {at: lands}}")
    text = workshop.errors({"models/sources.yml": sources, "models/stg.sql": STG})
    assert "column 'delay' of 'stg' is known at 'lands', which 'stg' does not have" in text
    assert "did you mean 'landed'" in text


def test_a_feature_that_is_a_key(found):
    files = {
        "models/stg.yml": "version: 2\nmodels:\n  - name: s2\n    columns: [{name: id, data_tests: [unique]}]\n",
        "models/s2.sql": "select id, dep, miles, delay from {{ ref('stg') }}",
    }
    sql = f"select id as number, dep, miles, {LABEL} from {{{{ ref('s2') }}}}"
    (entry,) = found(sql, files, keys=None)
    assert entry[0] == "L004"
    assert "feature 'number' of ml model 'late' is the key 's2.id'" in entry[2]
    files["models/sources.yml"] = SOURCES.replace(
        "path: data/flights.csv", "path: data/flights.csv\n        keys: [miles]"
    )
    assert codes(found(sql.replace("id as number", "id"), files)) == [("L004", "warn")]


def test_a_copy_of_the_only_key(found):
    sql = f"select s.id, s.dep, s.id as number, s.id % 7 as rest, {LABEL} from {{{{ ref('stg') }}}} as s"
    (entry,) = found(sql)
    assert entry[0] == "L004"
    assert "feature 'number' of ml model 'late' is the key" in entry[2]
    assert found(sql, keys="[id, dep]", event_time=None, features="{exclude: [dep]}") == []


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ("avg(miles) over (partition by carrier)", "no ORDER BY"),
        ("avg(miles) over (order by dep rows between 1 preceding and 1 following)", "FOLLOWING"),
        ("avg(miles) over (order by dep desc)", "downwards"),
        ("lead(miles) over (order by dep)", "lead()"),
        ("avg(miles) over w", "FOLLOWING"),
        ("avg(miles) over (order by dep)", None),
        ("row_number() over (partition by carrier order by dep desc)", "downwards"),
        ("row_number() over (partition by carrier order by dep)", None),
        ("percent_rank() over (partition by carrier order by dep)", "all rows of its partition"),
        ("lead(miles) over (order by dep desc)", None),
        ("lag(miles) over (order by dep desc)", "downwards"),
        ("avg(miles) over (order by dep desc rows between 1 following and 3 following)", None),
        ("last_value(miles) over (partition by carrier order by dep)", None),
        ("last_value(miles) over (order by dep rows between current row and unbounded following)", "FOLLOWING"),
        ("avg(miles) over (partition by carrier order by id)", "sorted by 'id', which is no time"),
        ("rank() over (partition by carrier order by miles)", "sorted by 'miles', which is no time"),
        ("lag(miles, -1) over (order by dep)", "lag() of a negative number"),
        ("lead(miles, -2) over (order by dep)", None),
        ("lead(miles, 0) over (order by dep)", None),
        ("sum(miles) over (order by dep rows between 3 preceding and -1 preceding)", "FOLLOWING"),
        ("sum(miles) over (order by dep rows between 3 preceding and 0 following)", None),
        ("lag(miles) over (order by unix_timestamp(dep))", None),
        ("lag(miles) over (order by date(dep), id)", None),
        ("lag(miles) over (order by year(dep), month(dep))", None),
        ("avg(miles) over (partition by carrier, dep)", None),
        ("rank() over (partition by dep order by miles)", None),
    ],
)
def test_windows_that_look_ahead(found, over, reason):
    tail = " window w as (order by dep rows between current row and 2 following)" if over.endswith("over w") else ""
    sql = f"select id, dep,\n  {over} as x, {LABEL} from {{{{ ref('stg') }}}}{tail}"
    entries = found(sql)
    assert [code for code, *_ in entries] == (["L005"] if reason else [])
    if reason:
        assert reason in entries[0][2]
        assert entries[0][3].startswith("models/f.sql:2:")
    assert found(sql, event_time=None) == []


def test_a_split_that_is_not_by_time(found):
    sql = f"select id, dep, miles, {LABEL} from {{{{ ref('stg') }}}}"
    assert codes(found(sql, split="{by: hash, column: id}")) == [("L006", "warn")]
    assert found(sql, split="{by: time, column: dep}") == []
    assert found(sql, split="{by: hash, column: id}", event_time=None) == []


def test_sql_that_changes_above_an_ml_model(found):
    files = {"models/other.sql": "select rand() as r"}
    entries = found(f"select id, dep, rand() as r, {LABEL} from {{{{ ref('stg') }}}}", files)
    assert sorted(codes(entries)) == [("L007", "warn"), ("S001", "warn")]


@pytest.mark.parametrize(
    ("sample", "is_said"),
    [
        ("tablesample (10 percent)", True),
        ("TABLESAMPLE (5 rows)", True),
        ("tablesample (10 percent) repeatable (7)", False),
        ("tablesample", False),
        ("`tablesample`", False),
    ],
)
def test_a_sample_without_a_seed(found, sample, is_said):
    entries = found(f"select id, dep, miles, {LABEL} from {{{{ ref('stg') }}}} {sample}")
    assert codes(entries) == ([("L007", "warn")] if is_said else [])
    if is_said:
        assert "reads a TABLESAMPLE, whose rows change" in entries[0][2].replace("tablesample", "TABLESAMPLE")


LEAK = "select id, dep, delay, carrier = 'AA' as is_late from {{ ref('stg') }}"
PROJECT = "name: small\ntargets: {dev: {schema: dev}, t: {schema: t}}\n"


@pytest.mark.parametrize(
    ("project", "keys", "expected"),
    [
        ("diagnostics: {L001: warn}", {}, [("L001", "warn")]),
        ("diagnostics: {L001: ignore}", {}, []),
        ("diagnostics: {L001: ignore}\ntargets: {dev: {diagnostics: {L001: note}}}", {}, [("L001", "note")]),
        ("targets: {dev: {}, other: {diagnostics: {L001: note}}}", {}, [("L001", "error")]),
        ("ml_models: {+diagnostics: {L001: warn}}", {}, [("L001", "warn")]),
        ("ml_models: {late: {+diagnostics: {L001: warn}}, +diagnostics: {L001: ignore}}", {}, [("L001", "warn")]),
        ("ml_models: {+diagnostics: {L001: warn}}", {"diagnostics": "{L001: ignore, L003: error}"}, []),
        ("ml_models: {+diagnostics: {L001: warn}}", {"diagnostics": "{L003: error}"}, [("L001", "warn")]),
    ],
)
def test_levels_by_project_target_folder_and_node(found, project, keys, expected):
    assert codes(found(LEAK, project=f"name: small\n{project}\n", **keys)) == expected


def test_levels_of_sql(found):
    sql = f"select id, dep, miles, {LABEL} from {{{{ ref('stg') }}}}"
    config = "version: 2\nmodels:\n  - name: other\n    config: {diagnostics: {S001: error}}\n"
    files = {"models/other.sql": "select rand() as r", "models/o.yml": config}
    assert codes(found(sql, files)) == [("S001", "error")]
    project = "name: small\nmodels: {+diagnostics: {S001: ignore}}\n"
    assert found(sql, {**files, "models/o.yml": ""}, project) == []


@pytest.mark.parametrize(
    ("project", "message"),
    [
        ("diagnostics: {L01: warn}", "'diagnostics' has no code 'L01'"),
        ("diagnostics: {L001: loud}", "'diagnostics' cannot set L001 to the text 'loud'"),
        ("diagnostics: {E300: warn}", "'diagnostics' has no code 'E300'"),
        ("models: {+diagnostics: {S9: warn}}", "has no code 'S9'"),
        ("targets: {dev: {diagnostics: {S9: warn}}}", "has no code 'S9'"),
    ],
)
def test_codes_and_levels_are_checked(workshop, project, message):
    assert message in workshop.errors({"sqlml_project.yml": f"name: small\n{project}\n"})
