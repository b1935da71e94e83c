"""Types as plain data: what comes back is what went in, also where Spark's own text for it says less."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sqlml.compile.types import from_plain, to_plain
from sqlml.compile.types.spark_types import (
    ArrayType,
    AtomicType,
    DecimalType,
    Field,
    IntervalType,
    MapType,
    StructType,
)

ATOMIC = st.sampled_from(["int", "string", "void", "interval", "char(3)", "time(6)"]).map(AtomicType)
LEAVES = ATOMIC | st.builds(DecimalType, st.integers(1, 38), st.integers(0, 38)) | st.just(IntervalType(2, 5))
TYPES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(ArrayType, inner)
        | st.builds(MapType, inner, inner)
        | st.lists(st.builds(Field, st.text(max_size=5), inner), max_size=3).map(
            lambda fields: StructType(tuple(fields))
        )
    ),
    max_leaves=8,
)


@given(TYPES)
def test_a_type_comes_back(spark_type):
    assert from_plain(json.loads(json.dumps(to_plain(spark_type)))) == spark_type


def test_what_is_no_type_is_unknown():
    assert to_plain(None) is None
    for plain in (None, 1, [], ["set", "int"], ["array", 3], ["map", "int"], ["struct", ["a"]], ["decimal", "1", 2]):
        assert from_plain(plain) is None
