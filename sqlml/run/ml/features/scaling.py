"""Scaling, and the assembly of columns into vectors: features in, what is scaled alike and all others out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlml.ir.chains import FeatureTransform
from sqlml.ir.features import INTERNAL_PREFIX
from sqlml.run.ml.features.making import NULL_LABEL, Block, Making, block_of, in_groups


def assemble(making: Making, columns: Sequence[str], output: str) -> str:
    """Put columns together into one vector and return its name; a null is NaN in it."""
    from pyspark.ml.feature import VectorAssembler

    making.add(VectorAssembler(inputCols=list(columns), outputCol=output, handleInvalid="keep"))
    return output


def scaled_blocks(making: Making, parts: Sequence[FeatureTransform | Block], tag: str = "") -> list[Block]:
    """Return the blocks of a vector: what is scaled alike in one, first; then all others in their order.

    Args:
        making: gets the stages.
        parts: features by themselves, and blocks that are ready.
        tag: tells the columns of one vector from those of another.
    """
    features = [part for part in parts if not isinstance(part, Block)]
    said = [(transform, transform.said("scale")) for transform in features]
    scaled = [(transform, applied) for transform, applied in said if applied is not None and applied.word.stages]
    blocks: list[Block] = []
    for number, (method, params, transforms) in enumerate(in_groups(scaled)):
        raw, output = f"{INTERNAL_PREFIX}block_{tag}{number}", f"{INTERNAL_PREFIX}scaled_{tag}{number}"
        members = _each_once(making, transforms)
        assemble(making, [column for block in members for column in block.columns], raw)
        making.fit(_scaler(method)(inputCol=raw, outputCol=output, **params))
        blocks.append(Block((output,), tuple(slot for block in members for slot in block.slots)))
    is_scaled = {transform.column for transform, _ in scaled}
    rest: list[Block] = []
    for part in parts:
        if isinstance(part, Block):
            rest.append(part)
            continue
        block = making.blocks[part.column]
        if part.column not in is_scaled and block not in rest:
            rest.append(block)
        if part.mixing is None:
            rest += indicator_blocks(making, part)
    return [*blocks, *rest]


def indicator_blocks(making: Making, transform: FeatureTransform) -> list[Block]:
    """Return the slot that says where a feature is null, if it has one; nothing is scaled or mixed with it."""
    column = making.indicators.get(transform.column)
    return [] if column is None else [block_of(column, (f"{transform.column}={NULL_LABEL}",), transform.column)]


def _each_once(making: Making, transforms: Sequence[FeatureTransform]) -> list[Block]:
    """Return the features' blocks; features that were hashed together have one."""
    return list(dict.fromkeys(making.blocks[transform.column] for transform in transforms))


def _scaler(method: str) -> Any:
    from pyspark.ml import feature

    return {
        "standard": feature.StandardScaler,
        "min_max": feature.MinMaxScaler,
        "max_abs": feature.MaxAbsScaler,
        "robust": feature.RobustScaler,
    }[method]
