"""What is done to the columns of an entry together: features in, one block for each entry that mixes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlml.ir.chains import Applied, FeatureTransform
from sqlml.run.ml.features.making import Block, Making, Slot, named
from sqlml.run.ml.features.mixed import Mixed
from sqlml.run.ml.features.polynomials import interaction_slots, polynomial_size, polynomial_slots
from sqlml.run.ml.features.scaling import assemble, indicator_blocks, scaled_blocks
from sqlml.run.ml.features.selecting import select_slots

MOST_PRODUCTS = 10_000
"""The most slots that an expansion may have."""


def mix(making: Making) -> list[FeatureTransform | Block]:
    """Return the features that stay by themselves, and at the place of its first feature each entry's block."""
    members: dict[int, list[FeatureTransform]] = {}
    for transform in making.transforms:
        if transform.mixing is not None:
            members.setdefault(transform.mixing.position, []).append(transform)
    seen: Counter[str] = Counter()
    parts: list[FeatureTransform | Block] = []
    for transform in making.transforms:
        if transform.mixing is None:
            parts.append(transform)
        elif (position := transform.mixing.position) in members:
            mixed = Mixed(tuple(members.pop(position)), str(position))
            for applied in transform.mixing.words:
                seen[applied.word.name] += 1
                count = seen[applied.word.name]
                mixed = replace(mixed, suffix=str(count) if count > 1 else "")
                mixed = _MAKERS[applied.word.key](making, mixed, applied)
                making.hint_size(mixed.vector, len(mixed.slots))
            parts.append(Block((mixed.vector,), mixed.slots))
            for member in mixed.members:
                parts += indicator_blocks(making, member)
    return parts


def _gather(making: Making, mixed: Mixed) -> Mixed:
    """Scale the features and put them together, unless they are."""
    if mixed.vector:
        return mixed
    blocks = scaled_blocks(making, mixed.members, f"{mixed.tag}_")
    columns = [column for block in blocks for column in block.columns]
    slots = [slot for block in blocks for slot in block.slots]
    return mixed.made(assemble(making, columns, mixed.column("raw")), slots)


