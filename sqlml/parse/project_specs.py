"""The grammar of `sqlml_project.yml` as pydantic models."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sqlml.parse.relation_specs import Spec
from sqlml.parse.value_types import Identifier, Levels, Memory, Options, Positive, Tags, Value


class TargetSpec(Spec):
    """An entry of `targets:`.

    Attributes:
        schema: Prefix of relations, and folder in the warehouse; the target's name unless it is said.
        spark: Settings of Spark.
        threads: Steps at once, and fits at once; without it 4 steps and 1 fit.
        memory: Heap of Spark's driver, such as 4g or 512m; half of the machine's unless it is said.
        diagnostics: Code of a diagnostic to error, warn, note or ignore; wins over the project's.
    """

    schema_: Identifier | None = Field(default=None, alias="schema")
    spark: Options = Field(default_factory=dict)
    threads: Positive | None = None
    memory: Memory | None = None
    diagnostics: Levels = Field(default_factory=dict)


class ProjectFileSpec(Spec):
    """`sqlml_project.yml`; what stands below `targets` and the defaults by folder is read apart.

    Attributes:
        name: The project's name: letters, digits and _.
        version: Yours; sqlml does not read it.
        model-paths: Folders of SQL models and YAML files.
        seed-paths: Folders of seeds; YAML files are read here too.
        macro-paths: Folders of macros.
        test-paths: Folders of singular data tests.
        estimator-modules: Modules whose estimators may be named by import path; what they hold is run.
        target: The target that is built without --target.
        targets: Name to target: where a build goes, and with what.
        vars: Variables for var(); --vars wins over them.
        diagnostics: Code of a diagnostic to error, warn, note or ignore.
        models: Defaults of SQL models by folder.
        seeds: Defaults of seeds by folder.
        ml_models: Defaults of ML models by folder.
    """

    name: Identifier
    version: Value = None
    model_paths: Tags = Field(default=["models"], alias="model-paths")
    seed_paths: Tags = Field(default=["seeds"], alias="seed-paths")
    macro_paths: Tags = Field(default=["macros"], alias="macro-paths")
    test_paths: Tags = Field(default=["tests"], alias="test-paths")
    estimator_modules: Tags = Field(default_factory=list, alias="estimator-modules")
    target: str = "dev"
    targets: dict[str, Any] = Field(default_factory=dict)
    vars: dict[str, Any] = Field(default_factory=dict)
    diagnostics: Levels = Field(default_factory=dict)
    models: dict[str, Any] = Field(default_factory=dict)
    seeds: dict[str, Any] = Field(default_factory=dict)
    ml_models: dict[str, Any] = Field(default_factory=dict)
