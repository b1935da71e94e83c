"""The options that several commands share: decorators in, a `Request` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sqlml.errors import SqlmlError

if TYPE_CHECKING:
    from sqlml.build import Request

Command = TypeVar("Command", bound=Callable[..., Any])

_PROJECT = (
    click.option(
        "--project-dir",
        type=click.Path(path_type=Path),
        default=Path(),
        help="A folder of the project (default: here).",
    ),
    click.option("--target", "-t", help="Target of the project file (default: its 'target')."),
    click.option("--vars", "variables", default="{}", metavar="YAML", help="Variables, as '{name: value}'."),
)
_SELECTION = (
    click.option("--select", "-s", multiple=True, help="Nodes: name, +name, name+, tag:x, path:x, resource_type:x."),
    click.option("--exclude", multiple=True, help="Nodes to leave out, in the same words."),
)
_RUN = (
    click.option("--full-refresh", is_flag=True, help="Build and retrain everything selected."),
    click.option("--retrain", multiple=True, metavar="NAME", help="Retrain this ml model whatever has changed."),
    click.option("--no-retrain", is_flag=True, help="Train nothing; wins over all other options."),
)
_THREADS = (
    click.option("--threads", type=click.IntRange(min=1), help="Steps at once (default: 4, and fits one by one)."),
    click.option("--fail-fast", "is_fail_fast", is_flag=True, help="Start nothing after the first failure."),
)
_DEFER = (
    click.option("--defer", metavar="TARGET", help="Read from this target what is not selected and not built here."),
)
json_option = click.option("--json", "is_json", is_flag=True, help="One JSON document on stdout.")


def _all(options: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


project_options = _all(_PROJECT)
selection_options = _all(_PROJECT + _SELECTION)
reading_options = _all(_PROJECT + _DEFER)
plan_options = _all(_PROJECT + _DEFER + _SELECTION + _RUN)
test_options = _all(_PROJECT + _DEFER + _SELECTION + _THREADS)
build_options = _all(_PROJECT + _DEFER + _SELECTION + _RUN + _THREADS)


class ProjectCommand(click.Command):
    """A command that prints what is wrong with the user's lines underlined, and then exits with the error's code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; return its exit code, or None for 0."""
        try:
            return super().invoke(ctx)
        except SqlmlError as error:
            from sqlml.cli.report import print_error

            print_error(error, ctx.params.get("project_dir") or Path())
            return error.exit_code


class ProjectGroup(click.Group):
    """Commands on a project."""

    command_class = ProjectCommand
    group_class = type


_TAKE_SEVERAL = ("--select", "-s", "--exclude")
_WITH_SELECTION = ("build", "plan", "compile", "ls", "test")


def repeat_selectors(arguments: Sequence[str]) -> list[str]:
    """Let `--select` and `--exclude` take several values, as in dbt: `--select a b` is `--select a --select b`."""
    if not arguments or arguments[0] not in _WITH_SELECTION:
        return list(arguments)
    repeated: list[str] = []
    option: str | None = None
    for argument in arguments:
        if argument.startswith("-"):
            option = argument if argument in _TAKE_SEVERAL else None
        elif option and repeated[-1] != option:
            repeated.append(option)
        repeated.append(argument)
    return repeated


def request_of(options: dict[str, Any]) -> Request:
    """Return the request that a command's options make, taking them out of `options`."""
    from sqlml.build import Request
    from sqlml.parse import parse_variables

    variables = parse_variables(options.pop("variables"))
    return Request(variables=variables, **options)