def _multiply(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    from pyspark.ml.feature import ElementwiseProduct
    from pyspark.ml.linalg import Vectors

    mixed = _gather(making, mixed)
    factors = [float(factor) for factor in applied.value]
    if len(factors) != len(mixed.slots):
        names = ", ".join(slot.name for slot in mixed.slots[:10])
        what = f"'multiply' of {named(mixed.members)} has {len(factors)} factors for {len(mixed.slots)} slots"
        raise making.refuse(applied, what, f"write one for each of: {names}")
    output = mixed.column("product")
    making.add(ElementwiseProduct(scalingVec=Vectors.dense(factors), inputCol=mixed.vector, outputCol=output))
    return mixed.made(output, mixed.slots)


def _normalize(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    from pyspark.ml.feature import Normalizer

    mixed = _gather(making, mixed)
    output = mixed.column("normal")
    making.add(Normalizer(p=float(applied.value), inputCol=mixed.vector, outputCol=output))
    return mixed.made(output, mixed.slots)


def _expand(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    return {"polynomial": _polynomial, "interaction": _interaction, "dct": _cosine}[applied.value](
        making, mixed, applied
    )


def _polynomial(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    from pyspark.ml.feature import PolynomialExpansion

    mixed = _gather(making, mixed)
    degree = int(applied.params.get("degree", 2))
    _check_products(making, mixed, applied, polynomial_size(len(mixed.slots), degree))
    output = mixed.column("powers")
    making.add(PolynomialExpansion(degree=degree, inputCol=mixed.vector, outputCol=output))
    return mixed.made(output, polynomial_slots(mixed.slots, degree))


def _interaction(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    """Keep the features, and add the product of all; Spark gives an index a slot for each of its values first."""
    from pyspark.ml.feature import Interaction

    inputs: list[str] = []
    factors: list[Sequence[Slot]] = []
    size = 1
    blocks = [block for member in mixed.members for block in scaled_blocks(making, [member], f"{mixed.tag}_")]
    for number, block in enumerate(dict.fromkeys(blocks)):
        # Spark needs the names of a vector's slots, which only an assembled vector has.
        is_index = bool(block.values)
        column = block.columns[0]
        inputs.append(column if is_index else assemble(making, block.columns, mixed.column(f"factor_{number}")))
        feature = block.features
        values = [Slot(f"{feature[0]}={value}", feature) for value in block.values]
        factors.append(values if is_index else block.slots)
        size *= len(factors[-1])
    _check_products(making, mixed, applied, size)
    product, output = mixed.column("product"), mixed.column("with_product")
    making.add(Interaction(inputCols=inputs, outputCol=product))
    assemble(making, [*inputs, product], output)
    slots = [slot for block in dict.fromkeys(blocks) for slot in block.slots]
    return mixed.made(output, [*slots, *interaction_slots(factors)])


def _check_products(making: Making, mixed: Mixed, applied: Applied, size: int) -> None:
    if size > MOST_PRODUCTS:
        what = f"the products of {named(mixed.members)} are {size} slots, more than {MOST_PRODUCTS}"
        raise making.refuse(applied, what, "name fewer columns, or lower their max_categories or the degree")


def _cosine(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    from pyspark.ml.feature import DCT

    mixed = _gather(making, mixed)
    output = mixed.column("cosine")
    making.add(DCT(inputCol=mixed.vector, outputCol=output, **applied.params_of("DCT")))
    return mixed.made(output, mixed.numbered("dct", len(mixed.slots)))


def _reduce(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    from pyspark.ml.feature import PCA

    mixed = _gather(making, mixed)
    if applied.value > len(mixed.slots):
        what = f"'reduce: {{pca: {applied.value}}}' of {named(mixed.members)} has {len(mixed.slots)} slots to reduce"
        raise making.refuse(applied, what, f"write {len(mixed.slots)} or less")
    output = mixed.column("components")
    making.fit(PCA(k=applied.value, inputCol=mixed.vector, outputCol=output))
    return mixed.made(output, mixed.numbered("pca", applied.value))


def _select(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    return select_slots(making, _gather(making, mixed), applied)


def _near(making: Making, mixed: Mixed, applied: Applied) -> Mixed:
    """Hash the place of each row; the fitted stage reads the vector before it, for those who look for neighbours."""
    from pyspark.ml.feature import BucketedRandomProjectionLSH, MinHashLSH

    mixed = _gather(making, mixed)
    hashes, output = mixed.column("hashes"), mixed.column("near")
    if applied.word.choice == "min_hash":
        tables = applied.value
        source = _never_empty(making, mixed)
        params = applied.params_of("MinHashLSH")
        making.fit(MinHashLSH(numHashTables=tables, inputCol=source, outputCol=hashes, **params))
    else:
        params = {"numHashTables": 1} | applied.params_of("BucketedRandomProjectionLSH")
        tables = int(params["numHashTables"])
        length = float(applied.value)
        making.fit(BucketedRandomProjectionLSH(bucketLength=length, inputCol=mixed.vector, outputCol=hashes, **params))
    columns = {f"{hashes}_{table}": f"{hashes}[{table}]" for table in range(tables)}
    making.select(columns)
    for column in columns:
        making.hint_size(column, 1)
    assemble(making, list(columns), output)
    return mixed.made(output, mixed.numbered(applied.word.choice, tables))


def _never_empty(making: Making, mixed: Mixed) -> str:
    """Return the vector with a slot that is 1 where all others are 0: Spark's MinHash refuses an empty set.

    An assembled vector without a value is sparse, or of one or two slots; SQL sees no more of a vector than its text.
    """
    tight = assemble(making, [mixed.vector], mixed.column("tight"))
    size = len(mixed.slots)
    empty = mixed.column("empty")
    texts = f"'({size},[],[])', '[0.0]', '[0.0,0.0]'"
    making.select({empty: f"CAST(CAST({tight} AS STRING) IN ({texts}) AS DOUBLE)"})
    return assemble(making, [tight, empty], mixed.column("set"))


_MAKERS: Mapping[str, Callable[[Making, Mixed, Applied], Mixed]] = {
    "multiply": _multiply,
    "normalize": _normalize,
    "expand": _expand,
    "reduce": _reduce,
    "select": _select,
    "near": _near,
}
"""Who makes the stages of each word that mixes."""
