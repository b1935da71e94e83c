"""Values and Spark types as the SQL text that the stages of a saved pipeline carry."""

from __future__ import annotations

from sqlml.ir.project import Scalar


def literal(value: str) -> str:
    """Return `value` as a Spark SQL string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def typed_literal(value: Scalar, data_type: str) -> str:
    """Return `value` as a SQL expression of a Spark type."""
    if value is None:
        return f"CAST(NULL AS {data_type})"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"CAST({literal(text)} AS {data_type})"


def is_float(data_type: str) -> bool:
    """Tell whether values of a Spark type may be NaN or infinite."""
    return data_type in ("float", "double")
