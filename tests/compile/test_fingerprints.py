"""Fingerprints: what changes them, what does not, and what an ML model sees of the SQL above it."""

import os
import subprocess
import sys

import pytest

SOURCE = "{{ source('raw', 'flights') }}"
ML = """
version: 2
ml_models:
  - name: late
    training_data: ref('features')
    estimator: LinearRegression
    label: delay
    keys: [id]
    event_time: ts
    features: [miles, speed]
    where: "origin <> 'JFK'"
    params: {regParam: 0.1, maxIter: 5}
    gates: [{metric: rmse, at_most: 100}]
"""
STAGING = f"select id, ts, delay, miles, carrier, origin, dest, miles * 2 as extra from {SOURCE} where miles > 0"
FEATURES = (
    "with base as (select *, miles / 2 as speed, upper(dest) as unread from {{ ref('staging') }})\n"
    "select b.*, row_number() over (partition by carrier order by ts) as nth from base b"
)
FILES = {"models/staging.sql": STAGING, "models/features.sql": FEATURES, "models/ml.yml": ML}


def prints(workshop, files=None):
    return {name: (entry.digest, entry.code) for name, entry in workshop.compile(files).fingerprints.items()}


def changed(workshop, before, files):
    """Return the ids whose digest an edit changes."""
    return {node_id for node_id, found in prints(workshop, files).items() if found[0] != before.get(node_id, ("",))[0]}


@pytest.fixture
def before(workshop):
    return prints(workshop, FILES)


@pytest.mark.parametrize(
    "edit",
    [
        {
            "models/staging.sql": "-- a comment\n"
            + STAGING.replace("select", "SELECT\n  ").replace(" as ", " AS ")
            + "\n;"
        },
        {"models/ml.yml": ML.replace("{regParam: 0.1, maxIter: 5}", "{maxIter: 5, regParam: 0.1}")},
        {"models/ml.yml": ML.replace("at_most: 100", "at_most: 1") + "    description: x\n    promote: manual\n"},
        {"models/doc.yml": "version: 2\nmodels:\n  - {name: staging, description: 'x', config: {tags: [a]}}\n"},
    ],
    ids=["layout", "key order", "gates and description", "docs and tags"],
)
def test_what_does_not_count(workshop, before, edit):
    assert changed(workshop, before, edit) == set()


def test_an_expression_changes_its_node_and_all_below(workshop, before):
    edit = {"models/staging.sql": STAGING.replace("miles > 0", "miles > 1")}
    assert changed(workshop, before, edit) == {"sql_model.staging", "sql_model.features", "ml_model.late"}


def test_text_and_names_keep_their_case(workshop, before):
    assert "sql_model.staging" in changed(workshop, before, {"models/staging.sql": STAGING.replace("extra", "Extra")})
    once = prints(workshop, {"models/staging.sql": STAGING + " and carrier = 'a'"})
    assert "sql_model.staging" in changed(workshop, once, {"models/staging.sql": STAGING + " and carrier = 'A'"})


def test_data_changes_digests_and_not_code(workshop, before):
    flights = workshop.root / "data" / "flights.csv"
    flights.write_text(flights.read_text() + "2,UA,LGA,LAX,1,1,2013-01-01 10:00:00\n")
    after = prints(workshop)
    for node_id in ("source.raw.flights", "sql_model.staging", "sql_model.features", "ml_model.late"):
        assert after[node_id][0] != before[node_id][0]
        assert after[node_id][1] == before[node_id][1]
    assert after["seed.airlines"] == before["seed.airlines"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("regParam: 0.1", "regParam: 0.2"),
        ("[miles, speed]", "[speed, miles]"),
        ("<> 'JFK'", "<> 'LGA'"),
        ("keys: [id]", "keys: [carrier]"),
        ("event_time: ts", "split: {by: none}"),
        ("label: delay", "label: extra"),
        ("    keys:", "    null_label: error\n    keys:"),
        ("    keys:", "    transforms: [{columns: [miles], scale: standard}]\n    keys:"),
    ],
)
def test_the_spec_changes_the_ml_model_alone(workshop, before, old, new):
    assert changed(workshop, before, {"models/ml.yml": ML.replace(old, new)}) == {"ml_model.late"}


