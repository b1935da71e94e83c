"""The one Jinja: YAML values and SQL templates in, values and SQL with its way back to the user's file out."""

from __future__ import annotations

from sqlml.templating.environment import value_functions
from sqlml.templating.faults import place_of_call
from sqlml.templating.sql import Templates, evaluate, render_sql
from sqlml.templating.values import render_value

__all__ = ["Templates", "evaluate", "place_of_call", "render_sql", "render_value", "value_functions"]
