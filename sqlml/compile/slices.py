"""Cuts a statement down to some of its outputs: a Query and names in, the tokens and parent columns they need out.

Before: `select a, f(b) as c, d from t where e > 0`, of which only `c` is needed.
After:  the tokens of `select f(b) as c from t where e > 0`, and the columns b and e of `t`.

What is cut off can change neither the values of the needed columns nor which rows there are. Whatever is not understood
is kept: then a change is taken for one that matters though it does not, never the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sqlml.compile.queries import Query, Reads, Relation
from sqlml.compile.sql import Statement

_LIST_ENDS = frozenset(
    getattr(TokenType, name)
    for name in (
        "FROM", "WHERE", "GROUP_BY", "HAVING", "ORDER_BY", "SORT_BY", "CLUSTER_BY", "DISTRIBUTE_BY", "LIMIT", "OFFSET",
        "UNION", "EXCEPT", "INTERSECT", "LATERAL", "WINDOW", "QUALIFY", "SEMICOLON",
    )
)  # fmt: skip
_OPENS = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSES = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})

# Functions that sqlglot has no class for and that make several rows of one, or one of several.
ROW_FUNCTIONS = frozenset(
    {
        "every", "mean", "some", "std", "try_avg", "try_sum", "vector_avg", "vector_sum", "histogram_numeric",
        "count_min_sketch", "product", "collect_union",
        "inline_outer", "json_tuple", "variant_explode", "variant_explode_outer", "window", "session_window",
    }
)  # fmt: skip


_MAKES_ROWS = (exp.Explode, exp.Inline, exp.Stack, exp.Aliases, exp.QueryTransform)
# Any is the function `any`, for which sqlglot does not say that it aggregates.
AGGREGATES = (exp.AggFunc, exp.Any)
_MAY_DECIDE = (exp.Window, exp.Anonymous, *_MAKES_ROWS, *AGGREGATES)


@dataclass(frozen=True, slots=True)
class Slice:
    """What some outputs of a statement need.

    Attributes:
        tokens: what is left of the statement; None stands before each entry of a SELECT list that was cut.
        parents: node id to the names (lower case) of the columns that are read.
    """

    tokens: tuple[Token | None, ...]
    parents: dict[str, frozenset[str]]


def slice_statement(statement: Statement, query: Query, needed: Iterable[str]) -> Slice:
    """Return what the outputs `needed` (lower case) of `query` need. Only for an exact analysis."""
    walk = _Walk()
    walk.need_outputs(query, set(needed))
    kept = _kept_tokens(statement, walk)
    return Slice(tuple(kept), {parent: frozenset(names) for parent, names in walk.parents.items()})


class _Walk:
    """Follows needs from outputs to the parents' columns.

    Attributes:
        items: for each query that is read at all, which entries of its SELECT list are needed.
    """

    def __init__(self) -> None:
        self.items: dict[Query, set[int]] = {}
        self.parents: dict[str, set[str]] = {}
        self._done: set[tuple[Query, int]] = set()
        self._todo: list[Reads] = []

    def need_outputs(self, query: Query, names: set[str]) -> None:
        self._touch(query)
        for at, output in enumerate(query.outputs or ()):
            if (output.name or "").lower() in names:
                self._need(query, at)
        while self._todo:
            self._follow(self._todo.pop())

    def _follow(self, reads: Reads) -> None:
        for relation in reads.relations:
            self._touch_relation(relation)
        for relation, name in reads.columns:
            self._need_column(relation, name)
        for query, at in reads.outputs:
            self._need(query, at)
        for query in reads.queries:
            self._touch(query)
            self._need_all(query)

    def _touch_relation(self, relation: Relation) -> None:
        if isinstance(relation.origin, Query):
            self._touch(relation.origin)
        elif relation.origin is not None:
            self.parents.setdefault(relation.origin, set())

    def _need_column(self, relation: Relation, name: str) -> None:
        self._touch_relation(relation)
        if isinstance(relation.origin, Query):
            for at, column in enumerate(relation.columns or ()):
                if column.lower() == name:
                    self._need(relation.origin, at)
        elif relation.origin is not None:
            self.parents[relation.origin].add(relation.own_name(name))

    def _touch(self, query: Query) -> None:
        if query in self.items:
            return
        self.items[query] = set()
        self._todo.append(query.reads)
        if query.is_whole:
            self._need_all(query)
            return
        is_grouped = query.tree.args.get("group") is not None
        for at, output in enumerate(query.outputs or ()):
            if isinstance(query.tree, exp.Select) and _decides_rows(output.node, is_grouped):
                self._need(query, at)

    def _need_all(self, query: Query) -> None:
        for at in range(len(query.outputs or ())):
            self._need(query, at)

    def _need(self, query: Query, at: int) -> None:
        if (query, at) in self._done or query.outputs is None:
            return
        self._done.add((query, at))
        self._touch(query)
        self.items[query].add(query.outputs[at].item)
        self._todo.append(query.outputs[at].reads)


def _decides_rows(item: exp.Expr, is_grouped: bool) -> bool:
    """Return whether an entry of a SELECT list may change how many rows there are: generators, and aggregates alone."""
    windowed: set[int] = set()
    for node in item.walk(prune=lambda node: isinstance(node, exp.Query)):
        if not isinstance(node, _MAY_DECIDE):
            continue
        if isinstance(node, exp.Window):
            windowed.update(id(inner) for inner in _functions_of(node))
        if isinstance(node, _MAKES_ROWS):
            return True
        if isinstance(node, exp.Anonymous):
            name = node.name.lower()
            if name in ROW_FUNCTIONS or "agg" in name or "sketch" in name:
                return True
        if not is_grouped and isinstance(node, AGGREGATES) and id(node) not in windowed:
            return True
    return False


def _functions_of(window: exp.Window) -> Iterator[exp.Expr]:
    """Yield the function that `window` is over, inside of IGNORE NULLS and FILTER."""
    node = window.this
    while isinstance(node, exp.Expr):
        yield node
        if isinstance(node, exp.AggFunc):
            return
        node = node.this


def _kept_tokens(statement: Statement, walk: _Walk) -> list[Token | None]:
    tokens = statement.tokens
    lists = _select_lists(tokens)
    dropped = [False] * len(tokens)
    starts: set[int] = set()
    for query, needed in walk.items.items():
        ranges = None if query.is_whole else _find_list(query.tree, lists, tokens)
        if ranges is None:
            continue
        for at, (item, (start, end)) in enumerate(zip(query.tree.expressions, ranges, strict=True)):
            # The comma is one of the list's own: with and without what is cut, the rest reads the same.
            if end < len(tokens) and tokens[end].token_type is TokenType.COMMA:
                dropped[end] = True
            if at in needed or item.is_star:
                starts.add(start)
            else:
                dropped[start:end] = [True] * (end - start)
    kept: list[Token | None] = []
    for at, token in enumerate(tokens):
        if not dropped[at]:
            if at in starts:
                kept.append(None)
            kept.append(token)
    return kept


_Range = tuple[int, int]


def _select_lists(tokens: Sequence[Token]) -> list[list[_Range]]:
    """Return for each SELECT the token ranges (end excluded) of the entries of its list."""
    lists: list[list[_Range]] = []
    # One frame for each open bracket: the list that is being read at that depth, and where its entry began.
    frames: list[tuple[list[_Range], int] | None] = [None]
    for at, token in enumerate(tokens):
        kind = token.token_type
        frame = frames[-1]
        if kind in _OPENS:
            frames.append(None)
        elif kind in _CLOSES:
            _end_entry(frames.pop(), at)
            frames = frames or [None]
        elif kind is TokenType.SELECT:
            ranges: list[_Range] = []
            lists.append(ranges)
            frames[-1] = (ranges, at + 1)
        elif frame is not None and kind is TokenType.COMMA:
            _end_entry(frame, at)
            frames[-1] = (frame[0], at + 1)
        elif frame is not None and kind in _LIST_ENDS and not _is_inside_entry(tokens, at):
            _end_entry(frame, at)
            frames[-1] = None
    for open_frame in frames:
        _end_entry(open_frame, len(tokens))
    return lists


def _end_entry(frame: tuple[list[_Range], int] | None, at: int) -> None:
    if frame is not None:
        frame[0].append((frame[1], at))


def _is_inside_entry(tokens: Sequence[Token], at: int) -> bool:
    """Return whether the word at `at` belongs to an entry: `* except (…)`, `a is distinct from b`."""
    before = tokens[at - 1].token_type if at else None
    kind = tokens[at].token_type
    is_star_except = kind is TokenType.EXCEPT and before is TokenType.STAR
    return is_star_except or (kind is TokenType.FROM and before is TokenType.DISTINCT)


def _find_list(tree: exp.Expr, lists: list[list[_Range]], tokens: Sequence[Token]) -> list[_Range] | None:
    """Return the token ranges of the entries of the SELECT `tree`; None if they cannot be told for sure."""
    if not isinstance(tree, exp.Select):
        return None
    offsets = [
        (at, int(name.meta["start"]))
        for at, item in enumerate(tree.expressions)
        for name in item.find_all(exp.Identifier)
        if "start" in name.meta
    ]
    fitting = [ranges for ranges in lists if _fits(tree, ranges, offsets, tokens)] if offsets else []
    return min(fitting, key=lambda ranges: ranges[-1][1] - ranges[0][0], default=None)


def _fits(tree: exp.Select, ranges: list[_Range], offsets: list[tuple[int, int]], tokens: Sequence[Token]) -> bool:
    if len(ranges) != len(tree.expressions) or any(start >= end for start, end in ranges):
        return False
    spans = [(tokens[start].start, tokens[end - 1].end) for start, end in ranges]
    return all(spans[at][0] <= offset <= spans[at][1] for at, offset in offsets)
