import pytest

from sqlml.errors import CommandError, SqlmlError, flatten
from sqlml.parse import find_project_root


def whats(failure):
    return [error.what for error in flatten([failure.value])]


def test_the_smallest_project(parse, tmp_path):
    project = parse({})
    assert (project.name, project.root) == ("shop", tmp_path.resolve())
    assert (project.target.name, project.target.schema, project.target.spark) == ("dev", "dev", {})
    assert {macro.path for macro in project.macro_files} == {
        "sqlml/macros/asof_join.sql",
        "sqlml/macros/known_window.sql",
    }
    assert all(macro.shipped for macro in project.macro_files)


TARGETS = """
name: shop
target: "{{ var('where', 'dev') }}"
targets:
  dev:
  prod:
    schema: "{{ env_var('SCHEMA') }}"
    threads: 2
    memory: 4g
    spark: {spark.sql.shuffle.partitions: 8, spark.sql.adaptive.enabled: true, a.b: 0.5}
"""


def test_the_target_is_chosen_by_the_file_the_variables_or_the_caller(parse):
    assert parse({"sqlml_project.yml": TARGETS}).target.name == "dev"
    environment = {"SCHEMA": "main"}
    for request in ({"target": "prod"}, {"variables": {"where": "prod"}}):
        target = parse({"sqlml_project.yml": TARGETS}, environment=environment, **request).target
        assert (target.name, target.schema, target.threads, target.memory) == ("prod", "main", 2, "4g")
        assert target.spark == {"spark.sql.shuffle.partitions": "8", "spark.sql.adaptive.enabled": "true", "a.b": "0.5"}


def test_the_environment_of_another_target_need_not_be_set(parse):
    assert parse({"sqlml_project.yml": TARGETS}).target.schema == "dev"
    with pytest.raises(SqlmlError) as failure:
        parse({"sqlml_project.yml": TARGETS}, target="prod")
    assert whats(failure) == ["environment variable 'SCHEMA' is not set"]
    assert failure.value.location.line == 7


def test_an_unknown_target_is_an_error_with_near_matches(parse):
    with pytest.raises(CommandError) as failure:
        parse({"sqlml_project.yml": TARGETS}, target="prd")
    assert failure.value.what == "target 'prd' is not in the project file"
    assert failure.value.fix == "did you mean 'prod'? there are: dev, prod"
    with pytest.raises(CommandError):
        parse({}, target="prod")


def test_variables_of_the_command_line_win(parse):
    text = "name: shop\nvars: {a: 1, b: \"{{ var('c', 5) }}\", d: {e: [x]}}\n"
    project = parse({"sqlml_project.yml": text}, variables={"a": 2, "c": 7})
    assert project.variables == {"a": 2, "b": 7, "c": 7, "d": {"e": ["x"]}}


def test_pinned_settings_cannot_be_changed(parse):
    text = "name: shop\ntargets:\n  dev:\n    spark:\n"
    text += "      spark.sql.ANSI.enabled: false\n      spark.sql.session.timeZone: CET\n"
    with pytest.raises(SqlmlError) as failure:
        parse({"sqlml_project.yml": text})
    assert whats(failure) == [
        "target 'dev': 'spark.sql.ANSI.enabled' cannot be changed: training and serving must read SQL alike",
        "target 'dev': 'spark.sql.session.timeZone' cannot be changed: training and serving must read SQL alike",
    ]
    assert [error.location.line for error in flatten([failure.value])] == [5, 6]
    assert flatten([failure.value])[1].fix == "remove it; it is always UTC"


FOLDERS = """
name: shop
models:
  +tags: all
  shop:
    staging:
      +materialized: view
      +tags: [staging]
      inner: {+materialized: ephemeral}
      late: {+enabled: false}
  marts:
    +materialized: table
seeds:
  +tags: look_up
ml_models:
  ml: {+tags: [nightly]}
"""


def test_defaults_by_folder(parse):
    select = "select 1 as id"
    paths = ("a", "staging/b", "staging/inner/c", "staging/late", "marts/d", "marts/e")
    project = parse(
        {
            "sqlml_project.yml": FOLDERS,
            **{f"models/{path}.sql": select for path in paths},
            "models/marts/e.yml": "models: [{name: e, config: {materialized: view, tags: [own, all]}}]\n",
            "models/ml/m.yml": "ml_models: [{name: m, training_data: ref('a'), estimator: KMeans, tags: own}]\n",
            "seeds/s.csv": "id\n1\n",
        }
    )
    assert {sql_model.name: sql_model.config for sql_model in project.sql_models} == {
        "a": {"tags": ("all",)},
        "b": {"materialized": "view", "tags": ("all", "staging")},
        "c": {"materialized": "ephemeral", "tags": ("all", "staging")},
        "d": {"materialized": "table", "tags": ("all",)},
        "e": {"materialized": "view", "tags": ("all", "own")},
    }
    assert project.seeds[0].tags == ("look_up",)
    assert project.ml_models[0].tags == ("nightly", "own")


def test_the_root_is_found_upwards(parse, tmp_path):
    parse({"models/staging/a.sql": "select 1 as id"})
    assert find_project_root(tmp_path / "models" / "staging") == tmp_path
    (tmp_path / "sqlml_project.yml").rename(tmp_path / "dbt_project.yml")
    with pytest.raises(CommandError) as failure:
        find_project_root(tmp_path)
    assert failure.value.what == f"no 'sqlml_project.yml' in '{tmp_path}' or in a folder above it"
    assert failure.value.fix == "there is 'dbt_project.yml': the file must be called 'sqlml_project.yml'"
