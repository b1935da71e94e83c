"""What is done to a feature, in words: a resolved transform in, one line for a person out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlml.ir.words import Kind

if TYPE_CHECKING:
    from sqlml.ir.chains import Applied, FeatureTransform

_TEXTS = {
    "tokens": "a 0/1 slot for each word",
    "ngrams": "counts of runs of words",
    "counts": "counts of words",
    "hashing_tf": "counts of words by hash",
    "tf_idf": "counts of words, the rare weighing more",
    "word2vec": "the mean of its words' learnt vectors",
}
_ENCODINGS = {"index": "indexed", "one_hot": "one-hot", "target": "its mean label", "hash": "hashed"}


def describe_feature(transform: FeatureTransform) -> str:
    """Return the column, its type and what is done to it, in order."""
    done = [] if transform.expr is None else [transform.expr]
    for applied in transform.words:
        done += _say(applied, transform)
        done += [f"{name} {value}" for name, value in applied.params.items()]
    if transform.mixing is not None:
        for applied in transform.mixing.words:
            done.append(f"with its entry's columns {_mix(applied)}")
            done += [f"{name} {value}" for name, value in applied.params.items()]
    return f"{transform.column} ({transform.type}): {', '.join(done) or 'as it is'}"


def _say(applied: Applied, transform: FeatureTransform) -> Iterator[str]:
    key, value = applied.word.key, applied.value
    if key == "impute":
        yield f"null becomes {f'the learnt {value}' if applied.word.choice else repr(value)}"
    elif key == "indicator":
        yield "a slot says where it is null"
    elif key == "clip":
        yield f"clipped to {_range(*value)}"
    elif key == "binarize":
        yield f"1 above {value:g}"
    elif key == "bucket":
        yield f"ranges cut at {', '.join(f'{split:g}' for split in value)}"
    elif key == "quantiles":
        yield f"{value} ranges of equally many rows"
    elif key == "encode":
        yield from _encode(applied, transform)
    elif key == "text":
        yield _TEXTS[value] + _without(transform.stop_words)
    elif key == "scale" and value != "none":
        yield f"{value.replace('_', '-')} scaling"


def _encode(applied: Applied, transform: FeatureTransform) -> Iterator[str]:
    count = transform.max_categories
    if transform.kind in (Kind.ARRAY, Kind.VECTOR):
        yield f"slots with at most {count} values"
    elif transform.is_range:
        yield "null has a slot of its own" if transform.said("impute") is None else "in order"
    elif applied.value != "hash":
        most = "all values" if count is None else f"the {count} most frequent values"
        if transform.unseen == "null":
            yield f"{most} have a slot each, null and all others share one"
        else:
            yield f"{most}, null and all others have a slot each"
        if transform.unseen == "error":
            yield "a value that was never seen is an error"
    yield _ENCODINGS[applied.value]


def _mix(applied: Applied) -> str:
    key, value = applied.word.key, applied.value
    return {
        "multiply": "times factors",
        "normalize": f"divided by their norm ({value})",
        "expand": {"polynomial": "their products", "interaction": "their product", "dct": "their cosine transform"}.get(
            value, ""
        ),
        "reduce": f"to {value} principal components",
        "select": f"selected by {applied.word.choice.replace('_', '-')}",
        "near": f"hashed by {applied.word.choice.replace('_', '-')}",
    }[key]


def _without(stop_words: Any) -> str:
    if stop_words is None:
        return ""
    return f", without {stop_words} stop words" if isinstance(stop_words, str) else f", without {len(stop_words)} words"


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"[{low:g}, {high:g}]"
