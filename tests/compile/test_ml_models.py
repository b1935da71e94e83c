"""ML models and predictions against the columns and params that exist."""

from dataclasses import replace

import pytest

from sqlml.compile.params import check_params
from sqlml.errors import format_error
from sqlml.ir.estimators import ESTIMATORS
from sqlml.ir.location import Places, SourceLocation
from sqlml.ir.outputs import as_returned_by

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
        ("keys: [id]", "params: {maxIter: 5.5}", "models/ml.yml:7|'maxIter' takes a whole number of 0 or more"),
        ("keys: [id]", "params: {maxIter: true}", "'maxIter' takes a whole number of 0 or more, not true"),
        ("keys: [id]", "params: {maxIter: -1}", "models/ml.yml:7|'maxIter' takes a whole number of 0 or more, not -1"),
        ("keys: [id]", "params: {maxIter: 99999999999}", "'maxIter' takes a whole number of 32 bits|is 2147483647"),
        ("keys: [id]", "params: {seed: 99999999999999999999}", "'seed' takes a whole number of 64 bits"),
        ("keys: [id]", "params: {maxDepth: 31}", "'maxDepth' takes a whole number from 0 to 30, not 31"),
        ("keys: [id]", "params: {maxBins: 1}", "'maxBins' takes a whole number of 2 or more, not 1"),
        ("keys: [id]", "params: {subsamplingRate: 0}", "'subsamplingRate' takes a number above 0 and at most 1, not 0"),
        ("keys: [id]", "params: {minWeightFractionPerNode: 0.5}", "takes a number from 0 to less than 0.5, not 0.5"),
        ("keys: [id]", "params: {checkpointInterval: 0}", "takes a whole number of 1 or more, or -1, not 0"),
        ("keys: [id]", "params: {stepSize: abc}", "'stepSize' takes a number above 0 and at most 1, not 'abc'"),
        ("keys: [id]", "params: {impurity: 3}", "'impurity' cannot be 3|it is: variance"),
        ("keys: [id]", "params: {featureSubsetStrategy: autos}", "cannot be 'autos'|mean 'auto'|or a count"),
        ("keys: [id]", "params: {featureSubsetStrategy: 0.5}", "cannot be 0.5|in quotes"),
        ("keys: [id]", "params: {thresholds: 3}", "takes a list of numbers of 0 or more, at most one of them 0"),
        ("keys: [id]", "params: {thresholds: [0, 0]}", "at most one of them 0, not [0, 0]"),
        ("keys: [id]", "params: {thresholds: [1, 1, 1]}", "has 3 numbers, and 'GBTClassifier' knows 2 classes"),
        ("keys: [id]", "threshold: 0.5\n    params: {thresholds: [1, 1]}", "models/ml.yml:8|gives a threshold twice"),
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


@pytest.mark.parametrize(
    ("estimator", "params", "expected"),
    [
        ("GeneralizedLinearRegression", {"family": "gaussain"}, "cannot be 'gaussain'|mean 'gaussian'"),
        ("GeneralizedLinearRegression", {"family": "Poisson", "link": "logit"}, "no 'link: logit'|log, identity, sqrt"),
        ("GeneralizedLinearRegression", {"link": "logit"}, "'family: gaussian' has no 'link: logit'"),
        ("GeneralizedLinearRegression", {"family": "tweedie", "link": "logit"}, "'link' means nothing|linkPower: 0"),
        ("GeneralizedLinearRegression", {"family": "tweedie", "linkPower": 0}, None),
        ("GeneralizedLinearRegression", {"linkPower": 0}, "'linkPower' means nothing to 'family: gaussian'"),
        ("LinearRegression", {"epsilon": 1.5}, "'epsilon' means nothing without 'loss: huber'"),
        ("GeneralizedLinearRegression", {"variancePower": 0.5}, "takes a number of 1 or more, or 0, not 0.5"),
        ("LinearRegression", {"solver": "foo"}, "'solver' cannot be 'foo'|it is one of: auto, l-bfgs, normal"),
        ("LinearRegression", {"solver": "NORMAL"}, "'solver' cannot be 'NORMAL'|mean 'normal'"),
        ("LinearRegression", {"elasticNetParam": 2}, "takes a number from 0 to 1, not 2"),
        ("LinearRegression", {"loss": "huber", "elasticNetParam": 0.5}, "'loss: huber' takes no L1"),
        ("LogisticRegression", {"family": "MULTINOMIAL"}, None),
        ("LogisticRegression", {"threshold": 0.5, "thresholds": [0.2, 0.8]}, "say different things"),
        ("LogisticRegression", {"threshold": 0.8, "thresholds": [0.2, 0.8]}, None),
        ("LogisticRegression", {"thresholds": [1.0]}, "has 1 numbers"),
        ("MultilayerPerceptronClassifier", {"layers": [4]}, "a list of whole numbers above 0, 2 or more, not [4]"),
        ("Bucketizer", {"splits": [1, 3, 2]}, "a list of numbers, 3 or more, in increasing order"),
        ("Bucketizer", {"splitsArray": [[1, 3, 2]]}, "each of 3 or more in increasing order"),
        ("ALS", {"intermediateStorageLevel": "NONE"}, "cannot be 'NONE'"),
        ("ALS", {"coldStartStrategy": "NaN"}, None),
        ("LDA", {"optimizer": "em", "docConcentration": [0.5]}, "above 1 only"),
        ("MinMaxScaler", {"min": 1}, "param 'min' must be less than 'max', and 1 is not less than 1"),
        ("StopWordsRemover", {"locale": "english!"}, "takes text such as en_US, not 'english!'"),
        ("PrefixSpan", {"maxLocalProjDBSize": 3_000_000_000}, None),
        ("RegressionEvaluator", {"metricName": "rsme"}, "mean 'rmse'"),
    ],
)  # fmt: skip
def test_values_of_params(estimator, params, expected):
    found = list(check_params([estimator], params, Places(SourceLocation("models/ml.yml", 1)), "params"))
    if expected is None:
        assert found == []
    else:
        assert len(found) == 1
        for part in expected.split("|"):
            assert part in format_error(found[0])


