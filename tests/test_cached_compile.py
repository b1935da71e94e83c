"""A project compiled with what earlier runs found out, and from nothing: the same in every byte, after any edit."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sqlml.build import Request
from sqlml.compiling import compile_only
from sqlml.errors import SqlmlError, format_error

ROOT = Path(__file__).parents[1]
VALID = ROOT / "tests" / "golden" / "valid"
EXAMPLE = ("sqlml_project.yml", "models", "macros", "data_tests", "seeds", "data")

SHOP = {
    "sqlml_project.yml": "name: shop\n"
    "vars: {limit: 3, unit: day, kinds: [a, b]}\n"
    "targets: {dev: {}, prod: {schema: p, diagnostics: {S001: note}}}\n"
    "models:\n  marts: {+tags: [mart], +materialized: view}\n",
    "data/orders.csv": "order_id,customer,amount,kind,ts\n1,2,3.5,a,2013-01-01 10:00:00\n",
    "seeds/kinds.csv": "kind,title\na,Alpha\n",
    "macros/money.sql": "{% macro cents(c) %}({{ c }} * {{ scale() }}){% endmacro %}\n"
    "{% macro scale() %}{{ var('scale', 100) }}{% endmacro %}\n",
    "macros/other.sql": "{% macro noted(c) %}{{ log('noted ' ~ c) }}{{ c }}{% endmacro %}\n",
    "models/sources.yml": "version: 2\nsources:\n  - name: raw\n    tables:\n      - name: orders\n"
    "        path: data/orders.csv\n        columns:\n          - {name: amount, data_type: double, known: {at: ts}}\n"
    "          - {name: order_id, data_tests: [not_null]}\n",
    "models/orders.sql": "{{ config(tags=['clean']) }}\n"
    "select order_id, customer, {{ cents('amount') }} as cents, kind,\n"
    "  cast(ts as timestamp) as ts\nfrom {{ source('raw', 'orders') }}\nwhere amount > {{ var('limit') }}\n",
    "models/orders.yml": "version: 2\nmodels:\n  - name: orders\n    description: \"by {{ var('unit') }}\"\n"
    "    columns:\n"
    "      - {name: order_id, data_tests: [unique, not_null]}\n"
    "      - {name: kind, data_tests: [accepted_values: {values: [a, b, 1]}]}\n",
    "models/marts/named.sql": "select o.*, k.title, row_number() over (partition by o.kind order by o.ts) as n\n"
    "from {{ ref('orders') }} as o left join {{ ref('kinds') }} as k on o.kind = k.kind\n",
    "models/marts/named.yml": "version: 2\nmodels:\n  - name: named\n    columns:\n      - name: kind\n"
    "        data_tests: [relationships: {to: ref('kinds'), field: kind}]\n      - {name: missing}\n",
    "models/marts/sums.sql": "with s as (select customer, sum(cents) as total, max(n) as n from {{ ref('named') }}\n"
    "  group by customer) select customer, total, n, rand() as luck from s -- {{ env_var('CITY', 'Rome') }}\n",
    "models/marts/kinds_seen.sql": "{% for k in var('kinds') %}{% if not loop.first %}union all {% endif %}\n"
    "select '{{ k }}' as kind, {{ noted('n') }} as n, '{{ target.name }}' as t from {{ ref('named') }}\n{% endfor %}",
    "models/ml.yml": "version: 2\nml_models:\n  - name: late\n    training_data: ref('sums')\n"
    "    estimator: LogisticRegression\n    params: {regParam: 0.1, maxIter: 5}\n    label: n\n    positive: 1\n"
    "    features: [total, luck]\n    where: total > 0\n    split: {by: hash, column: customer, holdout: 0.25}\n"
    "    gates: [{metric: areaUnderROC, at_least: 0.5}]\n",
    "models/features.sql": "select order_id, ts, kind, amount as y,\n"
    "  sum(amount) over (partition by customer order by ts rows between 9 preceding and 1 preceding) as before,\n"
    "  avg(amount) over (partition by kind) as leaky\nfrom {{ source('raw', 'orders') }}\n",
    "models/due.yml": "version: 2\nml_models:\n  - name: due\n    training_data: ref('features')\n"
    "    estimator: LinearRegression\n    label: y\n    keys: [order_id]\n    event_time: ts\n"
    "    features: [before, leaky]\n    allow_leakage: {before: it is bounded}\n",
    "models/scores.sql": "select s.customer, s.predicted_n from {{ predict('late', ref('sums')) }} as s\n",
    "tests/no_debts.sql": "select * from {{ ref('sums') }} where total < 0\n",
}


# Files that have just been written are hashed again each time.
PAST_NS = itertools.count(1_500_000_000_000_000_000, 1_000_000)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(now := next(PAST_NS), now))


def shown(value: object) -> str:
    """Return a value as text that tells types and order, but for the order of sets, which means nothing."""
    if dataclasses.is_dataclass(value):
        parts = [f"{field.name}={shown(getattr(value, field.name))}" for field in dataclasses.fields(value)]
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{shown(key)}: {shown(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({sorted(map(shown, value))})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(shown, value))})"
    return repr(value)


def outcome(folder: Path, **request: object) -> dict[str, object]:
    """Compile the project in `folder`; return all that a user or a later phase can see of it."""
    try:
        made = compile_only(Request(folder, **request))
    except SqlmlError as error:
        return {"error": format_error(error)}
    target = folder / "target"
    compiled = {str(path): path.read_text() for path in (target / "compiled").rglob("*") if path.is_file()}
    # Types and order count: what is equal may still be printed or hashed in another way.
    return {
        "compiled": shown(made.compiled).replace(str(folder), "<project>"),
        "manifest": (target / "manifest.json").read_text(),
        "SQL": {name.replace(str(folder), "<project>"): text for name, text in compiled.items()},
        "selected": made.selected,
    }


def misses(folder: Path, **request: object) -> dict[str, int]:
    """Compile the project in `folder`; return how many values of each kind were not in the cache."""
    counts = compile_only(Request(folder, **request)).aids.cache.counts
    return {kind: asked - found for kind, (asked, found) in counts.items() if asked != found}


class Twins:
    """Two copies of a project: `warm` keeps its cache, `cold` is compiled from nothing."""

    def __init__(self, folder: Path) -> None:
        self.warm, self.cold = folder / "warm", folder / "cold"

    def write(self, files: dict[str, str]) -> None:
        write(self.warm, files)
        write(self.cold, files)

    def remove(self, name: str) -> None:
        for folder in (self.warm, self.cold):
            (folder / name).unlink()

    def compare(self, **request: object) -> dict[str, object]:
        shutil.rmtree(self.cold / "target", ignore_errors=True)
        found, expected = outcome(self.warm, **request), outcome(self.cold, **request)
        assert found == expected
        return expected


@pytest.fixture
def twins(tmp_path):
    made = Twins(tmp_path)
    made.write(SHOP)
    assert "error" not in made.compare()
    return made


@pytest.mark.parametrize("project", [ROOT, *sorted(VALID.iterdir())], ids=lambda path: path.name)
def test_a_second_compile_is_the_first_one_again(project, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    for name in EXAMPLE if project == ROOT else [path.name for path in project.iterdir()]:
        copy = shutil.copytree if (project / name).is_dir() else shutil.copy
        copy(project / name, folder / name)
    first = outcome(folder)
    assert "error" not in first
    assert outcome(folder) == first
    assert misses(folder) == {}


def test_nothing_is_loaded_for_a_project_without_changes(twins):
    code = (
        "import sys; from sqlml.cli import run; assert run(['compile']) == 0;"
        "print([name for name in ('yaml', 'pydantic', 'jinja2', 'sqlglot', 'sqlalchemy', 'pyarrow', 'numpy')"
        " if name in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], cwd=twins.warm, capture_output=True, text=True, check=True)
    assert made.stdout.splitlines()[-1] == "[]"


def test_only_what_was_edited_is_read_again(twins):
    text = SHOP["models/orders.sql"]
    twins.write({"models/orders.sql": text + "-- a comment\n"})
    # What reads it needs its columns and types, which are as they were.
    assert misses(twins.warm) == {"templates": 1, "statements": 1, "slices": 1}
    twins.write({"models/marts/named.yml": "\n" + SHOP["models/marts/named.yml"]})
    assert misses(twins.warm) == {"YAML files": 1}
    twins.write({"data/orders.csv": SHOP["data/orders.csv"].replace("2,3.5", "2,4.5")})
    assert misses(twins.warm) == {"data file hashes": 1, "data files": 1}
    twins.write({"macros/other.sql": "\n" + SHOP["macros/other.sql"]})
    # Only one of them calls a macro of that file.
    assert misses(twins.warm)["templates"] == 1
    twins.compare()


def test_what_a_template_reads_counts_and_nothing_else(twins, monkeypatch):
    assert "templates" not in misses(twins.warm, variables={"unused": 1})
    assert misses(twins.warm, variables={"limit": 4})["templates"] == 1
    assert misses(twins.warm, variables={"scale": 10})["templates"] == 1
    assert misses(twins.warm)["templates"] == 1
    monkeypatch.setenv("CITY", "Oslo")
    assert misses(twins.warm)["templates"] == 1
    twins.compare()
    monkeypatch.setenv("TOWN", "Oslo")
    assert misses(twins.warm) == {}


def test_a_value_of_another_type_is_another_value(twins):
    for value in (1, 1.0, "1"):
        assert "error" not in twins.compare(variables={"limit": value}), value
    assert "(double) with 'true' (boolean)" in twins.compare(variables={"limit": True})["error"]


def test_a_macro_that_comes_or_goes_is_noticed(twins):
    twins.write({"models/odd.sql": "select {% if extra is defined %}{{ extra() }}{% else %}1{% endif %} as x"})
    twins.compare()
    twins.write({"macros/extra.sql": "{% macro extra() %}2{% endmacro %}"})
    assert "select 2 as x" in twins.compare()["SQL"].values()
    twins.remove("macros/extra.sql")
    assert "select 1 as x" in twins.compare()["SQL"].values()


def test_a_reference_that_means_another_node_is_noticed(twins):
    twins.remove("seeds/kinds.csv")
    assert "no SQL model or seed 'kinds'" in twins.compare()["error"]
    twins.write({"models/kinds.sql": "select 'a' as kind, 'Alpha' as title"})
    document = json.loads(twins.compare()["manifest"])
    assert document["nodes"]["sql_model.named"]["parents"] == ["sql_model.orders", "sql_model.kinds"]


def test_a_type_that_changes_is_followed(twins):
    twins.write({"models/sources.yml": SHOP["models/sources.yml"].replace("double", "int")})
    document = json.loads(twins.compare()["manifest"])
    assert document["nodes"]["sql_model.sums"]["types"][1] == "bigint"


def test_what_is_said_of_columns_is_followed(twins):
    known = SHOP["models/sources.yml"]
    for text in (known.replace(", known: {at: ts}", ""), known, known.replace("[not_null]", "[unique]"), known):
        twins.write({"models/sources.yml": text})
        codes = [found["code"] for found in json.loads(twins.compare()["manifest"])["diagnostics"]]
        assert ("L002" in codes) == ("known:" in text)


def test_secrets_are_not_kept(twins, monkeypatch):
    monkeypatch.setenv("TOKEN", "hush-hush-4711")
    project = "name: shop\ntargets: {dev: {spark: {spark.my.token: \"{{ env_var('TOKEN') }}\"}}}\n"
    twins.write({"sqlml_project.yml": project + "vars: {limit: 3, kinds: [a]}\n"})
    sources = SHOP["models/sources.yml"].replace("data/orders", "{{ env_var('TOKEN')[:0] }}data/orders")
    twins.write({"models/sources.yml": sources.replace("path: {{", 'path: "{{').replace("orders.csv", 'orders.csv"')})
    twins.compare()
    kept = b"".join(path.read_bytes() for path in (twins.warm / "target" / "cache").iterdir())
    assert b"orders" in kept
    assert b"hush-hush" not in kept


def test_a_cache_of_noise_is_ignored(twins):
    chance = random.Random(11)
    for path in (twins.warm / "target" / "cache").iterdir():
        content = bytearray(path.read_bytes())
        for _ in range(20):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(bytes(content))
    twins.compare()
    assert misses(twins.warm) == {}


def test_commands_at_once_share_a_cache(twins):
    shutil.rmtree(twins.warm / "target")
    command = [sys.executable, "-m", "sqlml", "compile"]
    running = [
        subprocess.Popen(command, cwd=twins.warm, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert len(set(said)) == 1
    shutil.rmtree(twins.cold / "target")
    expected = outcome(twins.cold)
    target = twins.warm / "target"
    assert (target / "manifest.json").read_text() == expected["manifest"]
    written = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
    found = {name: path.read_text() for name, path in written.items() if name.startswith("compiled/")}
    assert found == {name.removeprefix("<project>/target/"): text for name, text in expected["SQL"].items()}
    assert not [name for name in written if name.endswith(".new")]
    assert misses(twins.warm) == {}


WORDS = (
    "order_id",
    "customer",
    "cents",
    "kind",
    "ts",
    "n",
    "total",
    "title",
    "amount",
    "orders",
    "kinds",
    "named",
    "sums",
)
WORD = re.compile(r"[A-Za-z_]\w*")


def edit(text: str, chance: random.Random) -> str:
    """Return a text in which one thing was changed, as people do; often it is wrong now."""
    lines = text.splitlines(keepends=True) or ["\n"]
    at = chance.randrange(len(lines))
    kind = chance.randrange(6)
    if kind == 0:
        lines.insert(at, "\n")
    elif kind == 1:
        lines.insert(at, "{# a note #}\n" if "{{" in text and "version:" not in text else "\n\n")
    elif kind == 2:
        lines[at] = lines[at].rstrip("\n") + " \n"
    elif kind == 3:
        found = [word for word in WORD.finditer(text) if word[0] in WORDS]
        if found:
            word = chance.choice(found)
            return text[: word.start()] + chance.choice(WORDS) + text[word.end() :]
    elif kind == 4:
        lines.pop(at)
    else:
        numbers = list(re.finditer(r"\d+", text))
        if numbers:
            number = chance.choice(numbers)
            return text[: number.start()] + str(chance.randrange(9)) + text[number.end() :]
    return "".join(lines)


@pytest.mark.parametrize("seed", range(4))
def test_random_edits(twins, seed, monkeypatch):
    chance = random.Random(seed)
    files = dict(SHOP)
    good = 0
    for _ in range(25):
        name = chance.choice(list(files))
        files[name] = edit(files[name], chance)
        twins.write({name: files[name]})
        request = chance.choice([{}, {}, {}, {"target": "prod"}, {"variables": {"limit": 7}}, {"select": ("orders",)}])
        monkeypatch.setenv("CITY", chance.choice(["Rome", "Oslo"]))
        is_good = "error" not in twins.compare(**request)
        good += is_good
        # What is broken stays so for a while; what comes back must be known again.
        if chance.random() < (0.2 if is_good else 0.6):
            files = dict(SHOP)
            twins.write(files)
    assert good > 5
