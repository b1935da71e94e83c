import pytest

from sqlml.errors import SqlmlError
from sqlml.ir.estimators import NOT_HERE
from sqlml.ir.location import SourceLocation
from sqlml.ir.measuring import Gate, ThresholdRule
from sqlml.ir.project import Retrain, Split
from sqlml.ir.transform_spec import TransformSpec

FULL = """\
version: 2
ml_models:
  - name: late_arrival
    description: Will it be late?
    training_data: ref('flight_features')
    where: "sched_dep_ts < timestamp '2013-12-25'"
    null_label: error
    estimator: GBTClassifier
    params: {maxIter: 20, stepSize: 1e-1}
    label: is_late
    positive: true
    threshold: "{{ var('threshold') }}"
    keys: flight_id
    event_time: sched_dep_ts
    weight: importance
    features: {include: ["*"], exclude: tail_number}
    transforms:
      - {columns: carrier, encode: index, max_categories: 100, unseen: other}
      - {columns: "*", impute: -1, scale: standard, params: {withMean: true}}
    split: {by: time, holdout_from: 2013-11-01, gap: 12h}
    gates:
      - {metric: areaUnderROC, at_least: 0.7}
      - {metric: logLoss, at_most: 1}
    promote: manual
    retrain: {when: spec_changed, at_most_every: 7d}
    output_prefix: late_
    tags: nightly
"""


def test_the_full_grammar(parse):
    (ml_model,) = parse({"models/ml.yml": FULL}, variables={"threshold": 0.4}).ml_models
    assert (ml_model.name, ml_model.path, ml_model.description) == ("late_arrival", "models/ml.yml", "Will it be late?")
    assert ml_model.training_data == "ref('flight_features')"
    assert (ml_model.null_label, ml_model.estimator, ml_model.params) == (
        "error",
        "GBTClassifier",
        {"maxIter": 20, "stepSize": 0.1},
    )
    assert (ml_model.label, ml_model.positive, ml_model.threshold) == ("is_late", True, 0.4)
    assert (ml_model.keys, ml_model.event_time, ml_model.weight) == (("flight_id",), "sched_dep_ts", "importance")
    assert (ml_model.include, ml_model.exclude) == ((), ("tail_number",))
    assert ml_model.transforms == (
        TransformSpec(
            ("carrier",), SourceLocation("models/ml.yml", 18, 9), encode="index", max_categories=100, unseen="other"
        ),
        TransformSpec(
            ("*",), SourceLocation("models/ml.yml", 19, 9), impute=-1, scale="standard", params={"withMean": True}
        ),
    )
    assert ml_model.split == Split(by="time", columns=("sched_dep_ts",), holdout_from="2013-11-01", gap_s=43_200)
    assert ml_model.gates == (
        Gate("areaUnderROC", SourceLocation("models/ml.yml", 22, 9), at_least=0.7),
        Gate("logLoss", SourceLocation("models/ml.yml", 23, 9), at_most=1),
    )
    assert (ml_model.promote, ml_model.retrain) == ("manual", Retrain("spec_changed", 604_800))
    assert (ml_model.output_prefix, ml_model.tags) == ("late_", ("nightly",))
    assert ml_model.places.of("params.stepSize") == SourceLocation("models/ml.yml", 9, 27)
    assert ml_model.places.whole == SourceLocation("models/ml.yml", 3, 5)


MEASURED = """
ml_models:
  - name: late
    training_data: ref('x')
    estimator: LogisticRegression
    label: y
    class_weights: {true: 2, false: 1}
    threshold: {cost: {false_positive: 1, false_negative: 5}}
    refit: all
    baseline: majority
    slices: [carrier, {name: winter, where: "month = 1"}]
    gates:
      - {metric: logLoss, better_than: baseline, by: 0.01, surely: true}
      - {metric: liftAtTop, at_least: 2, top: 0.05, slice: winter, dataset: training}
"""


def test_how_it_is_measured(parse):
    (ml_model,) = parse({"models/ml.yml": MEASURED}).ml_models
    assert ml_model.class_weights == {"true": 2.0, "false": 1.0}
    assert (ml_model.threshold, ml_model.threshold_rule) == (None, ThresholdRule(None, 1.0, 5.0))
    assert (ml_model.refit, ml_model.baseline) == ("all", "majority")
    column, winter = ml_model.slices
    assert (column.name, column.where, winter.name, winter.where) == ("carrier", None, "winter", "month = 1")
    assert (column.location.line, winter.location.line, winter.location.column) == (11, 11, 45)
    better, lift = ml_model.gates
    assert (better.better_than, better.by, better.is_sure) == ("baseline", 0.01, True)
    assert (lift.top, lift.slice, lift.dataset, lift.at_least) == (0.05, "winter", "training", 2.0)


def one(extra="", estimator="KMeans"):
    head = "ml_models:\n  - name: m\n    training_data: source('raw', 'x')\n"
    return {"models/ml.yml": f"{head}    estimator: {estimator}\n{extra}"}


def test_the_shortest_spec_has_the_designs_defaults(parse):
    (ml_model,) = parse(one()).ml_models
    assert (ml_model.null_label, ml_model.promote, ml_model.retrain, ml_model.split) == (
        "drop",
        "on_pass",
        Retrain(),
        Split(),
    )
    assert (ml_model.include, ml_model.keys, ml_model.transforms, ml_model.output_prefix) == ((), (), (), "")


