"""What is inferred from csv, json, ORC and partitioned files is what Spark infers, wherever a type is claimed."""

from __future__ import annotations

import csv
import itertools
import json
import random

import pyarrow as pa
import pytest
from pyarrow import orc

from sqlml.compile.data_files import read_file_columns
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.project import Source
from sqlml.run.tables import read_files

pytestmark = pytest.mark.spark

PLACES = Places(SourceLocation("sources.yml", 1))

# What people write into csv files, and what is almost a number or a time.
VALUES = [
    *("", "0", "7", "-5", "+1", "007", "-0", "2147483647", "2147483648", "-2147483649", "9223372036854775807"),
    *(
        "9223372036854775808",
        "99999999999999999999",
        "1.5",
        "-0.25",
        ".5",
        "1.",
        "1.0",
        "1e3",
        "1E-3",
        "2.5e-05",
        "1e0",
    ),
    *("1e-0", "1.5e1", "1d", "2f", "1L", "0x10", "0x1p3", "NaN", "nan", "Inf", "-Inf", "inf", "Infinity", "-Infinity"),
    *("+Infinity", "true", "False", "TRUE", " true", "yes", "2013-01-01", "2013-02-30", "2013-1-1", "0001-01-01"),
    *("2013-01", "2013", "2013-01-01 10:00:00", "2013-01-01T10:00", "2013-01-01 10:00:00.123456", "10:00", "T10:00"),
    *("t10:00", "2013-01-01T10:00:00Z", "2013-01-01 10:00:00+01:00", "2013-01-01 10:00:00 UTC", "2013-01-01 25:00:00"),
    *("2013-01-01 24:00:00", "2013-01-01T", "2013-01-01 ", "10:00:00", "12:30 PM", "01/02/2013", "20130101", "abc"),
    *(
        "N123AA",
        "n1",
        "T1",
        "t",
        "T",
        "I",
        "i1",
        "a b",
        "é✓",
        "２",
        "x２",
        "#1",
        "$5",
        "(1)",
        "-",
        "--",
        "+",
        ".",
        "-a",
    ),
    *(" 1", "1 ", " a", "12 Main St", "12A", "5G", "1_000", "1,5", "10%", "3km", "1e", "e1", "E", "d", "f", "0b1"),
    *('say "hi"', "it's", "NULL", "null", "NA", "\\N", "epoch", "now", "today", "Z", "UTC", "1970", "12:00:00+01:00"),
    *("2013-W01-1", "2013-001", "+2013-01-01", "P1D", "1 day", "٣", "½", "1\u00a0", "\u00a01", "_1", "1;2", "A-1:2"),
]


def claimed(path, file_format, options=None):
    found = read_file_columns(path, file_format, options or {})
    return None if found is None else {name: None if kind is None else str(kind) for name, kind in found}


def read(spark, tmp_path, path, file_format, options=None):
    source = Source("raw", "t", str(path.relative_to(tmp_path)), file_format, PLACES, options or {})
    return {field.name: field.dataType.simpleString() for field in read_files(spark, source, tmp_path).schema}


def check(found, spark):
    """Compare what is claimed with what Spark says, and return the share that is known."""
    assert list(found) == list(spark)
    assert {name: kind for name, kind in found.items() if kind not in (None, spark[name])} == {}
    return sum(kind is not None for kind in found.values()) / len(found)


def write_csv(file, columns, **options):
    rows = itertools.zip_longest(*columns, fillvalue="")
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, **options)
        writer.writerow([f"c{at}" for at in range(len(columns))])
        writer.writerows(rows)


def test_csv_values(spark, tmp_path):
    # Each alone, each between two nulls, each pair in both orders, and random columns.
    pairs = random.Random(7).sample(list(itertools.permutations(VALUES, 2)), 1200)
    drawn = random.Random(8)
    mixes = [[drawn.choice(VALUES) for _ in range(drawn.randint(3, 6))] for _ in range(400)]
    columns = [*[[value] for value in VALUES], *[["", value, ""] for value in VALUES], *map(list, pairs), *mixes]
    write_csv(tmp_path / "t.csv", columns)
    share = check(claimed(tmp_path / "t.csv", "csv"), read(spark, tmp_path, tmp_path / "t.csv", "csv"))
    assert share > 0.5


def test_csv_options(spark, tmp_path):
    columns = [["1", "NA"], ["NA", "NA"], ["x", "1"], ["2013-01-01", ""], ["a,b", 'q"']]
    for number, (options, header) in enumerate(
        [
            ({"sep": "|", "nullValue": "NA"}, True),
            ({"delimiter": "\\t", "header": "true"}, True),
            ({"header": "false"}, False),
            ({"quote": "'"}, True),
            ({"nullValue": "1"}, True),
            ({"dateFormat": "yyyy"}, True),
            ({"ignoreLeadingWhiteSpace": "true"}, True),
        ]
    ):
        file = tmp_path / f"t{number}.csv"
        separator = options.get("sep", options.get("delimiter", ",")).replace("\\t", "\t")
        write_csv(file, columns, delimiter=separator, quotechar=options.get("quote", '"'))
        if not header:
            file.write_text(file.read_text().partition("\n")[2])
        check(claimed(file, "csv", options), read(spark, tmp_path, file, "csv", options))