KEPT = [
    ("models/staging.sql", "miles * 2 as extra", "miles * 3 as extra"),
    ("models/staging.sql", "miles * 2 as extra", "miles * 2 as extra, carrier || dest as another"),
    ("models/staging.sql", "select id,", "select 1 as first, id,"),
    ("models/staging.sql", ", miles * 2 as extra", ""),
    ("models/features.sql", "upper(dest) as unread", "lower(dest) as unread"),
    ("models/features.sql", ", upper(dest) as unread", ""),
    ("models/features.sql", "order by ts) as nth", "order by delay) as nth"),
    ("models/features.sql", ", row_number() over (partition by carrier order by ts) as nth", ""),
    ("models/features.sql", "b.*,", "b.*, (select max(code) from {{ ref('airlines') }}) as best,"),
    (
        "models/features.sql",
        "b.*,",
        "b.*, sum(miles) over (partition by dest) as total, if(miles > 1, 1, 2) as c,",
    ),
]
COUNTED = [
    ("models/staging.sql", "miles,", "miles + 1 as miles,"),
    ("models/staging.sql", "origin,", "upper(origin) as origin,"),
    ("models/staging.sql", "ts, delay,", "ts, delay + 0 as delay,"),
    ("models/staging.sql", "where miles > 0", "where miles > 0 and carrier <> 'AA'"),
    ("models/staging.sql", "where miles > 0", "where miles > 0 limit 10"),
    ("models/staging.sql", "select id", "select distinct id"),
    ("models/staging.sql", "select id", "select explode(array(1, 2)) as e, id"),
    ("models/staging.sql", f"from {SOURCE}", f"from {SOURCE} join {{{{ ref('airlines') }}}} on code = carrier"),
    ("models/features.sql", "miles / 2", "miles / 3"),
    ("models/features.sql", "from base b", "from base b where nullif(dest, 'LAX') is null"),
    ("models/features.sql", "from base b", "from base b, (select 1 as x) as y"),
    ("models/features.sql", "from base b", "from base b union all select *, 1 as nth from base"),
    ("models/features.sql", "from base b", "from base b order by nth"),
]


@pytest.mark.parametrize(("file", "old", "new"), KEPT)
def test_what_an_ml_model_does_not_read_does_not_count(workshop, before, file, old, new):
    assert old in FILES[file]
    found = changed(workshop, before, {file: FILES[file].replace(old, new)})
    assert "sql_model.features" in found
    assert "ml_model.late" not in found


@pytest.mark.parametrize(("file", "old", "new"), COUNTED)
def test_what_an_ml_model_reads_counts(workshop, before, file, old, new):
    assert old in FILES[file]
    assert "ml_model.late" in changed(workshop, before, {file: FILES[file].replace(old, new)})


def slice_changes(workshop, features, edited):
    """Return whether an edit of `features.sql` changes what an ML model that reads a and b sees."""
    ml = "version: 2\nml_models:\n  - {name: m, training_data: ref('f'), estimator: KMeans, features: [a, b]}\n"
    first = prints(workshop, {"models/f.sql": features, "models/ml.yml": ml})
    return "ml_model.m" in changed(workshop, first, {"models/f.sql": edited})


