"""What a SQL statement reads and returns, column by column: the data that `scopes` makes and `slices` walks."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp


@dataclass(slots=True, eq=False)
class Reads:
    """What an expression or a clause reads.

    Attributes:
        columns: (relation, column name in lower case).
        outputs: (query, index of its output): a lateral alias, or the branch of a set operation.
        relations: whose rows count, whichever of their columns are read.
        queries: subqueries, of which all outputs are needed.
    """

    columns: set[tuple[Relation, str]] = field(default_factory=set)
    outputs: set[tuple[Query, int]] = field(default_factory=set)
    relations: list[Relation] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Relation:
    """What a FROM clause brings into scope.

    Attributes:
        alias: in lower case, as columns are qualified by it; empty if there is none.
        title: as it is called in errors.
        columns: in the user's spelling; None: unknown, so that any name may be one.
        origin: the query or the id of the node whose columns these are, in the same order; None: neither.
        view: the name that the rendered SQL reads it by, if it is a node's.
        made_of: the function that makes its rows, such as a generator in a LATERAL VIEW; None for all others.
        named: what the node calls `columns`, if an alias list gave them other names.
        folded: `columns` in lower case.
    """

    alias: str
    title: str
    columns: tuple[str, ...] | None
    origin: Query | str | None = None
    view: str = ""
    folded: frozenset[str] = frozenset()
    made_of: exp.Expr | None = None
    named: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        self.folded = frozenset([name.lower() for name in self.columns or ()])

    def own_name(self, name: str) -> str:
        """Return what the node itself calls the column `name` (both in lower case)."""
        if self.named is None:
            return name
        pairs = zip(self.named, self.columns or (), strict=False)
        return next((own.lower() for own, given in pairs if given.lower() == name), name)


@dataclass(slots=True, eq=False)
class Output:
    """One column that a query returns.

    Attributes:
        name: in the user's spelling; None: an expression without a name.
        item: index of the entry of the SELECT list that makes it.
        node: that entry, for error places.
    """

    name: str | None
    item: int
    node: exp.Expr
    reads: Reads


@dataclass(frozen=True, slots=True)
class Join:
    """One JOIN of a FROM clause.

    Attributes:
        relations: what is joined to what stands before it.
        keys: the columns that USING or NATURAL compares, on both sides.
        side: `LEFT`, `RIGHT`, `FULL`, or empty.
        kind: `SEMI`, `ANTI`, `CROSS` …, or empty.
    """

    relations: tuple[Relation, ...]
    on: exp.Expr | None
    keys: tuple[tuple[Relation, str], ...] = ()
    side: str = ""
    kind: str = ""


@dataclass(slots=True, eq=False)
class Query:
    """A SELECT or a set operation.

    Attributes:
        outputs: None: not all of them can be known.
        reads: what it reads beside its outputs, needed whichever output is.
        is_whole: no output can be left out without changing the others (DISTINCT, ordinals, UNION …).
        joins: of its FROM clause, in order.
        branches: of a set operation, its two sides.
    """

    tree: exp.Expr
    outputs: list[Output] | None = field(default_factory=list)
    reads: Reads = field(default_factory=Reads)
    is_whole: bool = False
    joins: list[Join] = field(default_factory=list)
    branches: tuple[Query, ...] = ()

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The output names; None if there are unknown or nameless ones."""
        if self.outputs is None or any(output.name is None for output in self.outputs):
            return None
        return tuple([output.name for output in self.outputs if output.name is not None])


@dataclass(slots=True, eq=False)
class Scope:
    """The names that an expression of a query may use.

    Attributes:
        relations: in the order of the FROM clause, without those that only a semi join sees.
        outer: the scope around a subquery that may be correlated.
        ctes: name in lower case to what a FROM clause gets by it.
        aliases: output name in lower case to its index, for the outputs made so far.
        merged: columns that USING or NATURAL made one of several, with the relations whose value they have.
    """

    query: Query
    ctes: dict[str, Relation]
    outer: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)
    merged: dict[str, frozenset[Relation]] = field(default_factory=dict)
