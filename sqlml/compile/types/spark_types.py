"""Spark's data types as values: what a column holds in, Spark's own text for it (`simpleString`) out.

An unknown type is None wherever a type may stand; a nested type with an unknown part is unknown as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_PRECISION = 38
UNITS = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True, slots=True)
class AtomicType:
    """A type without parameters, by Spark's name for it: `int`, `string`, `void`, `interval` and so on."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class DecimalType:
    """`decimal(precision,scale)`."""

    precision: int
    scale: int

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})"


@dataclass(frozen=True, slots=True)
class IntervalType:
    """An ANSI interval; its units are indices into `UNITS`: both at most 1 (months), or both at least 2."""

    start: int
    end: int

    @property
    def is_months(self) -> bool:
        """Whether it counts years and months, not days and seconds."""
        return self.end <= 1

    @property
    def whole(self) -> IntervalType:
        """The widest interval of its kind."""
        return YEAR_TO_MONTH if self.is_months else DAY_TO_SECOND

    def __str__(self) -> str:
        first, last = UNITS[self.start], UNITS[self.end]
        return f"interval {first}" if first == last else f"interval {first} to {last}"


@dataclass(frozen=True, slots=True)
class ArrayType:
    """`array<element>`."""

    element: SparkType

    def __str__(self) -> str:
        return f"array<{self.element}>"


@dataclass(frozen=True, slots=True)
class MapType:
    """`map<key,value>`."""

    key: SparkType
    value: SparkType

    def __str__(self) -> str:
        return f"map<{self.key},{self.value}>"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct, its name in the user's spelling."""

    name: str
    type: SparkType


@dataclass(frozen=True, slots=True)
class StructType:
    """`struct<name:type,…>`."""

    fields: tuple[Field, ...]

    def field(self, name: str) -> SparkType | None:
        """Return the type of the field `name` in any case; None: there is none, or several."""
        found = [field.type for field in self.fields if field.name.lower() == name.lower()]
        return found[0] if len(found) == 1 else None

    def __str__(self) -> str:
        return f"struct<{','.join([f'{field.name}:{field.type}' for field in self.fields])}>"


SparkType = AtomicType | DecimalType | IntervalType | ArrayType | MapType | StructType

TINYINT = AtomicType("tinyint")
SMALLINT = AtomicType("smallint")
INT = AtomicType("int")
BIGINT = AtomicType("bigint")
FLOAT = AtomicType("float")
DOUBLE = AtomicType("double")
BOOLEAN = AtomicType("boolean")
STRING = AtomicType("string")
BINARY = AtomicType("binary")
DATE = AtomicType("date")
TIMESTAMP = AtomicType("timestamp")
TIMESTAMP_NTZ = AtomicType("timestamp_ntz")
VARIANT = AtomicType("variant")
VOID = AtomicType("void")
CALENDAR_INTERVAL = AtomicType("interval")
YEAR_TO_MONTH = IntervalType(0, 1)
DAY_TO_SECOND = IntervalType(2, 5)

# In the order in which one holds the other.
INTEGERS = (TINYINT, SMALLINT, INT, BIGINT)
FRACTIONS = (FLOAT, DOUBLE)
DATETIMES = (DATE, TIMESTAMP_NTZ, TIMESTAMP)

# The digits that an integer column takes beside a decimal.
INTEGER_DIGITS = {TINYINT: 3, SMALLINT: 5, INT: 10, BIGINT: 20}


def is_integer(given: SparkType | None) -> bool:
    """Return whether `given` is a whole number, decimals aside."""
    return given in INTEGER_DIGITS


def is_number(given: SparkType | None) -> bool:
    """Return whether `given` can be calculated with as it is."""
    return given in INTEGER_DIGITS or isinstance(given, DecimalType) or given in FRACTIONS


def array_of(element: SparkType | None) -> ArrayType | None:
    """Return an array's type; None if its element's is unknown."""
    return None if element is None else ArrayType(element)


def map_of(key: SparkType | None, value: SparkType | None) -> MapType | None:
    """Return a map's type; None if a part of it is unknown."""
    return None if key is None or value is None else MapType(key, value)


def struct_of(*fields: tuple[str, SparkType | None]) -> StructType | None:
    """Return a struct's type; None if a part of it is unknown."""
    known = [Field(name, given) for name, given in fields if given is not None]
    return StructType(tuple(known)) if len(known) == len(fields) else None
