"""Retrieval by sums of word vectors over language pairs and methods, against a loop over texts and words; both give the same scores.

    OMP_NUM_THREADS=1 python benchmarks/clir.py [--pairs 3] [--methods 4] [--documents 2000] [--queries 100] [--length 200]

The loop maps the vocabularies, then adds up the vectors of each document word by word, for each pair and method anew, as scripts of the
field do (Litschko et al., 2018, among them). Here texts are split and counted once a language, summed once a language as long as its side is
not mapped, and sums are mapped rather than words. Reading and splitting texts is on neither side. Seconds are of the processor. The
last line scales the parts by how often each is done with 28 pairs, 10 methods, 8 languages, 2,000 queries and 100,000 documents.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from measuring import timed

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.documents.bags import bags
from crossgraft.embeddings.downstream.words import LookUp
from crossgraft.embeddings.spaces.space import Vectors, unit

Texts = list[list[str]]


def by_loops(queries: Texts, documents: Texts, source: Vectors, target: Vectors, maps: list[Vectors]) -> list[Floats]:
    """One score matrix a method; a word is ``w`` and its row."""
    df: dict[str, int] = {}
    for text in documents:
        for word in set(text):
            df[word] = df.get(word, 0) + 1
    idf = {word: float(np.log(len(documents) / count)) for word, count in df.items()}
    found = []
    for matrix in maps:
        mapped = source @ matrix
        offered = np.zeros((len(documents), target.shape[1]), dtype=np.float32)
        for place, text in enumerate(documents):
            for word in text:
                offered[place] += np.float32(idf[word]) * target[int(word[1:])]
            offered[place] /= np.linalg.norm(offered[place])
        scores = np.empty((len(queries), len(documents)))
        for place, text in enumerate(queries):
            sought = np.sum([mapped[int(word[1:])] for word in text], axis=0)
            scores[place] = offered @ (sought / np.linalg.norm(sought))
        found.append(scores)
    return found


@dataclass(frozen=True)
class Parts:
    """Seconds of the processor: counting the words of a collection, summing their vectors, one method on one pair, its product alone."""

    counted: float
    summed: float
    ranked: float
    product: float


def by_products(
    queries: Texts, documents: Texts, source: Vectors, target: Vectors, maps: list[Vectors]
) -> tuple[list[Floats], Parts]:
    """One pair, with the share of each part."""
    index = {f"w{row}": row for row in range(len(source))}
    (asked, texts), counted = timed(lambda: (bags(queries, LookUp(index)), bags(documents, LookUp(index))))
    (offered, sums), summed = timed(lambda: (unit(texts.embedded(target, weighted=True)), asked.sums(source)))
    scores, ranked = timed(lambda: [np.asarray(unit(sums @ matrix) @ offered.T) for matrix in maps])
    _, product = timed(lambda: [sums @ offered.T for _ in maps])
    return scores, Parts(counted.cpu, summed.cpu, ranked.cpu / len(maps), product.cpu / len(maps))


def whole(slow: float, parts: Parts, size: argparse.Namespace) -> str:
    """The study of the docs, by counts: the loop a pair and method, words and sums a language, products a pair and method."""
    pairs, methods, languages = 28, 10, 8
    documents, products = 100_000 / size.documents, 100_000 * 2_000 / size.documents / size.queries
    loops = pairs * methods * slow * documents
    multiplied = pairs * methods * parts.product * products
    ours = languages * (parts.counted + parts.summed) * documents + pairs * methods * parts.ranked * products
    return (
        f"28 pairs, 10 methods, 100,000 documents, 2,000 queries, by counts: loops {loops / 3600:.1f} h, here {ours / 3600:.2f} h, "
        f"{loops / ours:.0f} times less; {ours / multiplied:.1f} times the matrix products alone"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in {
        "pairs": 3, "methods": 4, "words": 20_000, "width": 300, "documents": 2_000, "queries": 100, "length": 200,
    }.items():  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=number)
    size = parser.parse_args()
    rng = np.random.default_rng(0)
    slow = fast = apart = 0.0
    zipf = 1 / np.arange(1, size.words + 1)
    for _ in range(size.pairs):
        source, target = (rng.normal(size=(size.words, size.width)).astype(np.float32) for _ in range(2))
        turns = [np.linalg.qr(rng.normal(size=(size.width, size.width)))[0] for _ in range(size.methods)]
        maps = [turn.astype(np.float32) for turn in turns]
        queries, documents = (
            [[f"w{row}" for row in rows] for rows in rng.choice(size.words, (count, length), p=zipf / zipf.sum())]
            for count, length in ((size.queries, 8), (size.documents, size.length))
        )
        loops, looped = timed(lambda: by_loops(queries, documents, source, target, maps))  # noqa: B023 - called here
        products, parts = by_products(queries, documents, source, target, maps)
        slow, fast = slow + looped.cpu, fast + parts.counted + parts.summed + parts.ranked * size.methods
        apart = max(apart, *(float(np.abs(one - other).max()) for one, other in zip(loops, products, strict=True)))
    print(
        f"{size.pairs} pairs, {size.methods} methods: loops {slow:.2f} s, here {fast:.2f} s, {slow / fast:.1f} times less; scores differ by at most {apart:.1e}"
    )
    print(
        f"a pair here: words counted {parts.counted:.3f} s, vectors summed {parts.summed:.3f} s, each method {parts.ranked:.4f} s, of it the product {parts.product:.4f} s"
    )
    print(whole(slow / size.pairs / size.methods, parts, size))


if __name__ == "__main__":
    main()
