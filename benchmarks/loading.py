"""How long a file of vectors takes to load: ours, our cache, a plain NumPy parse, a loop, and gensim where installed.

    python benchmarks/loading.py [--words 200000] [--width 300] [--rounds 3]

All read the same synthetic word2vec text into float32 rows, in turns, so that a busy machine is busy for all; the least
of the rounds is printed, in seconds of the clock and of the processor.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crossgraft.embeddings.spaces.space import read_space

Loaded = tuple[list[str], np.ndarray]


def synthetic(file: Path, words: int, width: int) -> None:
    """word2vec text with a header, four decimals a number."""
    rng = np.random.default_rng(0)
    with file.open("w", encoding="utf-8") as out:
        out.write(f"{words} {width}\n")
        for start in range(0, words, 1000):
            rows = rng.normal(scale=0.3, size=(min(1000, words - start), width))
            out.writelines(f"word{start + n} {' '.join(map('{:.4f}'.format, row))}\n" for n, row in enumerate(rows))


def ours(file: Path) -> Loaded:
    space = read_space(file)
    return list(space.words), space.vectors


def numpy_blocks(file: Path, size: int = 4 << 20) -> Loaded:
    """The fastest plain NumPy we know: words cut off in Python, one ``fromstring`` a block."""
    words: list[bytes] = []
    parts: list[np.ndarray] = []
    with file.open("rb") as stream:
        width = int(stream.readline().split()[1])
        while lines := stream.readlines(size):
            numbers = []
            for line in lines:
                word, _, rest = line.partition(b" ")
                words.append(word)
                numbers.append(rest)
            parts.append(np.fromstring(b" ".join(numbers), dtype=np.float32, sep=" ").reshape(-1, width))
    return [word.decode() for word in words], np.concatenate(parts)


def loop(file: Path) -> Loaded:
    """A line at a time, as most scripts do it."""
    words, rows = [], []
    with file.open(encoding="utf-8") as stream:
        stream.readline()
        for line in stream:
            word, *numbers = line.rstrip().split(" ")
            words.append(word)
            rows.append(np.array(numbers, dtype=np.float32))
    return words, np.stack(rows)


def gensim(file: Path) -> Loaded:
    from gensim.models import KeyedVectors

    loaded = KeyedVectors.load_word2vec_format(str(file))
    return loaded.index_to_key, loaded.vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file, kept = Path(folder) / "x.vec", Path(folder) / "kept"
        synthetic(file, asked.words, asked.width)
        print(f"{asked.words:,} words × {asked.width}, {file.stat().st_size / 2**20:.0f} MiB of text")

        def cached(file: Path) -> Loaded:
            space = read_space(file, kept=kept)
            return list(space.words), space.vectors.copy()

        ways: dict[str, Callable[[Path], Loaded]] = {
            "ours": ours,
            "ours, from the cache": cached,
            "NumPy by blocks": numpy_blocks,
            "a line at a time": loop,
            "gensim": gensim,
        }
        for name, (clock, processor) in in_turns(ways, file, asked.rounds).items():
            print(f"{name:22} {clock:7.2f} s {processor:7.2f} s of processor")


def in_turns(ways: dict[str, Callable[[Path], Loaded]], file: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """The least seconds of each way, after checking that all load the same."""
    best: dict[str, tuple[float, float]] = {}
    words, vectors = ways["ours, from the cache"](file)  # fills it
    for _ in range(rounds):
        for name, load in ways.items():
            clock, processor = time.perf_counter(), time.process_time()
            try:
                found = load(file)
            except ImportError:
                continue
            taken = time.perf_counter() - clock, time.process_time() - processor
            best[name] = min(best.get(name, taken), taken)
            assert list(found[0]) == words, name
            np.testing.assert_allclose(found[1], vectors, rtol=1e-6)
    return best


if __name__ == "__main__":
    main()
