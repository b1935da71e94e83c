"""Projects made by hand, so that these tests do not hang on how files are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import DataTest, MacroFile, MlModel, Project, Seed, Source, SqlModel, Target


def places(path, line=1, **keys):
    return Places(SourceLocation(path, line), {key: SourceLocation(path, at) for key, at in keys.items()})


def data_test(kind, column=None, line=1, **rest):
    return DataTest(kind, SourceLocation("models/tests.yml", line), column=column, **rest)


def singular(name, text):
    return DataTest("singular", SourceLocation(f"tests/{name}.sql", 1), name=name, text=text)


def make_project(
    sql=None,
    ml=None,
    sources=("raw.flights",),
    seeds=(),
    config=None,
    tests=None,
    singular_tests=(),
    macros=None,
    variables=None,
    schema="dev",
):
    """A project from texts.

    Args:
        sql: path below models/ without ending, or name, to text.
        ml: name to the text of training_data.
        config: name of a SQL model to its config.
        tests: name of a SQL model, seed or source to its data tests.
    """
    config, tests = config or {}, tests or {}
    sql_models = []
    for stem, text in (sql or {}).items():
        name = stem.rpartition("/")[2]
        path = f"models/{stem}.sql"
        sql_models.append(
            SqlModel(
                name=name,
                path=path,
                text=text,
                places=places(path),
                config=config.get(name, {}),
                tests=tests.get(name, ()),
            )
        )
    made_sources = []
    for line, full in enumerate(sources, 1):
        source, table = full.split(".")
        made_sources.append(
            Source(source, table, "d.csv", "csv", places("models/sources.yml", line), tests=tests.get(full, ()))
        )
    ml_models = [
        MlModel(name, "models/ml.yml", places("models/ml.yml", line, training_data=line), text, "LinearRegression")
        for line, (name, text) in enumerate((ml or {}).items(), 1)
    ]
    return Project(
        root=Path("/nowhere"),
        name="example",
        target=Target("dev", schema),
        variables=variables or {},
        sources=tuple(made_sources),
        seeds=tuple(
            Seed(name, f"seeds/{name}.csv", "csv", places(f"seeds/{name}.csv"), tests=tests.get(name, ()))
            for name in seeds
        ),
        sql_models=tuple(sql_models),
        ml_models=tuple(ml_models),
        singular_tests=tuple(singular(name, text) for name, text in dict(singular_tests).items()),
        macro_files=tuple(MacroFile(f"macros/{name}.sql", text) for name, text in (macros or {}).items()),
    )


@pytest.fixture
def project():
    return make_project


@pytest.fixture
def declare():
    return data_test
