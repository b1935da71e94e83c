"""Which columns name a row: a Query and what is known of the nodes that it reads in, names that are unique out.

Before: `select customer, sum(price) as spent from orders group by customer`
After:  {customer}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from sqlml.compile.queries import Output, Query, Relation

Unique = Mapping[str, frozenset[str] | None]
"""Node id to the columns (lower case) that together are unique; None: there are none for sure."""

_GENERATORS = ("inline_outer", "json_tuple", "stack", "variant_explode", "variant_explode_outer")


def relation_grain(relation: Relation, unique: Unique) -> frozenset[str] | None:
    """Return columns (lower case) of a relation that together are unique; None: there are none for sure."""
    if isinstance(relation.origin, str):
        return unique.get(relation.origin) if relation.named is None else None
    return query_grain(relation.origin, unique) if relation.origin is not None and relation.columns else None


def query_grain(query: Query, unique: Unique) -> frozenset[str] | None:
    """Return outputs (lower case) that together are unique; None: there are none for sure."""
    outputs, tree = query.outputs or [], query.tree
    if not isinstance(tree, exp.Select) or query.columns is None or any(_is_generator(output) for output in outputs):
        return None
    named = [(output.node.unalias(), str(output.name).lower()) for output in outputs]
    group = tree.args.get("group")
    if group is not None:
        return _group_grain(group, named)
    if len(query.reads.relations) != 1:
        return None
    inner = relation_grain(query.reads.relations[0], unique)
    copies = {}
    for output, (node, name) in zip(outputs, named, strict=True):
        if isinstance(node, exp.Column | exp.Star) and len(output.reads.columns) == 1:
            copies[next(iter(output.reads.columns))[1]] = name
    return None if inner is None or not inner <= copies.keys() else frozenset([copies[key] for key in inner])


def _group_grain(group: exp.Expr, named: Iterable[tuple[exp.Expr, str]]) -> frozenset[str] | None:
    named = list(named)
    if any(group.args.get(several) for several in ("rollup", "cube", "grouping_sets")):
        return None
    if group.args.get("all"):
        return frozenset([name for node, name in named if not any(node.find_all(exp.AggFunc))])
    texts = {node.sql(): name for node, name in named} | {str(at + 1): name for at, (_, name) in enumerate(named)}
    keys = [texts.get(entry.sql()) for entry in group.expressions]
    return frozenset([key for key in keys if key is not None]) if keys and None not in keys else None


def _is_generator(output: Output) -> bool:
    return any(
        isinstance(node, exp.Explode | exp.Inline | exp.Stack) or node.name.lower() in _GENERATORS
        for node in output.node.find_all(exp.Explode, exp.Inline, exp.Stack, exp.Anonymous)
    )
