"""Retrieval by sums of word vectors for several methods, against a loop over texts and words; both give the same scores.

    OMP_NUM_THREADS=1 python benchmarks/clir.py [--documents 2000] [--queries 100] [--methods 4] [--length 200]

The loop maps the vocabularies, then adds up the vectors of each document word by word, for each method anew, as scripts of the field
do (Litschko et al., 2018, among them). Here texts are split and counted once, sums are products of a sparse matrix,
and sums are mapped rather than words. Reading and splitting texts is on neither side. Seconds are of the processor.
"""

from __future__ import annotations

import argparse

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


def by_products(
    queries: Texts, documents: Texts, source: Vectors, target: Vectors, maps: list[Vectors]
) -> list[Floats]:
    index = {f"w{row}": row for row in range(len(source))}
    asked, texts = bags(queries, LookUp(index)), bags(documents, LookUp(index))
    offered, sums = unit(texts.sums(target, texts.idf)), asked.sums(source)
    return [np.asarray(unit(sums @ matrix) @ offered.T, dtype=np.float64) for matrix in maps]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, size in (
        ("words", 20_000),
        ("width", 300),
        ("documents", 2_000),
        ("queries", 100),
        ("methods", 4),
        ("length", 200),
    ):
        parser.add_argument(f"--{name}", type=int, default=size)
    size = parser.parse_args()
    rng = np.random.default_rng(0)
    source, target = (rng.normal(size=(size.words, size.width)).astype(np.float32) for _ in range(2))
    maps = [np.linalg.qr(rng.normal(size=(size.width, size.width)))[0].astype(np.float32) for _ in range(size.methods)]
    zipf = 1 / np.arange(1, size.words + 1)
    queries, documents = (
        [[f"w{row}" for row in rows] for rows in rng.choice(size.words, (count, length), p=zipf / zipf.sum())]
        for count, length in ((size.queries, 8), (size.documents, size.length))
    )
    loops, slow = timed(lambda: by_loops(queries, documents, source, target, maps))
    products, fast = timed(lambda: by_products(queries, documents, source, target, maps))
    apart = max(float(np.abs(one - other).max()) for one, other in zip(loops, products, strict=True))
    print(
        f"loops {slow.cpu:.2f} s, products {fast.cpu:.2f} s: {slow.cpu / fast.cpu:.1f} times less; scores differ by at most {apart:.1e}"
    )


if __name__ == "__main__":
    main()
