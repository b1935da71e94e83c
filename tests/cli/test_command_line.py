"""The command line without a build: help, versions, exit codes, and input that is wrong before anything starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sqlml import __version__
from sqlml.build import Request, load_dag, open_project_store
from sqlml.cli import run
from sqlml.cli.commands import cli
from sqlml.parse.editor_schemas import yaml_file_schema

ROOT = Path(__file__).parents[2]


def commands(group: click.Group = cli, before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        words = (*before, name)
        found += commands(command, words) if isinstance(command, click.Group) else [(words, command)]
    return found


COMMANDS = commands()
NAMES = [" ".join(words) for words, _ in COMMANDS]


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=NAMES)
def test_every_command_and_option_has_help(words, command, capsys):
    assert run([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: sqlml {' '.join(words)}")
    assert command.help
    assert command.help.endswith(".")
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert run([*words, "-h"]) == 0


def test_every_command_is_in_the_readme():
    table = re.findall(r"^\| (.*?) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    listed = set()
    for row in table:
        calls = re.findall(r"`([^`]+)`", row)
        if calls and calls[0].startswith("sqlml "):
            words = [word for word in calls[0].split()[1:] if word.islower() and not word.startswith("-")]
            listed.add(" ".join(words))
            # `sqlml model list`, `show`: the others of the group.
            listed |= {f"{words[0]} {call}" for call in calls[1:] if len(words) > 1}
    assert set(NAMES) <= listed
    assert listed <= {*NAMES, *(name.split()[0] for name in NAMES)}


def test_version_and_bare_call(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"sqlml {__version__}\n"
    assert run([]) == 2
    shown = capsys.readouterr()
    assert "Usage: sqlml" in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bulid"], "No such command 'bulid'"),
        (["model", "lst"], "No such command 'lst'"),
        (["build", "--selct", "a"], "No such option"),
        (["build", "--threads", "0"], "0 is not in the range"),
        (["show"], "Missing argument 'NODE'"),
        (["show", "a", "--limit", "-1"], "-1 is not in the range"),
        (["predict", "churn", "--input", "a"], "Missing option '--output'"),
        (["ls", "--vars"], "requires an argument"),
        (["init"], "Missing argument 'FOLDER'"),
    ],
)
def test_wrong_arguments(arguments, said, capsys):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ("{as_of: [}", "error: --vars cannot be read: "),
        ("2026", "error: --vars is not a mapping of names to values\n  fix: write --vars '{name: value}'\n"),
        ("a: b: c", "error: --vars cannot be read: "),
    ],
)
def test_wrong_variables(made, variables, said, capsys):
    assert run(["ls", "--project-dir", str(made), "--vars", variables]) == 2
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize(
    "arguments",
    [
        ["build"],
        ["plan"],
        ["compile"],
        ["ls"],
        ["test"],
        ["show", "a"],
        ["predict", "a", "--input", "b", "--output", "c"],
        ["model", "list"],
        ["model", "promote", "a", "1"],
        ["model", "rollback", "a"],
        ["clean"],
    ],
)
def test_outside_a_project(arguments, tmp_path, capsys):
    assert run([*arguments, "--project-dir", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert "sqlml_project.yml" in shown.err
    assert "  fix: " in shown.err
    assert shown.out == ""
    assert list(tmp_path.iterdir()) == []


def test_debug_outside_a_project_still_tells_of_java(tmp_path, capsys):
    assert run(["debug", "--project-dir", str(tmp_path)]) == 2
    shown = capsys.readouterr().out
    assert "java " in shown
    assert "sqlml_project.yml" in shown


def test_an_unknown_target(made, capsys):
    assert run(["plan", "--project-dir", str(made), "--target", "prdo"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "'prdo'" in shown
    assert "dev" in shown


def test_unknown_names_have_near_matches(made, capsys):
    there = ["--project-dir", str(made)]
    for arguments, near in [
        (["ls", "--select", "custmers"], "did you mean 'customers'"),
        (["build", "--retrain", "chrun"], "did you mean 'churn'"),
        (["show", "customer_featurs"], "did you mean 'customer_features'"),
        (["predict", "chrn", "--input", "customers", "--output", "x.csv"], "did you mean 'churn'"),
        (["model", "show", "chrn"], "did you mean 'churn'"),
        (["model", "rollback", "chrn"], "did you mean 'churn'"),
    ]:
        assert run([*arguments, *there]) == 2
        shown = capsys.readouterr().err
        assert near in shown, shown
        assert shown.startswith("error: ")


def test_init_in_a_folder_that_is_not_empty(made, tmp_path, capsys):
    before = sorted(path.name for path in made.iterdir())
    assert run(["init", str(made)]) == 2
    fix = "name a new folder; 'sqlml init --schemas' writes the schemas of a project that is there"
    assert capsys.readouterr().err == f"error: '{made}' is not empty\n  fix: {fix}\n"
    assert sorted(path.name for path in made.iterdir()) == before
    (tmp_path / "file").write_text("")
    assert run(["init", str(tmp_path / "file")]) == 2
    assert f"'{tmp_path / 'file'}' is a file" in capsys.readouterr().err
    assert run(["init", str(tmp_path / "file" / "below")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["yes", "null", "2024", "été ☀", "a-b.c", "---", "x: y", "#", "starter", "1e3"])
def test_init_makes_a_project_of_any_name(name, tmp_path, capsys):
    assert run(["init", str(tmp_path / name)]) == 0
    assert run(["compile", "--project-dir", str(tmp_path / name)]) == 0, capsys.readouterr().err
    assert (tmp_path / name / ".gitignore").is_file()


def test_every_file_that_init_writes_leads_to_its_schema(made):
    for path in ("sqlml_project.yml", "models/churn.yml"):
        link = (made / path).read_text(encoding="utf-8").splitlines()[0].partition("$schema=")[2]
        schema = json.loads(((made / path).parent / link).read_text(encoding="utf-8"))
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_schemas_of_a_project_that_is_there(tmp_path, capsys):
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "sqlml_project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "models" / "deep" / "it.yml").write_text("models: []\n", encoding="utf-8")
    assert run(["init", "--schemas", str(tmp_path / "models")]) == 0
    written = tmp_path / ".sqlml" / "schemas"
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"wrote {written / 'project.json'}",
        f"wrote {written / 'models.json'}",
        "'sqlml_project.yml' does not point to it yet; put this at its top: "
        "# yaml-language-server: $schema=.sqlml/schemas/project.json",
        "'models/deep/it.yml' does not point to it yet; put this at its top: "
        "# yaml-language-server: $schema=../../.sqlml/schemas/models.json",
    ]
    for line in lines[2:]:
        path, link = line.split("'")[1], line.partition("top: ")[2]
        file = tmp_path / path
        file.write_text(f"{link}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
        assert (file.parent / link.partition("$schema=")[2]).resolve().is_file()
    (written / "models.json").write_text("{}", encoding="utf-8")
    assert run(["init", "--schemas", str(tmp_path)]) == 0
    assert "top" not in capsys.readouterr().out
    assert json.loads((written / "models.json").read_text(encoding="utf-8")) == yaml_file_schema()


def test_the_schemas_of_a_broken_project_and_of_none(tmp_path, capsys):
    assert run(["init", "--schemas", str(tmp_path)]) == 2
    (tmp_path / "sqlml_project.yml").write_text("nam: shop\n", encoding="utf-8")
    assert run(["init", "--schemas", str(tmp_path)]) == 0
    assert (tmp_path / ".sqlml" / "schemas" / "models.json").is_file()


def test_a_bug_is_told_of_in_two_lines(made, monkeypatch, capsys):
    def break_down(request):
        raise ZeroDivisionError("no\nway")

    monkeypatch.setattr("sqlml.ls.ls", break_down)
    assert run(["ls", "--project-dir", str(made)]) == 3
    shown = capsys.readouterr()
    assert re.fullmatch(
        r"error: a bug in sqlml: ZeroDivisionError at test_command_line\.py:\d+: no way\n"
        r"  fix: please report it with the file (\S+)\n",
        shown.err,
    ), shown.err
    log = Path(shown.err.split()[-1])
    assert "Traceback" in log.read_text(encoding="utf-8")
    log.unlink()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_no_bug(made):
    command = [sys.executable, "-m", "sqlml", "ls"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=made, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the output cannot be written: No space left on device")


def test_compile_prints_the_sql_of_one_sql_model(made, capsys):
    """Data tests and predictions are selected with the SQL model that they belong to, and do not count."""
    for name in ("customer_features", "customers_at_risk"):
        assert run(["compile", "--select", name, "--project-dir", str(made)]) == 0
        compiled = made / "target" / "compiled" / "models" / f"{name}.sql"
        assert capsys.readouterr().out.rstrip() == compiled.read_text(encoding="utf-8").rstrip()
    for selection in (["churn"], ["customer_features", "customers_at_risk"]):
        assert run(["compile", "--select", *selection, "--project-dir", str(made)]) == 0
        assert " nodes compiled; " in capsys.readouterr().out


def test_data_tests_of_what_was_never_built_say_how_to_build_it(made, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(made, copy, ignore=shutil.ignore_patterns("target", "warehouse"))
    assert run(["test", "--select", "not_null_customers_customer_id", "--project-dir", str(copy)]) == 2
    assert "fix: run: sqlml build --select +customers\n" in capsys.readouterr().err


def test_a_file_called_target_is_cleaned(tmp_path):
    (tmp_path / "sqlml_project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "target").write_text("", encoding="utf-8")
    assert run(["clean", "--project-dir", str(tmp_path)]) == 0
    assert not (tmp_path / "target").exists()


def test_an_interrupt_is_no_bug(made, monkeypatch, capsys):
    def interrupt(request):
        raise KeyboardInterrupt

    monkeypatch.setattr("sqlml.ls.ls", interrupt)
    assert run(["ls", "--project-dir", str(made)]) == 1
    assert capsys.readouterr().err.startswith("\ninterrupted: ")


def test_a_held_lock_names_its_holder(made, capsys):
    store = open_project_store(load_dag(Request(made)).project)
    with store.lock("sqlml build"):
        for arguments in (["build"], ["test"], ["model", "promote", "churn", "1"]):
            assert run([*arguments, "--project-dir", str(made)]) == 1
            shown = capsys.readouterr().err
            assert shown.startswith(
                "error: another build is running in schema 'dev' of this warehouse: 'sqlml build' of user "
            )
            assert f"process {os.getpid()} on " in shown
        # Readers never wait.
        assert run(["plan", "--project-dir", str(made)]) == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="to this user every folder can be written")
def test_a_read_only_project(made, tmp_path, capsys):
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("sqlml_project.yml", "models", "seeds"):
        (copy / name).symlink_to(made / name)
    copy.chmod(0o555)
    try:
        for command in ("build", "compile"):
            assert run([command, "--project-dir", str(copy)]) in (1, 2)
            assert "cannot be written" in capsys.readouterr().err
        assert run(["plan", "--project-dir", str(copy)]) == 0
    finally:
        copy.chmod(0o755)


def test_a_file_where_a_folder_belongs(made, tmp_path, capsys):
    for name in ("target", "warehouse"):
        copy = tmp_path / name
        copy.mkdir()
        for part in ("sqlml_project.yml", "models", "seeds"):
            (copy / part).symlink_to(made / part)
        (copy / name).write_text("not a folder")
        assert run(["build", "--project-dir", str(copy)]) in (1, 2)
        shown = capsys.readouterr().err
        assert shown.startswith("error: ")
        assert name in shown


def test_a_reader_that_goes_away(made):
    """`sqlml ls | head -1` ends without a word."""
    command = [sys.executable, "-m", "sqlml", "ls", "--json"]
    with subprocess.Popen(command, cwd=made, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(60) == 0, errors
    assert errors == ""


def test_json_without_a_build(made, capsys):
    for arguments in (["ls"], ["plan"], ["compile"], ["model", "list"], ["debug"]):
        assert run([*arguments, "--json", "--project-dir", str(made)]) == 0
        shown = capsys.readouterr()
        json.loads(shown.out)
        assert shown.err == ""


def test_what_was_never_built(made, tmp_path, capsys):
    copy = tmp_path / "copy"
    copy.mkdir()
    for part in ("sqlml_project.yml", "models", "seeds"):
        (copy / part).symlink_to(made / part)
    there = ["--project-dir", str(copy)]
    for arguments, said in [
        (["model", "show", "churn"], "'churn' has no version yet\n  fix: run: sqlml build --select +churn"),
        (["model", "rollback", "churn"], "'churn' has"),
        (["predict", "churn", "--input", "customers", "--output", "x.csv"], "'churn' has no version yet"),
    ]:
        assert run([*arguments, *there]) == 2
        assert capsys.readouterr().err.startswith(f"error: {said}")
    assert run(["model", "list", *there]) == 0
    assert capsys.readouterr().out == "no ml model has a version yet: run sqlml build\n"
    assert not (copy / "warehouse").exists()


def test_an_interrupted_process_says_so(made):
    code = (
        # A process started in the background may have been told to ignore it.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import time, sqlml.ls; from sqlml.cli import main\n"
        "def wait(request):\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "sqlml.ls.ls = wait\nmain(['ls'])"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=made, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read().decode()
        assert process.wait(30) == 1
    assert errors.startswith("\ninterrupted: ")
