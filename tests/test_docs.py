"""The documentation against the code: what a table lists is what there is, links lead somewhere, examples compile."""

import ast
import importlib.util
import os
import pkgutil
import re
from collections import defaultdict
from pathlib import Path
from types import UnionType
from typing import Literal, Union, get_args, get_origin

import click
import pyspark.ml
import pytest
import yaml
from pydantic_core import PydanticUndefined

from sqlml.cli.commands import cli
from sqlml.compile import compile_dag, make_plan
from sqlml.errors import SqlmlError, format_error
from sqlml.ir.algorithms import ALGORITHMS
from sqlml.ir.diagnostics import RULES, SETTABLE
from sqlml.ir.estimators import ESTIMATORS, NOT_HERE
from sqlml.ir.feature_stages import FEATURE_STAGES, NOT_A_WORD
from sqlml.ir.lineage import Kind
from sqlml.ir.metrics import METRICS
from sqlml.ir.ml_outputs import OUTPUT_KINDS, makers_of
from sqlml.ir.ml_tables import EVALUATION_TABLES
from sqlml.ir.plan import PlanRequest
from sqlml.ir.results import RunResults, Status, StepResult
from sqlml.ir.session import PINNED_SETTINGS
from sqlml.ir.state import Snapshot
from sqlml.ir.words import WORDS
from sqlml.ir.words import Kind as Kinds
from sqlml.parse import ParseRequest, later, parse_project, relation_specs
from sqlml.persist.artifacts import manifest, run_results
from sqlml.persist.failpoints import FAILPOINTS
from sqlml.persist.tables import METADATA
from sqlml.resolve import data_tests, references, resolve_project, select, select_nodes
from sqlml.run.session import SessionSettings, session_conf
from sqlml.templating import sql as sql_templates

