"""Asks Spark what the checks must know, and what it says of the corpora: run it with a new Spark.

    python tests/compile/checks/regenerate.py [table] [arguments] [misspelt]

All is analysed only, over empty typed views; no job runs. The arguments take long: they may be stopped
at any time, and what was found so far is kept.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks_corpus import MISSPELT, TABLES, misspelt, parse, rows_of
from py4j import java_gateway
from py4j.protocol import Py4JError, Py4JJavaError, get_return_value
from sqlglot import exp

import sqlml.compile.checks
from sqlml.errors import SqlmlError
from sqlml.run.session import SessionSettings, close, open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
TABLE = Path(sqlml.compile.checks.__file__).with_name("spark_table.json")

# Each kind of type by one of its types; those of containers are only what no operator tells apart.
KINDS = {
    **{
        name: name
        for name in [
            "tinyint",
            "smallint",
            "int",
            "bigint",
            "float",
            "double",
            "string",
            "boolean",
            "date",
            "timestamp",
        ]
    },
    **{name: name for name in ("timestamp_ntz", "binary", "interval", "variant", "void")},
    "decimal": "decimal(10,2)",
    "interval year to month": "interval year to month",
    "interval day to second": "interval day to second",
    "array": "array<int>",
    "map": "map<string,int>",
    "struct": "struct<a:int>",
}
OPERATORS = {
    "add": "{a} + {b}",
    "sub": "{a} - {b}",
    "mul": "{a} * {b}",
    "div": "{a} / {b}",
    "mod": "{a} % {b}",
    "intdiv": "{a} div {b}",
    "bitwiseand": "{a} & {b}",
    "and": "{a} and {b}",
    "eq": "{a} = {b}",
    "coalesce": "coalesce({a}, {b})",
    "greatest": "greatest({a}, {b})",
    "concat": "{a} || {b}",
}
COUNTS = (*range(9), 20)

# What an argument is tried with: a kind of type by its types. It refuses a kind if it refuses all of them.
ARGUMENTS = {
    **{name: (name,) for name in ("int", "bigint", "double", "string", "boolean", "date", "timestamp", "binary")},
    **{name: (name,) for name in ("timestamp_ntz", "variant", "interval day to second", "interval year to month")},
    "decimal": ("decimal(10,2)", "decimal(38,0)"),
    "array": ("array<int>", "array<string>", "array<double>", "array<float>", "array<binary>", "array<array<int>>",
              "array<struct<k:string,n:int>>"),
    "map": ("map<string,int>", "map<string,string>", "map<int,double>"),
    "struct": ("struct<a:int>", "struct<a:string,b:double>", "struct<start:timestamp,end:timestamp>"),
}  # fmt: skip
# As one whole number or fraction is refused, so are these.
ALIKE = {"int": ("tinyint", "smallint"), "double": ("float",)}
# Made by other functions, and seldom written by hand.
SELDOM = ("approx_top_k_", "aes_", "bitmap_", "hll_", "kll_", "st_", "theta_", "tuple_", "try_aes", "xpath", "vector_")
UNEXPECTED = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"
PLACES = ("first", "second", "third")


def refusal_of(session: SparkSession, sql: str) -> tuple[str, str]:
    """Return Spark's condition for refusing `sql`, empty if it does not, and the argument that it means, if any."""
    try:
        session._jsparkSession.sql(sql)
    except Py4JJavaError as error:
        thrown = error.java_exception
        try:
            return str(thrown.getCondition()), str(thrown.getMessageParameters().get("paramIndex"))
        except Py4JError:
            return str(thrown.getClass().getSimpleName()), ""
    return "", ""


def condition_of(session: SparkSession, sql: str) -> str:
    """Return Spark's condition for refusing `sql`; empty: it does not."""
    return refusal_of(session, sql)[0]


def kinds_of_functions(session: SparkSession) -> dict[str, str]:
    """Return what each built-in function is."""
    jvm = session._jvm
    analysis = jvm.org.apache.spark.sql.catalyst.analysis
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    aggregate = loader.loadClass("org.apache.spark.sql.catalyst.expressions.aggregate.AggregateFunction")
    found: dict[str, str] = {}
    for registry, is_table in ((analysis.FunctionRegistry, False), (analysis.TableFunctionRegistry, True)):
        names = registry.functionSet().iterator()
        while names.hasNext():
            identifier = names.next()
            info = registry.builtin().lookupFunction(identifier).get()
            group = str(info.getGroup())
            kind = {"agg_funcs": "aggregate", "window_funcs": "window", "generator_funcs": "generator"}.get(
                group, "scalar"
            )
            if kind == "scalar" and aggregate.isAssignableFrom(loader.loadClass(info.getClassName())):
                kind = "aggregate"
            found.setdefault(identifier.funcName(), "table" if is_table else kind)
    return found


