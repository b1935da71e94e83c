"""What a fitted model reads, refuses and returns."""

from __future__ import annotations

import json

import pytest

from sqlml.errors import DataError, format_error
from sqlml.ir.project import Split
from sqlml.ir.signatures import fits
from sqlml.ir.state import Column, Signature
from sqlml.run.ml.artifact import read_signature
from sqlml.run.ml.dispatch import load_parts
from sqlml.run.ml.fit import fit_ml_model
from sqlml.run.ml.score import check_inputs, score

SIGNATURE = Signature(
    ml_model="m",
    estimator="GBTClassifier",
    features=(Column("x", "double"), Column("n", "bigint"), Column("colour", "string")),
    slots=(),
    outputs=(),
)


def test_missing_and_wrongly_typed_features_are_all_named():
    with pytest.raises(DataError) as caught:
        check_inputs([Column("X", "string"), Column("color", "string")], SIGNATURE)
    assert format_error(caught.value) == (
        "error: the input of 'm' lacks 'n' (bigint), 'colour' (string) and has 'X' as string where it needs double\n"
        "  fix: it has: X, color".replace("it has", "the input has")
    )


def test_columns_are_found_without_case():
    columns = [
        Column("COLOUR", "varchar(10)"),
        Column("N", "int"),
        Column("X", "decimal(5,1)"),
        Column("extra", "date"),
    ]
    assert [column.name for column in check_inputs(columns, SIGNATURE)] == ["X", "N", "COLOUR"]


@pytest.mark.parametrize(
    ("given", "needed", "is_fit"),
    [
        ("int", "bigint", True),
        ("bigint", "int", True),
        ("int", "double", True),
        ("double", "float", True),
        ("decimal(10,2)", "double", True),
        ("void", "double", True),
        ("decimal(5,1)", "decimal(10,2)", True),
        ("decimal(10,2)", "decimal(5,1)", False),
        ("int", "decimal(10,0)", True),
        ("int", "decimal(10,2)", False),
        ("double", "int", False),
        ("string", "double", False),
        ("int", "string", False),
        ("boolean", "int", False),
        ("timestamp", "double", False),
        ("array<int>", "array<double>", True),
        ("array<string>", "array<double>", False),
    ],
)
def test_which_types_stand_for_which(given, needed, is_fit):
    assert fits(given, needed) is is_fit


@pytest.fixture(scope="module")
def fitted(spark, rows, tmp_path_factory):
    """A forest of two classes saved in an odd folder, its signature and its folder."""
    from sqlml.ir.location import Places, SourceLocation
    from sqlml.ir.project import MlModel

    ml_model = MlModel(
        name="m",
        path="m.yml",
        places=Places(SourceLocation("m.yml", 1)),
        training_data="",
        estimator="RandomForestClassifier",
        params={"numTrees": 3, "maxDepth": 3},
        label="late",
        keys=("id",),
        include=("x", "n", "flag", "colour"),
        split=Split(by="none"),
    )
    folder = tmp_path_factory.mktemp("odd") / "a b, [c] {d}é%20" / "1"
    result = fit_ml_model(spark, ml_model, rows, folder)
    assert read_signature(folder) == result.signature
    return load_parts(spark, folder)[0].pipeline, result.signature, folder


def test_every_row_and_column_comes_through(spark, rows, fitted):
    pipeline, signature, _ = fitted
    given = spark.sql(
        "select *, n as prediction, x as probabilities, 1 as features, 2 as `a.b`, 3 as __sqlml_0_x, 4 as `odd ``name` "
        "from {rows} union all select null, null, null, null, 'unseen', null, null, null, null, null, 1, 1, 1, 1, 1, 1",
        rows=rows,
    )
    scored = score(pipeline, signature, given)
    assert scored.columns == [*given.columns, "predicted_late", "probability"]
    assert scored.drop("predicted_late", "probability").collect() == given.collect()
    last = scored.collect()[-1]
    assert isinstance(last.predicted_late, bool)
    assert 0 < last.probability < 1
    assert all(row.predicted_late == (row.probability > 0.5) for row in scored.collect() if row.probability != 0.5)


def test_narrower_types_and_other_cases_score_alike(spark, rows, fitted):
    pipeline, signature, _ = fitted
    given = rows.selectExpr(
        "id", "X as X", "cast(n as bigint) as N", "flag as FLAG", "cast(colour as varchar(20)) as colour"
    )
    plain = score(pipeline, signature, rows).select("id", "probability").collect()
    assert score(pipeline, signature, given).select("id", "probability").collect() == plain
    empty = rows.where("false").drop("late")
    assert score(pipeline, signature, empty).count() == 0


def test_a_name_that_the_input_has_is_an_error(rows, fitted):
    pipeline, signature, _ = fitted
    given = rows.withColumnRenamed("grade", "Probability")
    with pytest.raises(DataError) as caught:
        score(pipeline, signature, given)
    assert "already has 'probability'" in caught.value.what
    assert "output_prefix:" in str(caught.value.fix)
    assert score(pipeline, signature, given, "p_").columns[-2:] == ["p_predicted_late", "p_probability"]


def test_outputs_have_the_types_that_the_signature_says(rows, fitted):
    from sqlml.run.tables import columns_of

    pipeline, signature, _ = fitted
    added = columns_of(score(pipeline, signature, rows).schema)[-2:]
    assert [(column.name, column.type) for column in added] == [(c.name, c.type) for c in signature.outputs]


def test_another_setting_is_an_error(spark, fitted):
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        with pytest.raises(DataError) as caught:
            load_parts(spark, fitted[2])
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert "was fitted with 'spark.sql.session.timeZone' UTC, and this session has Asia/Tokyo" in caught.value.what
    assert caught.value.fix


def test_changed_files_are_an_error(spark, fitted):
    folder = fitted[2]
    file = next(folder.rglob("metadata/part-*"))
    before = file.read_bytes()
    file.write_bytes(before + b" ")
    try:
        with pytest.raises(DataError, match="was changed after it was saved: metadata/part-"):
            load_parts(spark, folder)
    finally:
        file.write_bytes(before)
    with pytest.raises(DataError, match="no readable fitted model"):
        load_parts(spark, folder / "none")


def test_what_another_version_of_sqlml_saved_is_to_be_fitted_again(tmp_path):
    document = {"format": 1, "signature": {"ml_model": "m", "features": [], "inputs": [], "outputs": [], "slots": []}}
    for changed in (document, document | {"format": 0}):
        (tmp_path / "signature.json").write_text(json.dumps(changed))
        with pytest.raises(DataError) as caught:
            read_signature(tmp_path)
        assert format_error(caught.value) == (
            f"error: the fitted model in '{tmp_path}' was saved by another version of sqlml\n"
            "  fix: fit it again: sqlml build --retrain NAME"
        )
