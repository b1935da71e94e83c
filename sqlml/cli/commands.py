"""Every command of sqlml: its arguments, its help and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sqlml import __version__
from sqlml.cli.options import (
    ProjectGroup,
    build_options,
    json_option,
    plan_options,
    project_options,
    reading_options,
    request_of,
    selection_options,
    test_options,
)


@click.group(cls=ProjectGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="sqlml", message="%(prog)s %(version)s")
def cli() -> None:
    """Build features in Spark SQL and train, test and serve ML models on them: dbt for machine learning."""


@cli.command()
@build_options
@json_option
def build(is_json: bool, **options: Any) -> int:
    """Bring tables, fitted models and predictions up to date, and test them."""
    from sqlml.build import build as run_build
    from sqlml.cli.progress import open_progress
    from sqlml.cli.report import print_run

    with open_progress(is_json) as progress:
        built = run_build(request_of(options), progress)
    print_run(built, is_json)
    return built.results.exit_code


@cli.command()
@plan_options
@json_option
def plan(is_json: bool, **options: Any) -> None:
    """Print what build would do to each node and why, and each ml model's features. Starts no JVM."""
    from sqlml.cli.report import print_plan
    from sqlml.plan import plan as make_plan

    print_plan(make_plan(request_of(options)), is_json)


@cli.command(name="compile")
@selection_options
@click.option("--timing", "is_timed", is_flag=True, help="Print where the time goes, and what came from the cache.")
@json_option
def compile_command(is_json: bool, is_timed: bool, **options: Any) -> int:
    """Check the project and write its SQL to target/compiled. Starts no JVM."""
    from sqlml.cli.report import print_compiled, print_refused
    from sqlml.compiling import compile_only
    from sqlml.errors import SqlmlError

    request = request_of(options)
    try:
        print_compiled(compile_only(request), is_json, is_timed)
    except SqlmlError as error:
        if not is_json:
            raise
        print_refused(error, request.project_dir)
        return error.exit_code
    return 0


@cli.command()
@selection_options
@json_option
def ls(is_json: bool, **options: Any) -> None:
    """List the nodes of the project."""
    from sqlml.cli.report import print_nodes
    from sqlml.ls import ls as list_nodes

    print_nodes(list_nodes(request_of(options)), is_json)


@cli.command()
@click.argument("ml_model")
@click.option("--input", "data", required=True, help="A csv, parquet, json or orc file or folder, else a node's name.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A .csv or .json file, else a folder.")
@click.option("--version", help="Number or alias of a version (default: champion).")
@click.option(
    "--explain", type=click.IntRange(min=1), metavar="N", help="Add the N features that count most for each row."
)
@click.option("--overwrite", "is_overwrite", is_flag=True, help="Replace the output if it exists.")
@reading_options
@json_option
def predict(is_json: bool, **options: Any) -> None:
    """Score a file, or a node that was built, with a fitted model."""
    from sqlml.cli.report import print_predicted
    from sqlml.predict import PredictRequest
    from sqlml.predict import predict as run_predict

    own = ("ml_model", "data", "output", "version", "is_overwrite", "explain")
    asked = PredictRequest(**{name: options.pop(name) for name in own})
    print_predicted(run_predict(request_of(options), asked), is_json)


@cli.command()
@test_options
@json_option
def test(is_json: bool, **options: Any) -> int:
    """Run data tests on what was last built."""
    from sqlml.cli.progress import open_progress
    from sqlml.cli.report import print_run
    from sqlml.test import test as run_tests

    with open_progress(is_json) as progress:
        built = run_tests(request_of(options), progress)
    print_run(built, is_json)
    return built.results.exit_code


@cli.command()
@click.argument("node")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(min=0), help="Rows.")
@reading_options
@json_option
def show(node: str, limit: int, is_json: bool, **options: Any) -> None:
    """Print the first rows of a node, as last built."""
    from sqlml.cli.report import print_rows
    from sqlml.show import show as read_rows

    print_rows(read_rows(request_of(options), node, limit), is_json)


@cli.command()
@click.argument("column", metavar="NODE[.COLUMN]")
@click.option("--upstream", "direction", flag_value="upstream", help="What it is computed from (default).")
@click.option("--downstream", "direction", flag_value="downstream", help="What is computed from it.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "json", "dot", "mermaid"]),
    default="tree",
    show_default=True,
    help="A tree to read, JSON, or a graph for Graphviz or Mermaid.",
)
@project_options
@json_option
def lineage(column: str, direction: str, form: str, is_json: bool, **options: Any) -> None:
    """Print what a column, or each column of a node, is computed from. Starts no JVM."""
    from sqlml.cli.report import print_lineage
    from sqlml.lineage import lineage as follow

    followed = follow(request_of(options), column, "downstream" if direction == "downstream" else "upstream")
    print_lineage(followed, "json" if is_json else form)


@cli.group()
def model() -> None:
    """The versions of ml models: list, show, diff, tag, promote, rollback, reproduce."""


@model.command(name="list")
@project_options
@json_option
def model_list(is_json: bool, **options: Any) -> None:
    """List all versions with their aliases and gates."""
    from sqlml.cli.version_text import print_versions
    from sqlml.model import list_versions

    print_versions(list_versions(request_of(options)), is_json)


