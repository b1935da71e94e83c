"""The example project: nothing to say of it as it is, and each careless change to it is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlml.compile import compile_dag
from sqlml.parse import ParseRequest, parse_project
from sqlml.resolve import resolve_project

ROOT = Path(__file__).parents[2]


def findings(target=None, **variables):
    dag = resolve_project(parse_project(ParseRequest(ROOT, target, variables)))
    return compile_dag(dag, {}).diagnostics


def test_there_is_nothing_to_say():
    assert findings() == ()


@pytest.mark.parametrize(
    ("variables", "code", "features"),
    [
        ({"careless": "dep_delay"}, "L001", {"dep_delay"}),
        (
            {"known_by": "sched_dep_ts"},
            "L002",
            {
                "carrier_delay_6h", "carrier_late_6h", "carrier_delay_7d", "carrier_late_7d", "origin_delay_3h",
                "route_delay_1d", "route_late_1d", "route_delay_30d", "route_late_30d", "aircraft_delay_1d",
                "aircraft_delay_7d",
            },
        ),
        ({"split_by": "hash", "split_column": "flight_id"}, "L006", set()),
    ],
)  # fmt: skip
def test_careless_changes_are_found(variables, code, features):
    found = [entry for entry in findings("careless", **variables) if entry.node_id == "ml_model.late_arrival"]
    assert {entry.code for entry in found} == {code}
    assert {entry.path[0].removeprefix("late_arrival.") for entry in found if entry.path} == features