@pytest.mark.parametrize(
    ("features", "edited", "counts"),
    [
        # one row or many
        ("select 1 as a, 2 as b from {S}", "select 1 as a, 2 as b, count(*) as n from {S}", True),
        ("select 1 as a, 2 as b, any(id > 1) as n from {S}", "select 1 as a, 2 as b from {S}", True),
        ("select max(id) as a, min(id) as b from {S}", "select max(id) as a, min(id) as b, 1 as c from {S}", False),
        ("select carrier as a, max(id) as b from {S} group by carrier",
         "select carrier as a, max(id) as b, count(*) as n, mean(id) as m from {S} group by carrier", True),
        ("select carrier as a, max(id) as b from {S} group by carrier",
         "select carrier as a, max(id) as b, count(*) as n, avg(id) as m from {S} group by carrier", False),
        # by position
        ("select id as a, miles as b, 1 as c from {S} order by 3",
         "select id as a, miles as b, id as c from {S} order by 3", True),
        ("select id as a, miles as b, 1 as c from {S} group by all",
         "select id as a, miles as b, ts as c from {S} group by all", True),
        # lateral aliases
        ("select id as x, x + 1 as a, miles as b from {S}", "select delay as x, x + 1 as a, miles as b from {S}", True),
        ("select id as x, x + 1 as y, id as a, id as b from {S}",
         "select id as x, x + 2 as y, id as a, id as b from {S}", False),
        # set operations
        ("select id as a, miles as b, 1 as c from {S} union all select 1, 2, 3",
         "select id as a, miles as b, 4 as c from {S} union all select 1, 2, 3", False),
        ("select id as a, miles as b, 1 as c from {S} union all select 1, 2, 3",
         "select id as a, miles as b, 1 as c from {S} union all select 1, 9, 3", True),
        ("select id as a, miles as b, 1 as c from {S} union select 1, 2, 3",
         "select id as a, miles as b, 4 as c from {S} union select 1, 2, 3", True),
        # subqueries
        ("select id as a, miles as b, delay as c from {S} f where exists (select 1 from {S} g where g.id = f.id)",
         "select id as a, miles as b, delay as c from {S} f where exists (select 1 from {S} g where g.id = f.miles)",
         True),
        ("select a, b from (select id as a, miles as b, delay as c from {S})",
         "select a, b from (select id as a, miles as b, delay + 1 as c from {S})", False),
        ("with c as (select count(*) as n, id as k from {S} group by id) "
         "select id as a, miles as b, n from {S} join c on k = id",
         "with c as (select sum(id) as n, id as k from {S} group by id) "
         "select id as a, miles as b, n from {S} join c on k = id",
         False),
        ("with c as (select count(*) as n, id as k from {S} group by id) "
         "select id as a, miles as b, n from {S} join c on k = id",
         "with c as (select count(*) as n, id as k from {S} where id > 1 group by id) "
         "select id as a, miles as b, n from {S} join c on k = id", True),
        ("with c as (select id as k, miles as m from {S}) "
         "select id as a, miles as b from {S} f left semi join c on k = f.id",
         "with c as (select id as k, delay as m from {S}) "
         "select id as a, miles as b from {S} f left semi join c on k = f.id",
         False),
        # order of what is read, and of what is not
        ("select id as a, miles as b, 1 as c, 2 as d from {S}",
         "select id as a, miles as b, 2 as d, 1 as c from {S}", False),
        ("select id as a, miles as b, id is distinct from miles as c, 2 as d from {S}",
         "select id as a, miles as b, id is distinct from delay as c, 3 as d from {S}", False),
        # generators elsewhere
        ("select id as a, x as b from {S} lateral view explode(array(1)) e as x",
         "select id as a, x as b from {S} lateral view explode(array(2)) e as x", True),
        ("select id as a, miles as b, json_tuple('{}', 'x') as c from {S}",
         "select id as a, miles as b, 1 as c from {S}", True),
        # not understood: everything counts
        ("select id as a, miles as b, 1 as c from {S} pivot (sum(delay) for carrier in ('AA'))",
         "select id as a, miles as b, 2 as c from {S} pivot (sum(delay) for carrier in ('AA'))", True),
        ("select /*+ coalesce(1) */ id as a, miles as b, 1 as c from {S}",
         "select /*+ coalesce(2) */ id as a, miles as b, 1 as c from {S}", True),
    ],
)  # fmt: skip
def test_slices(workshop, features, edited, counts):
    one, two = (text.replace("{S}", SOURCE) for text in (features, edited))
    assert slice_changes(workshop, one, two) is counts


def test_default_features_follow_the_columns(workshop):
    ml = "version: 2\nml_models:\n  - {name: m, training_data: ref('f'), estimator: KMeans, keys: [id]}\n"
    first = prints(workshop, {"models/f.sql": f"select id, miles from {SOURCE}", "models/ml.yml": ml})
    edit = {"models/f.sql": f"select id, miles, delay from {SOURCE}"}
    assert "ml_model.m" in changed(workshop, first, edit)
    assert workshop.compile().features["ml_model.m"] == ("miles", "delay")


def test_champions_of_all_ancestors(workshop):
    files = {
        "models/staging.sql": STAGING.replace("miles * 2 as extra", "miles / 2 as speed"),
        "models/features.sql": "select * from {{ ref('staging') }}",
        "models/ml.yml": ML,
        "models/scores.sql": "select id, predicted_delay from {{ predict('late', ref('features')) }}",
        "models/top.sql": "select id from {{ ref('scores') }} where predicted_delay > 1",
    }
    found = workshop.compile(files).fingerprints
    assert found["sql_model.top"].champions == ("late",)
    assert found["prediction.late.features"].champions == ("late",)
    assert found["ml_model.late"].champions == ()
    # How the ML model is made reaches its predictions through the version alone.
    after = workshop.compile({"models/ml.yml": ML.replace("0.1", "0.2")}).fingerprints
    assert after["sql_model.top"].digest == found["sql_model.top"].digest


def test_the_same_in_every_process(workshop):
    workshop.write(FILES)
    code = (
        "import sys; from pathlib import Path;"
        "from sqlml.parse import *; from sqlml.resolve import *; from sqlml.compile import *;"
        "c = compile_dag(resolve_project(parse_project(ParseRequest(Path(sys.argv[1])))), {});"
        "print({k: v.digest for k, v in c.fingerprints.items()}); assert 'pyspark' not in sys.modules"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, str(workshop.root)],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