@model.command(name="show")
@click.argument("ml_model")
@click.argument("version", required=False)
@project_options
@json_option
def model_show(ml_model: str, version: str | None, is_json: bool, **options: Any) -> None:
    """Print one version: metrics, gates, signature (default: the champion)."""
    from sqlml.cli.version_text import print_version
    from sqlml.model import show_version

    print_version(show_version(request_of(options), ml_model, version), is_json)


@model.command(name="diff")
@click.argument("ml_model")
@click.argument("was", metavar="A")
@click.argument("now", metavar="B")
@click.option("--on", metavar="RELATION", help="A node that was built, or a file: compare the predictions on its rows.")
@project_options
@json_option
def model_diff(ml_model: str, was: str, now: str, on: str | None, is_json: bool, **options: Any) -> None:
    """Print how version B differs from version A. Starts no JVM without --on."""
    from sqlml.cli.diff_text import print_difference
    from sqlml.model_diff import diff

    print_difference(diff(request_of(options), ml_model, was, now, on), is_json)


@model.command(name="tag")
@click.argument("ml_model")
@click.argument("version", required=False)
@click.argument("alias", required=False)
@click.option("--remove", metavar="ALIAS", help="Take this alias away from the version that bears it.")
@project_options
@json_option
def model_tag(
    ml_model: str, version: str | None, alias: str | None, remove: str | None, is_json: bool, **options: Any
) -> None:
    """Let an alias point to a version; predict --version, diff and gates take it."""
    from sqlml.cli.version_text import print_tagged
    from sqlml.model import tag, untag

    if remove is not None and version is None:
        print_tagged(untag(request_of(options), ml_model, remove), is_json)
    elif remove is None and version is not None and alias is not None:
        print_tagged(tag(request_of(options), ml_model, version, alias), is_json)
    else:
        raise click.UsageError("give VERSION and ALIAS, or --remove ALIAS")


@model.command(name="promote")
@click.argument("ml_model")
@click.argument("version")
@project_options
@json_option
def model_promote(ml_model: str, version: str, is_json: bool, **options: Any) -> None:
    """Make a version the champion, and let later ones follow when they pass their gates."""
    from sqlml.cli.version_text import print_moved
    from sqlml.model import promote

    print_moved(promote(request_of(options), ml_model, version), is_json)


@model.command(name="rollback")
@click.argument("ml_model")
@click.option("--to", "version", help="Version (default: the champion before this one).")
@project_options
@json_option
def model_rollback(ml_model: str, version: str | None, is_json: bool, **options: Any) -> None:
    """Make an earlier version the champion, and keep it until someone promotes."""
    from sqlml.cli.version_text import print_moved
    from sqlml.model import roll_back

    print_moved(roll_back(request_of(options), ml_model, version), is_json)


@model.command(name="reproduce")
@click.argument("ml_model")
@click.argument("version", required=False)
@project_options
@json_option
def model_reproduce(ml_model: str, version: str | None, is_json: bool, **options: Any) -> int:
    """Fit a version again on the data of then and compare the two (default: the champion)."""
    from sqlml.cli.version_text import print_reproduced
    from sqlml.model_reproduce import reproduce

    found = reproduce(request_of(options), ml_model, version)
    print_reproduced(found, is_json)
    return 0 if found.is_identical else 1


@cli.command()
@click.option(
    "--class-archive",
    "is_archive",
    is_flag=True,
    help="Once: store Spark's classes (200 MB), to start faster.",
)
@project_options
@json_option
def debug(is_archive: bool, is_json: bool, **options: Any) -> int:
    """Print what a build would run on: Java, versions, project, warehouse. Starts no JVM by itself."""
    from sqlml.cli.report import print_facts
    from sqlml.debug import debug as find_facts
    from sqlml.debug import make_class_archive

    request = request_of(options)
    if is_archive:
        click.echo(f"wrote {make_class_archive(request)}", err=is_json)
    facts = find_facts(request)
    print_facts(facts, is_json)
    return 0 if all(fact.is_good for fact in facts) else 2


@cli.command()
@click.option("--project-dir", type=click.Path(path_type=Path), default=Path(), help="A folder of the project.")
def clean(project_dir: Path) -> None:
    """Empty target/, which can be made again. The warehouse is never touched."""
    from sqlml.clean import clean as remove_target

    click.echo(f"removed {remove_target(project_dir)}")


@cli.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--schemas", "is_schemas", is_flag=True, help="Write the editor's schemas of a project that is there.")
def init(folder: Path | None, is_schemas: bool) -> None:
    """Write a small project that builds at once, or the schemas with which editors complete YAML."""
    import shlex

    from sqlml.cli.report import print_schemas
    from sqlml.init import init as write_starter
    from sqlml.init import refresh_schemas

    if is_schemas:
        print_schemas(refresh_schemas(folder or Path()))
    elif folder is None:
        raise click.MissingParameter(param_type="argument", param_hint="'FOLDER'")
    else:
        made = write_starter(folder)
        click.echo(f"wrote {made}\nnext: cd {shlex.quote(str(folder))} && sqlml build")
