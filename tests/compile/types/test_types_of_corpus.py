"""Types against what Spark said of the same queries: nothing wrong, nearly all known. No JVM.

`held_out` was written before the typer and `fresh` after it, and neither is tuned on. `tune`, the feature queries and
`written` are: CTEs that read themselves and pipelines were mended for it. The function examples are Spark's own;
`combinations` are operators and functions over columns of every type, drawn at random, as far as Spark takes them. A
wrong type is a failure, an unknown one is a miss.
"""

import pytest
from corpus_score import TABLES, Score, read_rows

# The least share of columns whose type is known.
KNOWN = {
    "types_held_out_4.3.json": 0.97,
    "types_fresh_4.3.json": 0.99,
    "types_written_4.3.json": 0.97,
    "types_tune_4.3.json": 0.96,
    "types_features_4.3.json": 0.97,
    "types_combinations_4.3.json": 0.95,
    "function_examples_4.3.json": 0.85,
}


@pytest.mark.parametrize("name", KNOWN)
def test_types_are_spark_types(name, report):
    score = Score()
    for row in read_rows(name):
        score.add(row["sql"], row["columns"], TABLES.get)
    report(name.partition("_4")[0].removeprefix("types_").replace("_", " "), score)
    assert score.wrong == []
    assert score.known_share >= KNOWN[name]


def test_corpus_is_large_enough():
    rows = {
        row["sql"]
        for name in KNOWN
        if name.split("_")[1] in ("held", "fresh", "written", "tune", "features")
        for row in read_rows(name)
    }
    assert len(rows) >= 570