ROOT = Path(__file__).parents[1]
# The pages of this repo, not those of what is installed in it.
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "sqlml").rglob("*.md"), *ROOT.glob("data/*.md")]
)
REFERENCE = sorted((ROOT / "docs").rglob("*.md"))
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}
DOCS = "\n".join(TEXT[page] for page in REFERENCE)
FENCE = re.compile(
    r"^(?:<!-- project: (?P<file>\S+) -->\n)?```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


def read_tables():
    """Return name -> rows (lists of cells) of every table below a `<!-- table: name -->`."""
    tables = {}
    for text in (TEXT[page] for page in REFERENCE):
        for match in re.finditer(r"<!-- table: (\w+) -->\n((?:\|.*\n)+)", text):
            assert match[1] not in tables, f"two tables are called {match[1]}"
            lines = match[2].splitlines()[2:]
            tables[match[1]] = [[c.strip() for c in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in lines]
    return tables


TABLES = read_tables()


def keys(table):
    """Return what the first column of a table names, in order."""
    found = [name for row in TABLES[table] for name in named(row[0])]
    assert len(found) == len(set(found)), f"{table} lists a name twice"
    return found


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


# What others share has no key of its own.
SPECS = [
    spec
    for spec in subclasses(relation_specs.Spec)
    if spec.__module__.startswith("sqlml.parse") and spec is not relation_specs.ColumnSpec
]


def own_fields(spec):
    base = spec.__mro__[1]
    inherited = base.model_fields if base is not relation_specs.Spec else {}
    return {field.alias or name: field for name, field in spec.model_fields.items() if name not in inherited}


def literals(annotation):
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    is_union = get_origin(annotation) in (Union, UnionType)
    return {value for part in get_args(annotation) for value in literals(part)} if is_union else set()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
def test_every_key_of_a_spec_is_documented_and_no_other(spec):
    assert keys(spec.__name__) == list(own_fields(spec))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
def test_choices_and_defaults_of_keys_are_documented(spec):
    rows = {named(row[0])[0]: row for row in TABLES[spec.__name__]}
    for key, field in own_fields(spec).items():
        row = rows[key]
        text = " ".join(row)
        missing = literals(field.annotation) - set(named(text))
        assert not missing, f"{spec.__name__}.{key} can be {missing}"
        default = field.get_default(call_default_factory=False)
        if field.is_required():
            assert "required" in row[2], f"{spec.__name__}.{key} is required"
        elif isinstance(default, bool):
            assert f"`{str(default).lower()}`" in row[2], f"{spec.__name__}.{key}"
        elif isinstance(default, str) and default:
            assert f"`{default}`" in row[2], f"{spec.__name__}.{key}"
        elif isinstance(default, list) and default:
            assert f"`[{', '.join(default)}]`" in row[2], f"{spec.__name__}.{key}"
        else:
            assert default in (None, "", PydanticUndefined, [], {}) or field.default_factory, f"{spec.__name__}.{key}"
            assert "required" not in row[2] or "none, required" in row[2], f"{spec.__name__}.{key} is not required"


@pytest.mark.parametrize(
    ("table", "there"),
    [
        ("ESTIMATORS", ESTIMATORS),
        ("RULES", RULES),
        ("kinds", Kind),
        ("METRICS", METRICS),
        ("EVALUATION_TABLES", EVALUATION_TABLES),
        ("OUTPUT_KINDS", OUTPUT_KINDS),
        ("WORDS", [word.name for word in WORDS]),
        ("FEATURE_STAGES", FEATURE_STAGES),
        ("NOT_A_WORD", NOT_A_WORD),
        ("ALGORITHMS", ALGORITHMS),
        ("PINNED_SETTINGS", PINNED_SETTINGS),
        ("LATER_KEYS", later.LATER_KEYS),
        ("LATER_VALUES", later.LATER_VALUES),
        ("LATER_MAPPINGS", later.LATER_MAPPINGS),
        ("config", references.SQL_MODEL_KEYS),
        ("test_config", references.TEST_KEYS),
        ("session", session_conf(SessionSettings(Path("logs")), Path("scratch")).keys() - PINNED_SETTINGS.keys()),
    ],
)
def test_a_table_lists_what_there_is(table, there):
    assert sorted(keys(table)) == sorted(there)


def test_levels_of_diagnostics():
    assert {named(row[0])[0]: row[1] for row in TABLES["RULES"]} == {code: rule.level for code, rule in RULES.items()}


def test_tables_of_estimators_are_made_from_the_registry():
    spec = importlib.util.spec_from_file_location("make_estimator_docs", ROOT / "tools" / "make_estimator_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = TEXT[module.PAGE]
    assert module.write_tables(page) == page, "run tools/make_estimator_docs.py"
    assert set(module.TABLES) <= set(TABLES)


def test_what_is_said_of_margins():
    said = {named(row[0])[0]: row[1] for row in TABLES["MARGINS"]}
    margins = {entry.name: entry.margin for entry in ESTIMATORS.values() if entry.margin}
    assert said == margins | {"OneVsRest": "`score`, if its classifier is one of these"}


def test_what_is_said_of_outputs():
    for row in TABLES["OUTPUT_KINDS"]:
        kind = OUTPUT_KINDS[named(row[0])[0]]
        makers = ["near:"] if kind.is_near else list(makers_of(kind.name))
        assert (named(row[1]), named(row[2])) == (makers, list(kind.takes))


def test_what_is_said_of_algorithms():
    for row in TABLES["ALGORITHMS"]:
        algorithm = ALGORITHMS[named(row[0])[0]]
        made = [column.name for column in algorithm.columns(dict.fromkeys(algorithm.roles, ""))]
        assert (row[1], named(row[2])) == (algorithm.kind, [algorithm.spark_class])
        assert set(made) <= set(named(row[3]))


def test_what_is_said_of_metrics():
    for row in TABLES["METRICS"]:
        metric = METRICS[named(row[0])[0]]
        kind = "classes" if metric.problem == "classification" else metric.problem
        assert row[1] == ("two classes" if metric.is_binary_only else kind)
        assert row[2] == ("higher" if metric.is_higher_better else "lower")
    assert keys("METRICS") == list(METRICS), "the first that was measured is shown: the order is part of it"


def test_values_of_settings():
    assert {named(row[0])[0]: named(row[1])[0] for row in TABLES["PINNED_SETTINGS"]} == dict(PINNED_SETTINGS)
    conf = session_conf(SessionSettings(Path("logs")), Path("scratch"))
    for row in TABLES["session"]:
        for value in named(row[1]):
            if value != "local[cores]":
                assert {conf[name] for name in named(row[0])} == {value}
    for row in TABLES["LATER_VALUES"]:
        assert set(named(row[1])) == set(later.LATER_VALUES[named(row[0])[0]])


def joined(names):
    return ", ".join(f"`{name}`" for name in names)


def word_rows():
    for word in WORDS:
        takes = ", ".join(kind.value for kind in Kinds if kind in word.takes)
        takes = "everything" if word.takes == frozenset(Kinds) else takes
        returns = "what it took" if word.gives is None else word.gives.value
        returns = "what its SQL gives" if word.key == "expr" else returns
        yield [f"`{word.name}`", word.about, takes, returns, word.null, word.infinity.value, word.unseen]


def stage_rows():
    for stage, entry in FEATURE_STAGES.items():
        words = [word.name for word in WORDS if stage in word.stages]
        defaults = [
            f"{name}: {str(value).lower() if isinstance(value, bool) else value}"
            for name, value in entry.defaults.items()
        ]
        yield [f"`{stage}`", joined(words), joined(entry.params), joined(defaults)]


def reason_rows():
    yield from ([f"`{name}`", reason] for name, reason in NOT_A_WORD.items())


@pytest.mark.parametrize(
    ("table", "rows"), [("WORDS", word_rows), ("FEATURE_STAGES", stage_rows), ("NOT_A_WORD", reason_rows)]
)
def test_a_table_is_what_the_registry_says(table, rows):
    page = ROOT / "docs" / "transforms.md"
    lines = "".join(f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in rows())
    if os.environ.get("GOLDEN_UPDATE") == "1":
        text = page.read_text(encoding="utf-8")
        head = re.search(rf"<!-- table: {table} -->\n\|.*\n\|.*\n", text)[0]
        text = re.sub(rf"{re.escape(head)}(?:\|.*\n)*", lambda match: head + lines, text)
        page.write_text(text, encoding="utf-8")
        return
    assert TABLES.get(table, []) == [[cell.strip() for cell in row] for row in rows()]


def classes_of(module):
    return {
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def test_every_class_of_spark_ml_is_somewhere():
    """A new release of Spark shows what is not there yet."""
    listed = {name for row in TABLES["REST_OF_SPARK_ML"] for name in named(row[0])}
    known = {*ESTIMATORS, *NOT_HERE, *FEATURE_STAGES, *NOT_A_WORD, *listed}
    left = set()
    for name in [f"pyspark.ml.{found.name}" for found in pkgutil.iter_modules(pyspark.ml.__path__)]:
        if name in listed or name == "pyspark.ml.tests":
            continue
        module = importlib.import_module(name)
        public = set(getattr(module, "__all__", ())) or classes_of(module)
        # What a fit gives, and what tells of it or reads it.
        left |= {
            one for one in public if not one.endswith(("Model", "Summary", "Reader", "Writer", "ReadWrite"))
        } - known
    assert left == set()
    modules = {name for name in listed if name.startswith("pyspark.ml.")}
    assert all(importlib.util.find_spec(name) for name in modules - {"pyspark.ml.connect"})
    assert not (listed - modules) & {*ESTIMATORS, *NOT_HERE, *FEATURE_STAGES, *NOT_A_WORD}


def test_what_comes_later_is_listed():
    page = TEXT[ROOT / "docs" / "not_supported.md"]
    lines = {line.partition(":")[0]: line for line in page.splitlines()}
    assert set(named(lines["- Keys of `config()`"])) - {"config()"} == references._LATER_KEYS
    assert {name.strip(":") for name in named(lines["Methods"])} == select._LATER_METHODS
    assert set(references._LATER_MATERIALIZED) <= {name.strip("'") for name in named(page)}


def test_functions_of_templates():
    listed = {re.match(r"[\w.]+", name)[0] for name in keys("jinja")}
    macros = sql_templates.Templates((), {}, {})
    given = sql_templates._FUNCTIONS_OF_A_NODE | {"var", "env_var", "exceptions.raise_compiler_error"}
    assert listed == given
    # Whatever else a template can name comes with Jinja.
    assert set(macros.globals) - {"var", "env_var", "exceptions"} <= {"range", "dict", "cycler", "joiner", "namespace"}


@pytest.mark.parametrize("macro", ["asof_join", "known_window"])
def test_arguments_of_macros(macro):
    text = (ROOT / "sqlml" / "macros" / f"{macro}.sql").read_text(encoding="utf-8")
    arguments = re.search(rf"macro {macro}\(([^)]*)\)", text)[1].split(",")
    listed = {name: row for row in TABLES[macro] for name in named(row[0])}
    assert sorted(listed) == sorted(argument.split("=")[0].strip() for argument in arguments)
    for argument in arguments:
        name, _, default = argument.strip().partition("=")
        assert listed[name][1] == (f"`{default}`" if default else "required")


def test_each_rule_is_explained_in_its_own_words():
    text = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    for code in SETTABLE:
        assert f"**{code}: {RULES[code].title}.** {RULES[code].meaning} {RULES[code].fix}" in text, code


def test_kinds_of_data_tests():
    page = TEXT[ROOT / "docs" / "project.md"]
    section = page.partition("## Data tests")[2].partition("<!--")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert [named(row.split("|")[1])[0] for row in rows] == list(data_tests._WRITERS)


# Commands


def walk_commands(group=cli, before=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from walk_commands(command, (*before, name))
        else:
            yield " ".join((*before, name)), command


COMMANDS = dict(walk_commands())


def test_every_option_is_documented_with_its_commands():
    there = defaultdict(set)
    for name, command in COMMANDS.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                there[tuple(sorted(parameter.opts + parameter.secondary_opts))].add(name)
    listed = {tuple(sorted(named(row[0]))): set(named(row[2])) for row in TABLES["options"]}
    assert listed == there


def test_every_command_is_documented_with_its_arguments():
    page = TEXT[ROOT / "docs" / "commands.md"]
    lines = re.findall(r"^\| `sqlml ([^`]+)` \|", page, re.MULTILINE)
    arguments = {
        name: [
            parameter.human_readable_name.upper()
            if parameter.required
            else f"[{parameter.human_readable_name.upper()}]"
            for parameter in command.params
            if isinstance(parameter, click.Argument)
        ]
        for name, command in COMMANDS.items()
    }
    assert sorted(lines) == sorted(" ".join([name, *given]) for name, given in arguments.items())
    with_json = {name for row in TABLES["json"] for name in named(row[0])}
    assert with_json == {name for name, command in COMMANDS.items() if any("--json" in p.opts for p in command.params)}


def test_the_readme_names_every_command():
    page = TEXT[ROOT / "README.md"]
    table = page.partition("## Commands")[2].partition("\n\nAll take")[0]
    words = set(re.findall(r"[a-z]+", " ".join(named(table))))
    missing = {word for name in COMMANDS for word in name.split()} - words
    assert not missing


# Examples


def project_files():
    """Return project -> path -> text of the blocks that are marked as files of a project, over all pages."""
    projects = defaultdict(dict)
    for text in TEXT.values():
        for block in FENCE.finditer(text):
            if block["file"]:
                project, _, path = block["file"].partition("/")
                assert path not in projects[project], f"{block['file']} stands there twice"
                projects[project][path] = block["body"]
    return projects


# What the pages leave to the reader.
SUPPLIED = {
    "readme": {
        "sqlml_project.yml": "name: readme\n",
        "seeds/flights.csv": "flight_id,sched_dep_ts,arr_ts,carrier,distance,arr_delay,is_late\n"
        "1,2024-01-01 08:00:00,2024-01-01 10:00:00,AA,700,3,false\n",
        "models/stg_flights.sql": "select * from {{ ref('flights') }}",
        "models/todays_flights.sql": "select flight_id, carrier, distance, 1.5 as delay_6h "
        "from {{ ref('stg_flights') }}",
    },
    "air": {},
}


def compile_project(root, project):
    for path, text in {**SUPPLIED[project], **project_files()[project]}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return compile_dag(resolve_project(parse_project(ParseRequest(root))), {}, with_lineage=True)


def test_the_examples_are_those_that_are_known():
    assert set(project_files()) == set(SUPPLIED)


@pytest.mark.parametrize("project", sorted(SUPPLIED))
def test_an_example_compiles(tmp_path, project):
    try:
        compiled = compile_project(tmp_path, project)
    except SqlmlError as error:
        pytest.fail(format_error(error))
    assert not compiled.warnings
    unknown = [node_id for node_id, columns in compiled.columns.items() if columns is None]
    assert not unknown
    assert all(compiled.features.values())


def test_what_is_said_of_the_example(tmp_path):
    compiled = compile_project(tmp_path, "air")
    nodes = compiled.dag.nodes
    assert nodes["sql_model.stg_flights"].materialized == "view"
    assert nodes["sql_model.flight_features"].materialized == "table"
    assert compiled.columns["sql_model.late_arrival_scores"] == ("flight_id", "predicted_is_late", "probability")
    assert compiled.features["ml_model.late_arrival"] == (
        "carrier", "distance", "temperature", "flights_6h", "flights_7d", "delay_6h", "delay_7d"
    )  # fmt: skip
    assert select_nodes(compiled.dag, ["tag:features,resource_type:sql_model"]) == ("sql_model.flight_features",)


def test_fields_of_the_manifest_and_of_run_results(tmp_path):
    compiled = compile_project(tmp_path, "air")
    document = manifest(compiled)
    assert keys("manifest") == list(document)
    assert {key for node in document["nodes"].values() for key in node} | {"files"} == set(keys("manifest_node"))
    signatures = [node["signature"] for node in document["nodes"].values() if "signature" in node]
    assert keys("expected_signature") == list(signatures[0])
    metadata = next(row for row in TABLES["manifest"] if "metadata" in row[0])
    assert named(metadata[1]) == list(document["metadata"])
    selected = frozenset({"seed.weather"})
    plan = make_plan(compiled, Snapshot("dev"), PlanRequest(selected=selected, now=None))
    results = RunResults("id", "then", 1.0, (StepResult("seed.weather", Status.SUCCESS),))
    document = run_results(plan, results)
    assert keys("run_results") == list(document)
    assert keys("step_result") == list(document["results"][0])
    status = next(row for row in TABLES["step_result"] if "`status`" in row[0])
    assert set(named(status[1])) == set(Status)
    assert set(named(TABLES["run_results"][0][1])) == set(document["metadata"])


def test_tables_of_the_state_and_points_of_a_crash():
    page = TEXT[ROOT / "docs" / "persistence.md"]
    section = page.partition("| table of the state |")[2].partition("###")[0]
    listed = [name for line in section.splitlines() if line.startswith("| `") for name in named(line.split("|")[1])]
    assert sorted(listed) == sorted(METADATA.tables)
    crashes = page.partition("| killed after |")[2].partition("##")[0]
    told = [point.strip() for line in crashes.splitlines()[2:] if line for point in line.split("|")[1].split(",")]
    assert told == list(FAILPOINTS)


def test_fenced_yaml_and_python_can_be_read():
    count = 0
    for page, text in TEXT.items():
        for block in FENCE.finditer(text):
            count += block["kind"] in ("yaml", "python")
            try:
                if block["kind"] == "yaml":
                    assert isinstance(yaml.safe_load(block["body"]), dict)
                elif block["kind"] == "python":
                    ast.parse(block["body"])
            except (yaml.YAMLError, SyntaxError) as error:
                pytest.fail(f"{page.name}: {error}")
    assert count > 5


def test_every_fence_is_closed():
    for page, text in TEXT.items():
        assert text.count("```") % 2 == 0, page


def anchors(text):
    """Return the anchors of a page's headings, made as GitHub makes them."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXT[page]):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{page.name}: {target}"


def test_the_reference_leads_to_every_page():
    linked = set(re.findall(r"\]\((\w+\.md)\)", TEXT[ROOT / "docs" / "reference.md"]))
    there = {page.name for page in (ROOT / "docs").glob("*.md")} - {"reference.md"}
    assert there <= linked
    assert "docs/reference.md" in TEXT[ROOT / "README.md"]


def test_pages_stay_short():
    assert not [page.name for page in REFERENCE if len(TEXT[page].splitlines()) >= 400]
