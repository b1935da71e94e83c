"""The grammar of relations in YAML files as pydantic models; unknown keys are refused.

The `Attributes:` of each are what an editor shows of a key (`editor_schemas.py`); docs/ says the same at more length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sqlml.parse.value_types import (
    Column,
    Columns,
    Identifier,
    Levels,
    Options,
    Tags,
    describe,
    refuse,
)

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Spec(BaseModel):
    """The base of all: nothing is converted silently, nothing unknown is ignored."""

    # Most projects need half of the specs, and building a validator takes milliseconds.
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


class ColumnSpec(Spec):
    """Something with a `column`, whose name alone may stand for it."""

    @model_validator(mode="before")
    @classmethod
    def _read_column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say what `_read_column` takes."""
        return {"anyOf": [{"type": "string"}, handler(core)]}


class KnownSpec(Spec):
    """`known: after` (`at` is None) or `known: {at: COLUMN}`.

    Attributes:
        at: A timestamp column of the same relation: from then on the value is known. Where it is null, never.
    """

    at: Column | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_after(cls, value: Any) -> Any:
        if value == "after":
            return {}
        if isinstance(value, dict) and (value.get("at") is not None or set(value) - {"at"}):
            return value
        raise refuse(
            f"must be 'after' or {{at: COLUMN}}, not {describe(value)}", "write known: after, or known: {at: arr_ts}"
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say what `_read_after` takes."""
        return {"anyOf": [{"const": "after"}, {**handler(core), "required": ["at"]}]}


class ColumnEntry(Spec):
    """A column of a source, seed or SQL model; its data tests are read apart.

    Attributes:
        name: The column.
        data_type: Its Spark type, such as bigint, decimal(10,2) or array<string>.
        description: What it holds.
        known: When the value is known: after (after the row's event time) or {at: COLUMN}. Without it, always.
        data_tests: Checks of the column: not_null, unique, accepted_values, relationships.
        tests: dbt's older word for data_tests.
    """

    name: Column
    data_type: str | None = None
    description: str = ""
    known: KnownSpec | None = None
    data_tests: list[Any] = Field(default_factory=list)
    tests: list[Any] = Field(default_factory=list)


class SourceSpec(Spec):
    """A source: data that others write. Its tables are read apart.

    Attributes:
        name: First argument of source().
        description: What it holds.
        tags: Names to select it by; its tables have them too.
        enabled: false: it is not there.
    """

    name: Identifier
    description: str = ""
    tags: Tags = Field(default_factory=list)
    enabled: bool = True


class SourceTableSpec(Spec):
    """A table of a source.

    Attributes:
        name: Second argument of source().
        path: A file or a folder, absolute or relative to the project; not in a seed path.
        format: The format of its files; by their ending unless it is said.
        options: Options of Spark's reader.
        keys: The columns that name a row.
        columns: Its columns, with types, descriptions, data tests and when they are known.
        description: What it holds.
        tags: Names to select it by.
        enabled: false: it is not there.
    """

    name: Identifier
    path: str
    format: Literal["parquet", "csv", "json", "orc"] | None = None
    options: Options = Field(default_factory=dict)
    keys: Columns = Field(default_factory=list)
    columns: list[ColumnEntry] = Field(default_factory=list)
    description: str = ""
    tags: Tags = Field(default_factory=list)
    enabled: bool = True


class ContractSpec(Spec):
    """`contract:`.

    Attributes:
        enforced: Whether it must be kept; a build that would break it fails.
    """

    enforced: bool = False


class SqlModelConfig(Spec):
    """`config:` of a SQL model.

    Attributes:
        materialized: table: written at each build; view and ephemeral: SQL that its readers run.
        tags: Names to select it by; they add up.
        enabled: false: it is not there.
        diagnostics: Code of a diagnostic to error, warn, note or ignore.
        contract: With {enforced: true} the SQL returns the declared columns with their data_type, and no other.
    """

    materialized: Literal["table", "view", "ephemeral"] | None = None
    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None
    diagnostics: Levels = Field(default_factory=dict)
    contract: ContractSpec | None = None


class SqlModelSpec(Spec):
    """What is said of a SQL model, a .sql file of this name.

    Attributes:
        name: The SQL file's name without its ending.
        description: What one row of it is.
        config: Its settings; they win over those of its folders.
        columns: Its columns, with descriptions, data tests and when they are known.
    """

    name: str
    description: str = ""
    config: SqlModelConfig = Field(default_factory=SqlModelConfig)
    columns: list[ColumnEntry] = Field(default_factory=list)


class SeedConfig(Spec):
    """`config:` of a seed.

    Attributes:
        tags: Names to select it by; they add up.
        enabled: false: it is not there.
    """

    tags: Tags = Field(default_factory=list)
    enabled: bool | None = None


class SeedSpec(Spec):
    """What is said of a seed, a data file of this name.

    Attributes:
        name: The data file's name without its ending.
        description: What one row of it is.
        config: Its settings; they win over those of its folders.
        options: Options of Spark's reader.
        columns: Its columns, with types, descriptions and data tests.
    """

    name: str
    description: str = ""
    config: SeedConfig = Field(default_factory=SeedConfig)
    options: Options = Field(default_factory=dict)
    columns: list[ColumnEntry] = Field(default_factory=list)