def test_odd_csv_files(spark, tmp_path):
    texts = {
        "line_ends": "a,b\r\n1,x\r2,y\n\n  \n3,z",
        "byte_order_mark": "\ufeffa,b\n1,x\n",
        "quoted": 'a,"b ""c"""\n"1","x, y"\n"2",""\n',
        "quote_inside": 'a,b\n1,x"y\n',
        "open_quote": 'a,b\n1,"x\ny"\n',
        "spaces": "a , b\n1 , x\n",
        "header_only": "a,b\n",
        "header_again": "a,b\n1,2\na,b\n",
    }
    for name, text in texts.items():
        file = tmp_path / f"{name}.csv"
        file.write_bytes(text.encode())
        check(claimed(file, "csv"), read(spark, tmp_path, file, "csv"))


def test_folders(spark, tmp_path):
    folder = tmp_path / "t"
    for year, place, code in (("2013", "JFK", "1"), ("2014", "New York", "x2"), ("2015", "true", "2013-01-01")):
        part = folder / f"year={year}" / f"place={place}" / f"code={code}"
        part.mkdir(parents=True)
        (part / "part.csv").write_text("a,b\n1,x\n")
    (folder / "_SUCCESS").write_text("")
    found = claimed(folder, "csv")
    check(found, read(spark, tmp_path, folder, "csv"))
    assert found == {"a": "int", "b": "string", "year": "int", "place": "string", "code": None}


def test_large_csv(spark, tmp_path):
    # Of what follows, only that a column of strings stays one is known.
    rows = "".join(f"{at},word {at},{at}.5\n" for at in range(200_000))
    (tmp_path / "t.csv").write_text("a,b,c\n" + rows)
    found = claimed(tmp_path / "t.csv", "csv")
    assert found == {"a": None, "b": "string", "c": None}
    check(found, read(spark, tmp_path, tmp_path / "t.csv", "csv"))


JSON_VALUES = [
    *(
        None,
        "",
        "x",
        "1",
        "2013-01-01T00:00:00Z",
        True,
        1,
        -(2**63),
        2**63,
        10**30,
        1.5,
        1e400,
        0.1,
        [],
        [[]],
        [1, 2.5],
    ),
    *(
        ["a", 1],
        [None],
        [{}],
        [{"a": 1}, {"b": None}],
        {},
        {"a": {}},
        {"z": 1, "a": "x"},
        {"a": [1], "": 2},
        {"é": None},
    ),
    *([1, 2**70], {"n": 2**70}, [True, 1], [[1], ["a"]], {"a": 1.5}),
]


def test_json_values(spark, tmp_path):
    drawn = random.Random(9)
    pairs = list(itertools.combinations_with_replacement(JSON_VALUES, 2))
    mixes = [[drawn.choice(JSON_VALUES) for _ in range(3)] for _ in range(600)]
    columns = {f"c{at}": column for at, column in enumerate([*map(list, pairs), *mixes])}
    rows = [{name: column[at] for name, column in columns.items() if at < len(column)} for at in range(3)]
    file = tmp_path / "t.json"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    assert check(claimed(file, "json"), read(spark, tmp_path, file, "json")) > 0.7
    file.write_text(json.dumps(rows, indent=1))
    options = {"multiLine": "true"}
    assert check(claimed(file, "json", options), read(spark, tmp_path, file, "json", options)) > 0.7


def test_odd_json_files(spark, tmp_path):
    texts = [
        "{'a': 1}\n",
        '{"a": 1} {"b": 2}\n',
        '[{"b": 1}, {"a": 2}]\n{"c": NaN}\n',
        '{"a": 1}\r{"b": 1}\n',
        "null\n",
    ]
    for number, text in enumerate(texts):
        file = tmp_path / f"t{number}.json"
        file.write_text(text)
        if (found := claimed(file, "json")) is not None:
            check(found, read(spark, tmp_path, file, "json"))


def test_orc(spark, tmp_path):
    schema = pa.schema(
        [
            ("i8", pa.int8()), ("i16", pa.int16()), ("i32", pa.int32()), ("i64", pa.int64()), ("f", pa.float32()),
            ("d", pa.float64()), ("b", pa.bool_()), ("s", pa.string()), ("y", pa.binary()), ("n", pa.decimal128(9, 2)),
            ("day", pa.date32()), ("ts", pa.timestamp("ns")), ("tz", pa.timestamp("ns", "UTC")),
            ("xs", pa.list_(pa.int32())), ("m", pa.map_(pa.string(), pa.timestamp("ns"))),
            ("row", pa.struct([("a", pa.int64()), ("B", pa.string())])),
        ]
    )  # fmt: skip
    orc.write_table(schema.empty_table(), tmp_path / "t.orc")
    found = claimed(tmp_path / "t.orc", "orc")
    check(found, read(spark, tmp_path, tmp_path / "t.orc", "orc"))
    assert [name for name, kind in found.items() if kind is None] == ["tz"]
    query = """select 1 as i, 2L as l, 'x' as s, 1.5d as d, timestamp'2020-01-01' as t, timestamp_ntz'2020-01-01' as n,
        interval 1 day as day, interval 1 month as month, array(interval 1 day) as days"""
    spark.sql(query).write.orc(str(tmp_path / "spark"))
    found = claimed(tmp_path / "spark", "orc")
    check(found, read(spark, tmp_path, tmp_path / "spark", "orc"))
    assert [name for name, kind in found.items() if kind is not None] == ["s", "d"]
