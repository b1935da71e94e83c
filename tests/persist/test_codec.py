"""What goes into the state as JSON comes back as it was."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import numpy as np
import products
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlml.errors import StateError
from sqlml.ir.results import Status
from sqlml.ir.state import Column, Fingerprint, GateResult, Metric, Signature
from sqlml.persist import codec

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.dates()
    | st.datetimes().map(lambda value: value.replace(fold=0))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.booleans(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_any_value_comes_back(value):
    text = codec.dumps(value)
    back = codec.loads(text)
    assert back == value
    assert repr(back) == repr(value)
    text.encode("ascii")


@pytest.mark.parametrize(
    "value",
    [
        products.fingerprint("ü\ud800\0"),
        Fingerprint("d", "c", parts={"$float": "nan", "data": ""}, champions=("a", "b")),
        products.signature(),
        Signature("m", "KMeans", (), (), (), classes=(None, "x", 1, 1.0, True), threshold=float("inf")),
        GateResult("auc >= 0.7", False, None, "not measured"),
        GateResult("auc >= 0.7", False, float("-inf"), ""),
        Metric("holdout", "m", 1e308, slice="a='b'"),
        Column("größe", "struct<a:int>"),
    ],
)
def test_dataclasses_come_back(value):
    back = codec.restore(type(value), codec.loads(codec.dumps(value)))
    assert back == value
    assert repr(back) == repr(value)


def test_nan_is_standard_json():
    text = codec.dumps({"threshold": float("nan"), "many": (float("inf"), -0.0)})
    json.loads(text, parse_constant=pytest.fail)
    assert repr(codec.loads(text)) == "{'threshold': nan, 'many': [inf, -0.0]}"


def test_params_that_are_no_strings():
    facts: dict[str, Any] = {
        "params": {"maxIter": 20, "regParam": 0.1, "handleInvalid": None, "standardization": True, "layers": [4, 2]},
        "rows by class": {0: 10, 1: 5},
        "cut": datetime.datetime(2025, 1, 31, tzinfo=datetime.UTC),
        "price": Decimal("1.10"),
    }
    assert codec.loads(codec.dumps(facts)) == facts


def test_numpy_enumerations_sets_and_paths(tmp_path):
    value = {
        "a": np.float64(0.5),
        "b": np.int64(3),
        "c": np.array([1.0, np.nan]),
        "d": Status.FAIL,
        "e": {2, 1},
        "f": tmp_path,
        "g": np.bool_(True),
    }
    assert repr(codec.loads(codec.dumps(value))) == repr(
        {"a": 0.5, "b": 3, "c": [1.0, float("nan")], "d": "fail", "e": [1, 2], "f": str(tmp_path), "g": True}
    )


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(TypeError, match="a object cannot be kept"):
        codec.dumps({"a": object()})


@pytest.mark.parametrize("text", ["", "{", '{"$date": "x"}', '{"$decimal": "x"}'])
def test_text_that_is_no_json_is_a_state_error(text):
    with pytest.raises(StateError):
        codec.loads(text)