def test_nothing_is_said_of_columns_that_are_not_known(workshop):
    features = "select * from parquet.`/tmp/x`"
    compiled = workshop.compile({**FILES, "models/features.sql": features})
    assert compiled.features["ml_model.late"] is None


BINARY = {"predicted_is_late": "boolean", "probability": "double"}


@pytest.mark.parametrize(
    ("estimator", "label", "more", "added"),
    [
        ("GBTClassifier", "delay > 1", "", BINARY),
        ("GBTClassifier", "delay > 1", "output_prefix: m_", {f"m_{name}": kind for name, kind in BINARY.items()}),
        # A boolean has two values; how many others have is known once they are fitted.
        ("LogisticRegression", "delay > 1", "", BINARY),
        ("LogisticRegression", "delay", "", None),
        ("LogisticRegression", "delay", "threshold: 0.4", {"predicted_is_late": "int", "probability": "double"}),
        ("LogisticRegression", "dest", "positive: JFK", {"predicted_is_late": "string", "probability": "double"}),
        ("LinearRegression", "delay", "", {"predicted_is_late": "double"}),
    ],
)
def test_columns_of_predictions(workshop, estimator, label, more, added):
    features = f"select id, carrier, miles, {label} as is_late, ts from {SOURCE}"
    files = {"models/features.sql": features, "models/s.sql": "select * from {{ predict('late', ref('features')) }}"}
    files["models/ml.yml"] = ML.replace("GBTClassifier", estimator) + f"    {more}\n"
    compiled = workshop.compile(files)
    found = compiled.columns["prediction.late.features"]
    assert compiled.columns["sql_model.s"] == found
    if added is None:
        assert found is None
        assert "prediction.late.features" not in compiled.types
    else:
        own = compiled.columns["sql_model.features"]
        assert found == (*own, *added)
        types = (*compiled.types["sql_model.features"], *added.values())
        assert compiled.types["prediction.late.features"] == compiled.types["sql_model.s"] == types


def test_columns_of_clusters(workshop):
    ml = "version: 2\nml_models:\n  - {name: late, training_data: ref('features'), estimator: KMeans, keys: [id, ts]}\n"
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
    assert "predict('late', …) does not fit 'today', which lacks 'miles' (int)\n  --> models/s.sql:2" in text
    assert "predict('late', …) adds the column 'probability', which 'today' has already" in text
    assert "set output_prefix: on ml model 'late'" in text


def test_the_signature_says_what_may_be_null(workshop):
    docs = "version: 2\nmodels:\n  - name: features\n    columns: [{name: MILES, data_tests: [not_null]}]\n"
    compiled = workshop.compile({**FILES, "models/docs.yml": docs})
    signature = compiled.signatures["ml_model.late"]
    assert [(column.name, column.is_nullable) for column in signature.features] == [("miles", False), ("carrier", True)]
    assert [(column.name, column.is_nullable) for column in signature.outputs] == [
        ("predicted_is_late", False),
        ("probability", False),
    ]
    foreign = replace(ESTIMATORS["GBTClassifier"], is_foreign=True)
    assert all(column.is_nullable for column in as_returned_by(foreign, signature.outputs))
    assert as_returned_by(ESTIMATORS["GBTClassifier"], signature.outputs) == signature.outputs
