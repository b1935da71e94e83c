"""The command line: read arguments, call one verb, print, exit. The only place that prints."""

from __future__ import annotations

import errno
import gc
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from sqlml.cli.commands import cli
from sqlml.cli.options import repeat_selectors
from sqlml.errors import SqlmlError, format_error

USAGE_ERROR, FAILED, BUG = 2, 1, 3
# As many as the trees of some hundred SQL models, in a hundred megabytes.
_OBJECTS = 2_000_000
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 something in the run failed, 2 the input was wrong, 3 a bug in sqlml."""
    # What a command reads stays until its end: to look for garbage takes long and finds little.
    gc.set_threshold(_OBJECTS, 20, 100)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        given = repeat_selectors(sys.argv[1:] if arguments is None else arguments)
        code = cli.main(given, prog_name="sqlml", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE_ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: what was published before is whole, the next build goes on from there", err=True)
        return FAILED
    except SqlmlError as error:
        click.echo(format_error(error), err=True)
        return error.exit_code
    except SystemExit:
        # How click takes a closed pipe. `sqlml ls | head`: the reader has what it wanted.
        return 0
    except OSError as error:
        return _report_full_disk(error) if error.errno in _FULL_DISK else _report_bug(error)
    except Exception as error:  # noqa: BLE001  (the one place: whatever gets here is a bug of ours)
        return _report_bug(error)
    return code if isinstance(code, int) else 0


def _report_full_disk(error: OSError) -> int:
    where = f"'{error.filename}'" if error.filename else "the output"
    click.echo(f"error: {where} cannot be written: {error.strerror}", err=True)
    click.echo("  fix: make room and run it again: what was published before is whole", err=True)
    return USAGE_ERROR


def _report_bug(error: Exception) -> int:
    import tempfile
    import traceback
    from pathlib import Path

    with tempfile.NamedTemporaryFile("w", prefix="sqlml-bug-", suffix=".log", delete=False, encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    said = " ".join(str(error).split())
    click.echo(f"error: a bug in sqlml: {type(error).__name__} at {place}: {said}", err=True)
    click.echo(f"  fix: please report it with the file {file.name}", err=True)
    return BUG
