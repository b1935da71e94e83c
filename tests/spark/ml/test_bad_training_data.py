"""Training data that went bad: a build on good rows, then one on bad ones; each error as a user reads it.

ML models have a champion from the first build. None may lose it by the second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from sqlml.build import Request, build, load_dag, open_project_store
from sqlml.cli.progress import SilentProgress
from sqlml.errors import SqlmlError, format_error
from sqlml.ir.results import Status

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("warm")]

GOOD = (
    "select id, cast(x as double) as x, x % 3 as n, y, cast(1 + x as double) as days, id % 2 as happened, "
    "concat('c', x % 2) as colour, 0.5d as half, if(id % 4 = 0, 'test', 'train') as part, "
    "timestamp '2024-01-01' + make_dt_interval(0, id) as at, array(x, id) as pair, "
    "concat('late c', x % 2) as remarks from {{ ref('rows') }}"
)
LINEAR, LOGISTIC = "estimator: LinearRegression, label: days", "estimator: LogisticRegression, label: y"
GLM = "estimator: GeneralizedLinearRegression, label: half, params: {{family: {}}}"


@dataclass(frozen=True)
class Case:
    """An ML model, the rows that are bad for it (SQL over `good`), and its error but for the place.

    Attributes:
        features: of the ML model; empty: it reads none.
    """

    spec: str
    bad: str
    what: str
    fix: str
    features: str = "[x]"


CASES = {
    "no_rows": Case(
        LINEAR,
        "select * from good where false",
        "ml model 'no_rows' has no rows to fit on",
        "look at the training data",
    ),
    "one_row": Case(
        LINEAR,
        "select * from good where id = 1",
        "ml model 'one_row' has 1 row to fit on, and 'LinearRegression' needs 2",
        "bring more rows",
    ),
    "fewer_than_clusters": Case(
        "estimator: KMeans, params: {k: 4}",
        "select * from good where id < 4",
        "ml model 'fewer_than_clusters' has 3 rows to fit on, and 'KMeans' needs 4",
        "bring more rows or lower its 'k'",
    ),
    "fewer_than_sparks_clusters": Case(
        "estimator: BisectingKMeans",
        "select * from good where id < 4",
        "ml model 'fewer_than_sparks_clusters' has 3 rows to fit on, and 'BisectingKMeans' needs 4",
        "bring more rows",
    ),
    "one_class": Case(
        LOGISTIC,
        "select * except (y), true as y from good",
        "label 'y' of ml model 'one_class' has one value in the training rows: True",
        "a classifier needs two classes",
    ),
    "three_classes": Case(
        "estimator: LinearSVC, label: happened",
        "select * except (happened), id % 3 as happened from good",
        "label 'happened' of ml model 'three_classes' has 3 values: 0, 1, 2",
        "'LinearSVC' tells 2 classes apart; RandomForestClassifier any number",
    ),
    "new_class_held_out": Case(
        "estimator: LogisticRegression, label: colour, positive: c1, "
        "split: {by: column, column: part, holdout_values: [test]}",
        "select * except (colour), if(part = 'test', 'c9', colour) as colour from good",
        "label 'colour' of ml model 'new_class_held_out' has values in the hold-out that no training row has: 'c9'",
        "leave them out by 'where:', or choose another 'split:'",
    ),
    "hollow": Case(
        LOGISTIC,
        "select * except (x), cast(null as double) as x from good",
        "feature 'x' of ml model 'hollow' is null in every training row",
        "leave it out with features: {exclude: [x]}",
    ),
    "infinite": Case(
        LOGISTIC,
        "select * except (x), if(id = 3, double('Infinity'), x) as x from good",
        "feature 'x' of ml model 'infinite' is infinite in 1 training row",
        "make it finite in the SQL, or clip it",
    ),
    "arrays_of_two_lengths": Case(
        LINEAR,
        "select * except (pair), if(id = 3, array(1, 2, 3), pair) as pair from good",
        "feature 'pair' of ml model 'arrays_of_two_lengths' has lengths from 2 to 3",
        "it needs one length",
        features="[pair]",
    ),
    "array_with_a_hole": Case(
        LINEAR,
        "select * except (pair), if(id = 3, array(1, null), pair) as pair from good",
        "feature 'pair' of ml model 'array_with_a_hole' holds a null, a NaN or an infinite number in 1 training row",
        "make it finite in the SQL",
        features="[pair]",
    ),
    "no_word": Case(
        f"{LINEAR}, transforms: [{{columns: remarks, text: counts, stop_words: english}}]",
        "select * except (remarks), 'the and of' as remarks from good",
        "feature 'remarks' has no word left to count in the training rows",
        "look at its stop_words, minDF, maxDF, minTokenLength and pattern, or leave it out",
        features="[x, remarks]",
    ),
    "target_of_three_classes": Case(
        "estimator: LogisticRegression, label: happened, transforms: [{columns: colour, encode: target}]",
        "select * except (happened), id % 3 as happened from good",
        "'encode: target' of 'colour' needs a label that is a number or of two classes; there are 3 classes",
        "take encode: one_hot or index",
        features="[colour]",
    ),
    "negative_counts": Case(
        "estimator: NaiveBayes, label: y",
        "select * except (x, n), if(id = 3, -1, x) as x, if(id in (5, 6), -n, -1) as n from good",
        "'NaiveBayes' of ml model 'negative_counts' reads only numbers that are 0 or more, which not all are in "
        "'x' (1 row), 'n' (12 rows)",
        "leave them out, scale them with min_max, or make counts of them in the SQL",
        features="[x, colour, n]",
    ),
    "not_zero_or_one": Case(
        "estimator: NaiveBayes, label: y, params: {modelType: bernoulli}",
        "select * except (happened), if(id = 3, 0.5, happened) as happened from good",
        "'NaiveBayes' of ml model 'not_zero_or_one' reads only numbers that are 0 or 1, which not all are in "
        "'happened' (1 row)",
        "leave them out, or make 0 and 1 of them in the SQL",
        features="[happened]",
    ),
    "negative_words": Case(
        "estimator: LDA, params: {k: 2, maxIter: 2}",
        "select * except (x), if(id = 3, -1, x) as x from good",
        "'LDA' of ml model 'negative_words' reads only numbers that are 0 or more, which not all are in 'x' (1 row)",
        "leave them out, scale them with min_max, or make counts of them in the SQL",
        features="[x, n]",
    ),
    "nan_label": Case(
        LINEAR,
        "select * except (days), if(id = 3, double('NaN'), days) as days from good",
        "label 'days' of ml model 'nan_label' is NaN or infinite in 1 row",
        "make it null in the SQL, or leave them out by 'where:'",
    ),
    "infinite_label": Case(
        LINEAR,
        "select * except (days), if(id in (3, 4), double('-Infinity'), days) as days from good",
        "label 'days' of ml model 'infinite_label' is NaN or infinite in 2 rows",
        "make it null in the SQL, or leave them out by 'where:'",
    ),
    "no_time": Case(
        "estimator: AFTSurvivalRegression, label: days, censor: happened",
        "select * except (days), if(id = 3, 0, days) as days from good",
        "label 'days' of ml model 'no_time' is not above 0 in 1 row, and 'AFTSurvivalRegression' learns no other",
        "make it null in the SQL, or leave them out by 'where:'",
    ),
    "half_censored": Case(
        "estimator: AFTSurvivalRegression, label: days, censor: happened",
        "select * except (happened), if(id = 3, 0.5, if(id = 4, null, happened)) as happened from good",
        "censor 'happened' of ml model 'half_censored' is neither 0 nor 1 in 2 rows",
        "write 1 (or true) where it happened, and 0 where it had not happened yet",
    ),
    "never_happened": Case(
        "estimator: AFTSurvivalRegression, label: days, censor: happened",
        "select * except (happened), 0 as happened from good",
        "censor 'happened' of ml model 'never_happened' is 0 in every row",
        "of rows where it never happened nothing can be learnt: it is 1 (or true) where it happened",
    ),
    "free_gamma": Case(
        GLM.format("gamma"),
        "select * except (half), if(id = 3, 0d, half) as half from good",
        "label 'half' of ml model 'free_gamma' is not above 0 in 1 row, and 'GeneralizedLinearRegression' with family "
        "'gamma' learns no other",
        "make it null in the SQL, or leave them out by 'where:'",
    ),
    "negative_poisson": Case(
        GLM.format("poisson"),
        "select * except (half), if(id < 4, -1d, half) as half from good",
        "label 'half' of ml model 'negative_poisson' is not 0 or more in 3 rows, and 'GeneralizedLinearRegression' "
        "with family 'poisson' learns no other",
        "make it null in the SQL, or leave them out by 'where:'",
    ),
    "improbable_binomial": Case(
        GLM.format("binomial"),
        "select * except (half), if(id < 4, 1.5d, half) as half from good",
        "label 'half' of ml model 'improbable_binomial' is not from 0 to 1 in 3 rows, and "
        "'GeneralizedLinearRegression' with family 'binomial' learns no other",
        "make it null in the SQL, or leave them out by 'where:'",
    ),
    "no_offset": Case(
        "estimator: GeneralizedLinearRegression, label: days, offset: half",
        "select * except (half), if(id < 4, null, half) as half from good",
        "offset 'half' of ml model 'no_offset' is null or not finite in 3 rows",
        "give it a number in the SQL, or leave them out by 'where:'",
    ),
    "no_weight": Case(
        f"{LINEAR}, weight: half",
        "select * except (half), 0 as half from good",
        "weight 'half' of ml model 'no_weight' is 0 in every row",
        "give some row a weight",
    ),
    "too_many_bins": Case(
        "estimator: DecisionTreeClassifier, label: y, params: {maxBins: 4}",
        "select * except (colour), concat('c', id) as colour from good",
        "category 'colour' of ml model 'too_many_bins' has 14 values, and there are 12 rows to fit on",
        "lower its max_categories, leave it out, or bring more rows",
        features="[colour]",
    ),
    "thresholds": Case(
        "estimator: DecisionTreeClassifier, label: happened, params: {thresholds: [0.4, 0.6]}",
        "select * except (happened), id % 3 as happened from good",
        "'thresholds' of ml model 'thresholds' has 2 numbers for 3 classes",
        "give one for each class, in sorted order",
    ),
    "fold_of_one_class": Case(
        f"{LOGISTIC}, folds: {{by: group, column: n}}",
        "select * except (y), y or n = 1 as y from good",
        "fold 2 of ml model 'fold_of_one_class' is validated on one class alone: label 'y' is True in all of its 4 "
        "rows, 8 to fit on and 4 to validate on",
        "ask for fewer or other folds, or bring more rows",
    ),
    "fewer_rows_than_folds": Case(
        f"{LINEAR}, event_time: at, folds: {{n: 2}}",
        "select * from good where id < 4",
        "fold 1 of ml model 'fewer_rows_than_folds' has 1 row to fit on and 1 row to validate on, and "
        "'LinearRegression' needs 2",
        "ask for fewer or other folds, or bring more rows",
    ),
    "no_group": Case(
        f"{LOGISTIC}, threshold: {{maximize: f1}}, folds: {{by: group, column: n}}",
        "select * except (n), if(id = 3, null, n) as n from good",
        "group 'n' of ml model 'no_group' is null in 1 row, and such rows are in no fold",
        "leave them out by 'where:', or give them one",
    ),
    "no_instant": Case(
        f"{LINEAR}, event_time: at, folds: {{by: time, n: 2}}",
        "select * except (at), if(id in (3, 4), null, at) as at from good",
        "time 'at' of ml model 'no_instant' is null in 2 rows, and such rows are in no fold",
        "leave them out by 'where:', or give them one",
    ),
    "more_than_a_line": Case(
        "estimator: IsotonicRegression, label: days",
        "select * except (x), cast(x as string) as x from good where id < 3",
        "'IsotonicRegression' of ml model 'more_than_a_line' reads one number, and its feature makes 4: 'x=0.0', "
        "'x=1.0', 'x=<null>', 'x=<other>'",
        "take a column that is a number, or choose one by its place from 0: params: {featureIndex: 0}",
    ),
    "no_direction": Case(
        "estimator: KMeans, params: {k: 2, distanceMeasure: cosine}, transforms: [{columns: [x, half], scale: none}]",
        "select * except (x, half), if(id < 4, 0d, x) as x, if(id < 4, 0d, half) as half from good",
        "'KMeans' of ml model 'no_direction' compares directions, and every slot is 0 in 3 rows",
        "leave them out by 'where:', or write distanceMeasure: euclidean",
        features="[x, half]",
    ),
    "nothing_done": Case(
        "estimator: ALS, user: colour, item: n, rating: days, params: {rank: 2, maxIter: 1, implicitPrefs: true}",
        "select * except (days), -days as days from good",
        "rating 'days' of ml model 'nothing_done' is above 0 in no row",
        "with implicitPrefs: true it says how often something was done: some of it must have been",
        features="",
    ),
    "nobody": Case(
        "estimator: ALS, user: colour, item: n, rating: days, params: {rank: 2, maxIter: 1}",
        "select * except (colour), if(id < 3, null, colour) as colour from good",
        "user 'colour' of ml model 'nobody' is null in 2 rows",
        "leave them out by 'where:'",
        features="",
    ),
    "no_basket": Case(
        "estimator: FPGrowth, items: pair",
        "select * except (pair), if(id = 3, null, pair) as pair from good",
        "list of items 'pair' of ml model 'no_basket' is null in 1 row",
        "leave them out by 'where:'",
        features="",
    ),
}


# Of a feature with one value a fit says so, and one of a type that nothing is learnt from does not compile.
CONSTANT = "{% if var('is_bad') %}7{% else %}n{% endif %}"
SHAPED = (
    f"  - {{name: shaped, training_data: ref('shaped_rows'), keys: [id], features: [x, n], {LINEAR}, "
    "split: {by: none}}\n"
)


def write_project(folder: Path) -> None:
    files = {
        "sqlml_project.yml": "name: bad_training_data\nvars: {is_bad: false, shape: x}\n",
        "seeds/rows.csv": "id,x,y\n" + "".join(f"{id + 1},{id},{id % 2 == 0}\n" for id in range(12)),
        "models/ml.yml": "version: 2\nml_models:\n",
    }
    for name, case in CASES.items():
        files[f"models/{name}_rows.sql"] = (
            f"{{{{ config(materialized='view') }}}}\nwith good as ({GOOD})\n"
            f"{{% if var('is_bad') %}}{case.bad}{{% else %}}select * from good{{% endif %}}"
        )
        split = "" if "split:" in case.spec else ", split: {by: none}"
        features = f"features: {case.features}, " if case.features else ""
        files["models/ml.yml"] += (
            f"  - {{name: {name}, training_data: ref('{name}_rows'), keys: [id], {features}{case.spec}{split}}}\n"
        )
    files["models/shaped_rows.sql"] = (
        f"with good as ({GOOD})\nselect * except (x, n), {{{{ var('shape') }}}} as x, {CONSTANT} as n from good"
    )
    files["models/ml.yml"] += SHAPED
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad training data")
    write_project(folder)
    return folder


# One for each place of `fit` that stops; with --long all others have a champion too.
WITH_CHAMPION = (
    "no_rows",
    "one_class",
    "new_class_held_out",
    "fold_of_one_class",
    "hollow",
    "nan_label",
    "too_many_bins",
    "thresholds",
)


@pytest.fixture(scope="module")
def champions(request):
    return {*CASES} if request.config.getoption("--long") else {*WITH_CHAMPION}


@pytest.fixture(scope="module")
def good(project, champions, warm):
    request = Request(project, select=tuple(f"+{name}" for name in (*sorted(champions), "shaped")))
    return {result.node_id: result for result in build(request, SilentProgress()).results.results}


@pytest.fixture(scope="module")
def bad(project, good, warm):
    request = Request(project, variables={"is_bad": True})
    return {result.node_id: result for result in build(request, SilentProgress()).results.results}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_stops_with_its_error_and_loses_nothing(project, champions, good, bad, name):
    case, result = CASES[name], bad[f"ml_model.{name}"]
    assert result.status is Status.ERROR
    assert result.error.exit_code == 2
    assert result.error.location is not None
    assert result.error.location.path == "models/ml.yml"
    assert (result.error.what, result.error.fix) == (case.what, case.fix)
    snapshot = open_project_store(load_dag(Request(project)).project).snapshot()
    champion = snapshot.champion(name)
    if name not in champions:
        assert champion is None
        assert not list(project.glob(f"warehouse/models/*/{name}/*"))
        return
    assert good[f"ml_model.{name}"].status is Status.SUCCESS, good[f"ml_model.{name}"].error
    assert champion is not None
    assert champion.version == 1
    assert [version.version for version in snapshot.versions[name]] == [1]
    assert (Path(champion.location) / "signature.json").exists()
    assert sorted(path.name for path in Path(champion.location).parent.iterdir()) == ["1"]


def test_a_feature_of_one_value_is_a_warning(good, bad):
    assert good["ml_model.shaped"].message.startswith("version 1, ")
    assert "warning" not in good["ml_model.shaped"].message
    assert bad["ml_model.shaped"].status is Status.SUCCESS
    assert bad["ml_model.shaped"].message.endswith("; warning: feature 'n' has one value in all training rows")


@pytest.mark.parametrize("shape", ["struct(x)", "map('a', x)", "timestamp '2024-01-01'", "array(array(x))"])
def test_a_feature_that_has_become_something_else_does_not_compile(project, good, bad, shape):
    request = Request(project, variables={"shape": shape})
    with pytest.raises(SqlmlError) as caught:
        build(request, SilentProgress())
    text = format_error(caught.value)
    assert re.search(r"error: ml model 'shaped': feature 'x' is of type \S+, which has no transform\n", text)
    assert "fix: leave it out with features: {exclude: [x]}" in text
    champion = open_project_store(load_dag(Request(project)).project).snapshot().champion("shaped")
    assert champion is not None
    assert champion.version == 2
    assert (Path(champion.location) / "signature.json").exists()
