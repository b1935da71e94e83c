"""What errors call an expression."""

from __future__ import annotations

from sqlglot import exp


def unwrapped(node: exp.Expr) -> exp.Expr:
    """Return `node` without names, parentheses and casts around it."""
    while isinstance(node, exp.Alias | exp.Paren | exp.Cast):
        node = node.this
    return node


def text_of(node: exp.Expr) -> str:
    """Return how errors call an expression."""
    node = unwrapped(node)
    return node.name if isinstance(node, exp.Column) else node.sql("spark")