@pytest.mark.parametrize(
    ("written", "split"),
    [
        ("{by: hash, column: [a, b], holdout: 0.3, seed: 7}", Split("hash", ("a", "b"), 0.3, seed=7)),
        ("{by: time, column: ts, gap: 30m}", Split("time", ("ts",), gap_s=1800)),
        ("{by: column, column: part, holdout_values: [test, 2], train_values: [train]}",
         Split("column", ("part",), holdout_values=("test", 2), train_values=("train",))),
        ("{by: none}", Split("none")),
        ("{holdout: 0.1, gap: 2w}", Split(holdout=0.1, gap_s=1_209_600)),
    ],
)  # fmt: skip
def test_splits(parse, written, split):
    assert parse(one(f"    split: {written}\n")).ml_models[0].split == split


def test_features_as_a_list(parse):
    assert parse(one("    features: [a, b]\n")).ml_models[0].include == ("a", "b")
    assert parse(one("    features: a\n")).ml_models[0].include == ("a",)
    with pytest.raises(SqlmlError) as failure:
        parse(one("    keys: [a]\n    features:\n      - b\n      - A\n"))
    assert failure.value.location == SourceLocation("models/ml.yml", 8, 9)


def test_a_gate_without_a_hold_out_is_of_the_training_rows(parse):
    text = "    split: {by: none}\n    gates: [{metric: silhouette, at_least: 0.2}]\n"
    assert parse(one(text)).ml_models[0].gates[0].metric == "silhouette"


def test_disabled_ml_models_are_dropped_and_not_judged(parse):
    assert parse(one("    enabled: false\n    label: x\n")).ml_models == ()


def test_a_time_split_takes_the_event_time(parse):
    (ml_model,) = parse(one("    event_time: ts\n    split: {by: time}\n")).ml_models
    assert ml_model.split.columns == ("ts",)


@pytest.mark.parametrize("name", sorted(NOT_HERE))
def test_estimators_of_spark_that_are_not_here(parse, name):
    with pytest.raises(SqlmlError) as failure:
        parse(one(estimator=name))
    assert failure.value.what == f"ml model 'm': estimator '{name}' cannot be used: {NOT_HERE[name]}"


WORDS = {
    "expr": ("abs({column})", "abs({column})"),
    "indicator": ("true", True),
    "clip": ("[0, null]", (0.0, None)),
    "binarize": ("0.5", 0.5),
    "bucket": ("[-.inf, 0, 10]", (float("-inf"), 0.0, 10.0)),
    "quantiles": ("4", 4),
    "text": ("tf_idf", "tf_idf"),
    "scale": ("robust", "robust"),
    "multiply": ("[1, 0.5]", (1.0, 0.5)),
    "normalize": (".inf", float("inf")),
    "expand": ("interaction", "interaction"),
    "reduce": ("{pca: 3}", ("pca", 3)),
    "select": ("{slots: [0, a]}", ("slots", (0, "a"))),
    "near": ("{random_projection: 2}", ("random_projection", 2.0)),
}


@pytest.mark.parametrize("word", WORDS)
def test_words_of_transforms(parse, word):
    text, value = WORDS[word]
    text = f'"{text}"' if word == "expr" else text
    (entry,) = parse(one(f"    transforms: [{{columns: [a, b], {word}: {text}}}]\n")).ml_models[0].transforms
    assert getattr(entry, word) == value
    assert entry.columns == ("a", "b")


@pytest.mark.parametrize(
    ("columns", "selected"),
    [
        ("'*'", (("*",), None, None)),
        ("{type: string}", ((), "string", None)),
        ("{like: 'temp_*'}", ((), None, "temp_*")),
    ],
)
def test_selections_of_columns(parse, columns, selected):
    (entry,) = parse(one(f"    transforms: [{{columns: {columns}, scale: robust}}]\n")).ml_models[0].transforms
    assert (entry.columns, entry.type, entry.like) == selected


@pytest.mark.parametrize(
    ("words", "stop_words"), [("english", "english"), ("[english]", "english"), ("[a, the]", ("a", "the"))]
)
def test_stop_words_are_a_language_or_words(parse, words, stop_words):
    (entry,) = (
        parse(one(f"    transforms: [{{columns: a, text: counts, stop_words: {words}}}]\n")).ml_models[0].transforms
    )
    assert entry.stop_words == stop_words


@pytest.mark.parametrize("duration", ["7", "7 days", "-1d", "1.5h", "d", "''", "60", "1:30"])
def test_durations_that_are_none(parse, duration):
    with pytest.raises(SqlmlError) as failure:
        parse(one(f"    retrain: {{at_most_every: {duration}}}\n"))
    assert "'at_most_every' must be a duration" in failure.value.what


@pytest.mark.parametrize("value", ["mean", "0", "unknown", "-1.5", "true"])
def test_impute_takes_a_word_or_a_constant(parse, value):
    assert (
        parse(one(f"    transforms: [{{columns: a, impute: {value}}}]\n")).ml_models[0].transforms[0].impute is not None
    )
