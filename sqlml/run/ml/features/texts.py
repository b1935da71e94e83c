"""Texts: split into words, counted by a vocabulary or by hash, weighed, or embedded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlml.ir.chains import Applied, FeatureTransform
from sqlml.ir.words import Kind
from sqlml.run.ml.features.learnt import digest
from sqlml.run.ml.features.making import Making

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_COUNTED = ("tokens", "ngrams", "counts", "hashing_tf", "tf_idf")
_RUN = 2  # words in a run unless `n` says otherwise


def split_words(making: Making) -> None:
    """Split texts into words, leave stop words out, join runs of words; arrays of strings are words already."""
    from pyspark.ml.feature import NGram, RegexTokenizer

    for transform, applied in making.with_word("text"):
        name = making.column_of(transform)
        if transform.kind is Kind.CATEGORY:
            params = applied.params_of("RegexTokenizer")
            _check_pattern(making, transform, applied)
            making.add(RegexTokenizer(inputCol=name, outputCol=f"{name}_words", **params))
            name = f"{name}_words"
        remover = _remover(transform, applied, name)
        if remover is not None:
            making.add(remover)
            name = f"{name}_kept"
        if applied.value == "ngrams" or "n" in applied.params:
            length = int(applied.params.get("n", _RUN))
            making.add(NGram(n=length, inputCol=name, outputCol=f"{name}_runs"))
            name = f"{name}_runs"
        making.replace(transform, name)


def _check_pattern(making: Making, transform: FeatureTransform, applied: Applied) -> None:
    """Refuse what Java takes for no regular expression: Python's own differ."""
    from pyspark.errors import IllegalArgumentException

    pattern = applied.params.get("pattern")
    if pattern is None:
        return
    jvm: Any = making.rows.sparkSession._jvm
    try:
        jvm.java.util.regex.Pattern.compile(pattern)
    except IllegalArgumentException as error:
        why = str(error).partition("\n")[0]
        what = f"the param 'pattern' of '{transform.column}' is no regular expression: {why}"
        raise making.refuse(applied, what, "see java.util.regex.Pattern") from error


def _remover(transform: FeatureTransform, applied: Applied, name: str) -> Any:
    from pyspark.ml.feature import StopWordsRemover

    given = transform.stop_words
    if given is None and not {"caseSensitive", "locale"} & applied.params.keys():
        return None
    given = "english" if given is None else given
    words = StopWordsRemover.loadDefaultStopWords(given) if isinstance(given, str) else list(given)
    params = applied.params_of("StopWordsRemover")
    return StopWordsRemover(stopWords=words, inputCol=name, outputCol=f"{name}_kept", **params)


def count_words(making: Making) -> None:
    """Count words; `tf_idf` weighs the counts, the words of few texts most."""
    from pyspark.ml.feature import IDF

    for transform, applied in making.with_word("text", *_COUNTED):
        is_hashed = applied.value == "hashing_tf" or (applied.value == "tf_idf" and "numFeatures" in applied.params)
        names = _hash_words(making, transform, applied) if is_hashed else _look_words_up(making, transform, applied)
        name = making.column_of(transform)
        if applied.value == "tf_idf":
            making.fit(IDF(inputCol=name, outputCol=f"{name}_idf", **applied.params_of("IDF")))
            name = f"{name}_idf"
        making.replace(transform, name, names)


def _hash_words(making: Making, transform: FeatureTransform, applied: Applied) -> list[str]:
    from pyspark.ml.feature import HashingTF

    name = making.column_of(transform)
    params = applied.params_of("HashingTF")
    making.add(HashingTF(inputCol=name, outputCol=f"{name}_counts", **params))
    making.replace(transform, f"{name}_counts")
    return [f"{transform.column}#{slot}" for slot in range(int(params["numFeatures"]))]


def _look_words_up(making: Making, transform: FeatureTransform, applied: Applied) -> list[str]:
    from pyspark.ml.feature import CountVectorizerModel

    name = making.column_of(transform)
    params = applied.params_of("CountVectorizer")
    size, least, most = int(params["vocabSize"]), params.get("minDF", 1.0), params.get("maxDF", 2.0**63)
    words = making.learnt.once(
        digest("vocabulary", making.origins[name], size, least, most),
        lambda: learn_vocabulary(making.rows, name, size, least, most),
    )
    if not words:
        what = f"feature '{transform.column}' has no word left to count in the training rows"
        raise making.refuse(
            applied, what, "look at its stop_words, minDF, maxDF, minTokenLength and pattern, or leave it out"
        )
    counting = {"minTF": params.get("minTF"), "binary": params.get("binary", applied.value == "tokens")}
    model = CountVectorizerModel.from_vocabulary(words, inputCol=name, outputCol=f"{name}_counts", **counting)
    making.add_learnt(model, name, words, sorted(counting.items()))
    making.replace(transform, f"{name}_counts")
    return [f"{transform.column}:{word}" for word in words]


def learn_vocabulary(rows: DataFrame, column: str, size: int, least: float, most: float) -> list[str]:
    """Return the most frequent words, ties by the alphabet: CountVectorizer's vocabulary, which leaves ties to chance.

    Args:
        rows: have the words in `column`.
        size: how many at most.
        least, most: in how many texts a word must and may be, or in what share of them if it is below 1.
    """
    from pyspark.sql import functions as sf

    limits = {end: end if end >= 1 else end * rows.count() for end in (least, most)}
    counted = rows.select(sf.explode(column).alias("word"), sf.lit(1).alias("count"), sf.lit(0).alias("texts"))
    if limits[least] > 1 or limits[most] < 2.0**63:
        once = sf.explode(sf.array_distinct(column)).alias("word")
        counted = counted.unionAll(rows.select(once, sf.lit(0), sf.lit(1)))
    totals = counted.groupBy("word").agg(sf.sum("count").alias("count"), sf.sum("texts").alias("texts"))
    if limits[least] > 1 or limits[most] < 2.0**63:
        totals = totals.where(sf.col("texts").between(limits[least], limits[most]))
    return [row.word for row in totals.orderBy(sf.desc("count"), "word").limit(size).select("word").collect()]


def embed_words(making: Making) -> None:
    """Let the mean of its words' learnt vectors stand for a text."""
    from pyspark.ml.feature import Word2Vec
    from pyspark.sql import functions as sf

    for transform, applied in making.with_word("text", "word2vec"):
        name = making.column_of(transform)
        params = applied.params_of("Word2Vec")
        least = int(params.get("minCount", 5))
        words = making.rows.select(sf.explode(name).alias("word")).groupBy("word").count()
        frequent = words.where(sf.col("count") >= least)
        if making.learnt.once(digest("no words", making.origins[name], least), frequent.isEmpty):
            what = f"feature '{transform.column}' has no word that stands {least} times in the training rows"
            raise making.refuse(applied, what, "lower minCount, or leave it out")
        fitted = making.fit(Word2Vec(inputCol=name, outputCol=f"{name}_vector", **params))
        size = fitted.getVectorSize()
        making.hint_size(f"{name}_vector", size)
        making.replace(transform, f"{name}_vector", [f"{transform.column}[{slot}]" for slot in range(size)])
