"""Writes the tables of docs/ml_models.md that say what the registries of estimators and explanations hold.

Run it when one of them changes: `python tools/make_estimator_docs.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlml.ir.estimators import ESTIMATORS, NOT_HERE, Estimator
from sqlml.ir.explanations import EXPLANATIONS
from sqlml.ir.outputs import output_columns
from sqlml.ir.roles import ROLES

PAGE = Path(__file__).parent.parent / "docs" / "ml_models.md"


def estimators_table() -> str:
    """Return one row for each estimator."""
    header = ("estimator", "what it is", "answers", "family", "roles", "returns", "tables", "what sqlml sets")
    rows = [
        (
            f"`{entry.name}`",
            entry.about + ("" if entry.max_classes is None else " Two classes only."),
            entry.problem.value,
            "its classifier's" if entry.name == "OneVsRest" else entry.family.value,
            "its classifier's" if entry.name == "OneVsRest" else _names(entry.roles),
            _returns(entry),
            "its classifier's" if entry.name == "OneVsRest" else _names(entry.explains),
            _sets(entry),
        )
        for entry in ESTIMATORS.values()
    ]
    return _table(header, rows)


def reasons_table() -> str:
    """Return one row for each estimator of Spark ML that cannot be used."""
    return _table(("estimator", "why"), [(f"`{name}`", reason) for name, reason in NOT_HERE.items()])


def explanations_table() -> str:
    """Return one row for each table that explains."""
    rows = [
        (f"`{entry.name}`", entry.about, ", ".join(f"`{column.name}`" for column in entry.columns))
        for entry in EXPLANATIONS.values()
    ]
    return _table(("table", "what it says", "columns"), rows)


def roles_table() -> str:
    """Return one row for each role."""
    rows = [
        (
            f"`{role.key}`",
            role.about,
            f"`{role.param}`",
            "required" if role.is_needed else "",
            "" if role.key == "label" else role.domain.value,
            "yes" if role.is_read_by_predictions else "no",
        )
        for role in ROLES.values()
    ]
    return _table(("role", "what it says", "Spark's", "where it is known", "holds", "read by predictions"), rows)


TABLES = {
    "ESTIMATORS": estimators_table,
    "NOT_HERE": reasons_table,
    "EXPLANATIONS": explanations_table,
    "ROLES": roles_table,
}


def write_tables(text: str) -> str:
    """Return a page with each of its `TABLES` made anew."""
    for name, make in TABLES.items():
        pattern = rf"(<!-- table: {name} -->\n)(?:\|.*\n)*"
        text = re.sub(pattern, lambda found, made=make: found[1] + made(), text)  # type: ignore[misc]
    return text


def _returns(entry: Estimator) -> str:
    two, more = (
        [column.name for column in output_columns(entry.returns, "L", "", classes)]
        for classes in (2, 2 if entry.max_classes == 2 else 3)
    )
    both = [name for name in two if name in more]
    if two == more:
        return _names(two)
    only = [name for name in two if name not in more]
    ways = [f"of two classes {_names(only)}"] if only else []
    ways.append(f"of more {_names([name for name in more if name not in two])}")
    return f"{_names(both)}; {', '.join(ways)}"


def _sets(entry: Estimator) -> str:
    values = [f"`{name}` {value}" for name, value in entry.sets.items()]
    return "; ".join(values + [f"`{name}`: {how}" for name, how in entry.completes.items()])


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines).replace("|  |", "| |").replace("|  |", "| |")


if __name__ == "__main__":
    PAGE.write_text(write_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
