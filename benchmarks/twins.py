"""Two embeddings of one language from the two halves of a text, aligned: how far do mapping methods come without a dictionary?

python benchmarks/twins.py TEXT [TEXT …] [--languages en,de] [--out FOLDER]

TEXT is a file of lines, gzipped, with {language} in its name; several are taken as one. Even lines make one embedding and odd lines the other
(positive pointwise mutual information in a window of five words, reduced by a singular value decomposition). The spec is written to FOLDER, where
`crossgraft run` and `crossgraft report` take it too.
"""

from __future__ import annotations

import argparse
import gzip
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import svds

import crossgraft as cg
from crossgraft.cli.progress import watch, watcher
from crossgraft.embeddings.downstream.words import words_of
from crossgraft.embeddings.spaces.space import Vectors

WINDOW = 5
SPEC = """study = "embeddings"
name = "twins"
seeds = [1, 2, 3]

[spaces]
files = "{{language}}.vec"
languages = [{tags}]

[pairs]
use = [{pairs}]

[lexicon]
train = "identical"
held_out = 0.3
sizes = [500, 0]

[methods]
use = ["least-squares", "procrustes", "cca:released", "proc-b", "fipp", "rcsls", "vecmap:supervised", "vecmap:unsupervised"]
shuffled = ["procrustes"]

[methods.settings]
"vecmap:unsupervised" = {{ cutoff = 2000 }}

[tasks.twins]
kind = "twins"
"""


def lines_of(files: Iterable[Path]) -> list[list[str]]:
    """The words of each line, in lower case."""
    texts = (gzip.decompress(file.read_bytes()).decode() for file in files)
    return [words_of(line.lower()) for text in texts for line in text.splitlines()]


def embedded(lines: Sequence[Sequence[str]], words: int, width: int) -> tuple[list[str], Vectors]:
    """The most frequent words and their vectors, left singular vectors times the roots of the singular values."""
    chosen = [word for word, _ in Counter(word for line in lines for word in line).most_common(words)]
    counts = neighbours(lines, {word: row for row, word in enumerate(chosen)})
    u, s, _ = svds(information(counts), k=width, rng=np.random.default_rng(0))
    return chosen, (u * np.sqrt(s)).astype(np.float32)


def neighbours(lines: Sequence[Sequence[str]], index: dict[str, int]) -> csr_array:
    """How often each word is within the window of each other."""
    rows = np.concatenate([[*(index.get(word, -1) for word in line), *[-1] * WINDOW] for line in lines])
    pairs = [np.stack([rows[:-apart], rows[apart:]]) for apart in range(1, WINDOW + 1)]
    x, y = np.concatenate([pair[:, (pair >= 0).all(axis=0)] for pair in pairs], axis=1)
    size = len(index)
    once = csr_array(coo_array((np.ones(len(x)), (x, y)), shape=(size, size)))
    return csr_array(once + once.T)


def information(counts: csr_array) -> csr_array:
    """Positive pointwise mutual information (Levy & Goldberg, 2014), contexts smoothed by the power .75."""
    cells = coo_array(counts)
    x, y = cells.coords
    of_word, of_context = counts.sum(axis=1), counts.sum(axis=0) ** 0.75
    expected = of_word[x] * of_context[y] / of_context.sum()
    return csr_array((np.maximum(np.log(cells.data / expected), 0.0), (x, y)), shape=counts.shape)


def write_vectors(file: Path, words: Sequence[str], vectors: Vectors) -> None:
    rows = (f"{word} {' '.join(f'{value:.5f}' for value in row)}\n" for word, row in zip(words, vectors, strict=True))
    file.write_text(f"{len(words)} {vectors.shape[1]}\n{''.join(rows)}", encoding="utf-8")


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    languages = options.languages.split(",")
    for language in languages:
        lines = lines_of(Path(text.replace("{language}", language)) for text in options.texts)
        for half, tag in enumerate((f"{language}-x-a", f"{language}-x-b")):
            write_vectors(options.out / f"{tag}.vec", *embedded(lines[half::2], options.words, options.width))
    tags = ", ".join(f'"{language}-x-{half}"' for language in languages for half in "ab")
    pairs = ", ".join(f'"{language}-x-a:{language}-x-b"' for language in languages)
    (options.out / "twins.toml").write_text(SPEC.format(tags=tags, pairs=pairs), encoding="utf-8")
    store = cg.Store(options.out)
    campaign = cg.Campaign(cg.load_study(options.out / "twins.toml"), store, cg.Settings(threads=1))
    watch(campaign, watcher(campaign.plan().jobs))
    print(cg.write_report(cg.load_findings(store, "twins"), options.out / "report")[0])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--languages", default="en")
    parser.add_argument("--out", type=Path, default=Path("runs/twins"))
    parser.add_argument("--words", type=int, default=5000, help="of each embedding; default: 5000")
    parser.add_argument("--width", type=int, default=100, help="dimensions; default: 100")
    return parser.parse_args()


if __name__ == "__main__":
    main()
