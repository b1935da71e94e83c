"""ML models and predictions against the columns and params that exist."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "{{ source('raw', 'flights') }}"
ML = """version: 2
ml_models:
  - name: late
    training_data: ref('features')
    estimator: GBTClassifier
    label: is_late
    keys: [id]
    features: [miles, carrier]
"""
FILES = {
    "models/features.sql": f"select id, carrier, miles, delay > 1 as is_late, ts from {SOURCE}",
    "models/ml.yml": ML,
}


def test_the_table_of_params_is_that_of_the_installed_spark():
    spec = importlib.util.spec_from_file_location("make_spark_params", ROOT / "tools" / "make_spark_params.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads(module.TABLE.read_text()) == module.read_params()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("label: is_late", "label: is_lat", "models/ml.yml:6|'is_lat'|mean 'is_late'"),
        ("keys: [id]", "keys: [idd]", "models/ml.yml:7|'idd'|mean 'id'"),
        ("[miles, carrier]", "[mils, carrier]", "models/ml.yml:8|'mils'|mean 'miles'"),
        ("[miles, carrier]", "{exclude: [mils]}", "models/ml.yml:8|'mils'|mean 'miles'"),
        ("keys: [id]", "event_time: tss", "models/ml.yml:7|'tss'|mean 'ts'"),
        ("keys: [id]", "split: {by: hash, column: idd}", "models/ml.yml:7|'idd'|mean 'id'"),
        ("keys: [id]", "where: mils > 1", "models/ml.yml:7|'mils', which 'features' does not have|mean 'miles'"),
        ("keys: [id]", "where: miles >", "models/ml.yml:7|where: of ml model 'late' cannot be read"),
        ("keys: [id]", "where: miles > 1 group by id", "models/ml.yml:7|is not one condition"),
        ("keys: [id]", "params: {maxItr: 5}", "models/ml.yml:7|'GBTClassifier' has no param 'maxItr'|mean 'maxIter'"),
        ("keys: [id]", "params: {maxIter: 5.5}", "models/ml.yml:7|'maxIter' takes a whole number, not 5.5"),
        ("keys: [id]", "params: {maxIter: true}", "'maxIter' takes a whole number, not true"),
        ("keys: [id]", "params: {stepSize: abc}", "'stepSize' takes a number, not 'abc'"),
        ("keys: [id]", "params: {impurity: 3}", "'impurity' takes text, not 3"),
        ("keys: [id]", "params: {thresholds: 3}", "'thresholds' takes a list of numbers, not 3"),
        ("keys: [id]", "gates: [{metric: rmse, at_most: 1}]", "models/ml.yml:7|'rmse'"),
        ("keys: [id]", "transforms: [{columns: [mils], impute: mean}]", "models/ml.yml:7|'mils', which 'features'"),
        ("keys: [id]", "transforms: [{columns: [ts], impute: mean}]", "models/ml.yml:7|'ts', which is not a feature"),
        ("keys: [id]", "transforms: [{columns: [is_late], impute: mean}]", "models/ml.yml:7|'is_late'|label"),
        ("keys: [id]", "transforms: [{columns: [miles], impute: mean, params: {relativeErr: 1}}]",
         "'Imputer' has no param 'relativeErr'|mean 'relativeError'"),
    ],
)  # fmt: skip
def test_wrong_specs(workshop, old, new, expected):
    text = workshop.errors({**FILES, "models/ml.yml": ML.replace(old, new)})
    for part in expected.split("|"):
        assert part in text
    assert text.count("error:") == 1


def test_nothing_is_said_of_columns_that_are_not_known(workshop):
    features = "select * from parquet.`/tmp/x`"
    compiled = workshop.compile({**FILES, "models/features.sql": features})
    assert compiled.features["ml_model.late"] is None


@pytest.mark.parametrize(
    ("spec", "added"),
    [
        ("", ("predicted_is_late", "probability")),
        ("    output_prefix: m_\n", ("m_predicted_is_late", "m_probability")),
        # A boolean has two values.
        ("LogisticRegression", ("predicted_is_late", "probability")),
        ("LogisticRegression|    threshold: 0.4\n", ("predicted_is_late", "probability")),
        ("LinearRegression", ("predicted_is_late",)),
    ],
)
def test_columns_of_predictions(workshop, spec, added):
    estimator, _, more = spec.rpartition("|") if "|" in spec else ("" if spec[:1] in (" ", "") else spec, "", spec)
    more = more if more[:1] == " " else ""
    ml = ML.replace("GBTClassifier", estimator or "GBTClassifier") + more
    compiled = workshop.compile(
        {**FILES, "models/ml.yml": ml, "models/s.sql": "select * from {{ predict('late', ref('features')) }}"}
    )
    own = ("id", "carrier", "miles", "is_late", "ts")
    assert compiled.columns["prediction.late.features"] == (None if added is None else (*own, *added))
    assert compiled.columns["sql_model.s"] == compiled.columns["prediction.late.features"]


def test_columns_of_clusters(workshop):
    ml = "version: 2\nml_models:\n  - {name: late, training_data: ref('features'), estimator: KMeans, keys: [id]}\n"
    scores = "select cluster, distance, probability from {{ predict('late', ref('features')) }}"
    text = workshop.errors({**FILES, "models/ml.yml": ml, "models/s.sql": scores})
    assert text.count("error:") == 1
    assert "column 'probability', which 'late.features' does not have" in text


def test_predictions_that_do_not_fit(workshop):
    text = workshop.errors(
        {
            **FILES,
            "models/today.sql": f"select id, carrier, 1 as probability from {SOURCE}",
            "models/s.sql": "select id\nfrom {{ predict('late', ref('today')) }}",
        }
    )
    assert "predict('late', …) needs the feature 'miles', which 'today' does not have\n  --> models/s.sql:2" in text
    assert "predict('late', …) adds the column 'probability', which 'today' has already" in text
    assert "set output_prefix: on ml model 'late'" in text