def write_table(session: SparkSession) -> None:
    """Write the functions and operators that Spark has."""
    functions = {}
    for name, kind in sorted(kinds_of_functions(session).items()):
        call = f"select * from {name}({{}})" if kind == "table" else f"select `{name}`({{}})"
        said = {count: condition_of(session, call.format(", ".join(["null"] * count))) for count in COUNTS}
        wrong = ("WRONG_NUM_ARGS", "REQUIRED_PARAMETER_NOT_FOUND")
        counts = [count for count in COUNTS if not any(word in said[count] for word in wrong)]
        functions[name] = [kind, [count for count in counts if count < 20], 20 in counts]
    columns = ", ".join(f"cast(null as {given}) as `{kind}`" for kind, given in KINDS.items())
    session.sql(f"select {columns} where false").createOrReplaceTempView("kinds")
    operators = {}
    for name, text in OPERATORS.items():
        operators[name] = {
            left: ",".join(
                right
                for right in KINDS
                if not condition_of(session, f"select {text.format(a=f'`{left}`', b=f'`{right}`')} from kinds")
            )
            for left in KINDS
        }
    old = json.loads(TABLE.read_text(encoding="utf-8"))
    save(
        {
            "version": version(session),
            "functions": functions,
            "operators": operators,
            "arguments": old.get("arguments", {}),
        }
    )


def save(table: dict[str, Any]) -> None:
    """Write the table, one entry a line."""
    lines = [f'"version": {json.dumps(table["version"])}']
    for key in ("functions", "operators", "arguments"):
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in table[key].items())
        lines.append(f'"{key}": {{\n{rows}\n}}')
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def refused_kinds(session: SparkSession, name: str, count: int, at: int) -> list[str]:
    """Return the kinds of types that the argument at index `at` of a call of `count` arguments refuses."""

    def is_refused(given: str, *, is_alone: bool) -> bool:
        arguments = ["null" if is_alone and other != at else f"`{given}`" for other in range(count)]
        condition, place = refusal_of(session, f"select `{name}`({', '.join(arguments)}) from arguments")
        if not is_alone:
            return condition.startswith("DATATYPE_MISMATCH")
        # Of anything else that is wrong this argument is not the reason.
        return condition == UNEXPECTED and place == PLACES[at]

    found: list[str] = []
    for kind, types in ARGUMENTS.items():
        if all(is_refused(given, is_alone=True) for given in types) and is_refused(types[0], is_alone=False):
            found += [kind, *ALIKE.get(kind, ())]
    return found


def write_arguments(session: SparkSession) -> None:
    """Add to the table the kinds of types that functions refuse, argument by argument."""
    types = [given for kinds in ARGUMENTS.values() for given in kinds]
    columns = ", ".join(f"cast(null as {given}) as `{given}`" for given in types)
    session.sql(f"select {columns} where false").createOrReplaceTempView("arguments")
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = table["arguments"] if table["version"] == version(session) else {}
    written = "".join(file.read_text(encoding="utf-8") for file in HERE.parent.glob("**/*.sql"))
    for name in sorted(table["functions"], key=lambda name: -written.count(f"{name}(")):
        kind, counts, is_open = table["functions"][name]
        count = min(max(counts, default=0), 2 if is_open else 3)
        is_written = name.isidentifier() and not name.startswith(SELDOM)
        if name in found or kind in ("table", "window") or not is_written or count not in counts:
            continue
        refused = [",".join(refused_kinds(session, name, count, at)) for at in range(count)]
        if any(refused):
            found[name] = refused
            # It takes long, and what is known so far is of use.
            save({**table, "arguments": dict(sorted(found.items()))})


def misspellings() -> list[tuple[str, int, int, str]]:
    """Return each column reference of the clean queries with one letter changed: file, query, offset, new word."""
    found = []
    for name in MISSPELT:
        for number, row in enumerate(rows_of(name)):
            try:
                tree = parse(row["sql"]).tree
            except SqlmlError:
                continue
            parts = {part.meta["start"]: part for column in tree.find_all(exp.Column) for part in column.parts
                     if isinstance(part, exp.Identifier) and "start" in part.meta}  # fmt: skip
            for start, part in parts.items():
                word = row["sql"][start : part.meta["end"] + 1]
                if word.isidentifier() and len(word) > 1:
                    middle = len(word) // 2
                    letter = "z" if word[middle].lower() == "q" else "q"
                    found.append((name, number, start, word[:middle] + letter + word[middle + 1 :]))
    return found


def write_misspelt(session: SparkSession) -> None:
    """Write the misspellings that Spark refuses."""
    for name, columns in TABLES.items():
        parts = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in columns.items())
        session.sql(f"select {parts} where false").createOrReplaceTempView(name)
    kept = [entry for entry in misspellings() if condition_of(session, misspelt(*entry))]
    lines = ",\n".join(json.dumps(entry) for entry in kept)
    (DATA / f"misspelt_{version(session)}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def version(session: SparkSession) -> str:
    """Return the minor version, as in `4.3`."""
    return ".".join(session.version.split(".")[:2])


def main(wanted: list[str]) -> None:
    """Write what is wanted, or all."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(SessionSettings(Path(folder), cores=1, memory="1g"))
        # PySpark's own asks the JVM ten times what kind of exception each refusal is.
        java_gateway.get_return_value = get_return_value
        try:
            if not wanted or "table" in wanted:
                write_table(session)
            if not wanted or "arguments" in wanted:
                write_arguments(session)
            if not wanted or "misspelt" in wanted:
                write_misspelt(session)
        finally:
            close(session)


if __name__ == "__main__":
    main(sys.argv[1:])
