"""What unsupervised methods end with: refinement of an induced dictionary, and whether to believe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import Mapping, Matrix
from crossgraft.embeddings.mapping._dictionary import BLOCK, mutual
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.retrieval import nearest
from crossgraft.embeddings.space import Vectors, unit

_CONTROLS = 3
_MARGIN = 0.04  # of the distance left to go


@dataclass(frozen=True)
class Refined:
    """A rotation, the mutual neighbours it was fitted to, and their number in each round."""

    w: Matrix
    pairs: Pairs
    sizes: tuple[int, ...]


def refined(x: Vectors, y: Vectors, w: Matrix, rounds: int) -> Refined:
    """Mutual nearest neighbours and Procrustes in turns, until the neighbours stay the same or for so many rounds."""
    pairs, sizes = np.empty((0, 2), dtype=np.int64), list[int]()
    for _ in range(rounds):
        found, _ = mutual(Mapping(source=w).map_source(x), y)
        if np.array_equal(found, pairs):
            break
        pairs, w = found, rotation(x[found[:, 0]], y[found[:, 1]])
        sizes.append(len(found))
    return Refined(w, pairs, tuple(sizes))


def closeness(x: Vectors, y: Vectors, w: Matrix) -> float:
    """The mean cosine of mapped words to their nearest words of the other language."""
    return float(nearest(unit(Mapping(source=w).map_source(x)), unit(y), block=BLOCK).similarity.mean())


def verdict(x: Vectors, y: Vectors, found: Refined) -> dict[str, Any]:
    """Facts about a rotation found without a dictionary; ``converged`` says, without one, whether to believe it.

    Refinement brings words near to something whatever it begins with, the nearer the more alike the spectra of the two
    spaces are. So it is done again, for as many rounds, from the same rotation after the source was mirrored in a part
    of its principal axes: its spectrum is as before, its meanings are not. A rotation that relates the languages brings
    words nearer than these controls do, by ``_MARGIN`` of what they lack to cosine 1 and by three of their standard
    deviations; or a control finds back to its dictionary. The margin is ours: with 100-dimensional vectors of eight
    languages failed runs gained up to .03 and rotations from a dictionary .046 (the weakest pair) to .20.
    """
    own = closeness(x, y, found.w)
    controls = [refined(x, y, mirror @ found.w, len(found.sizes)) for mirror in mirrors(x)]
    values = np.array([closeness(x, y, one.w) for one in controls])
    nearer = own - values.mean() > max(_MARGIN * (1 - values.mean()), 3 * values.std(ddof=1))
    back = any(_shared(found.pairs, one.pairs) > 0.5 for one in controls)
    return {
        "pairs": list(found.sizes),
        "objective": own,
        "control": float(values.mean()),
        "converged": bool(nearer or back),
    }


def mirrors(x: Vectors) -> list[Matrix]:
    """Reflections (d, d) that leave the second moments of x as they are: every second principal axis turned, every
    second two, every second four.
    """
    _, axes = np.linalg.eigh((x.T @ x).astype(np.float64))
    places = np.arange(axes.shape[1])
    return [np.asarray((axes * np.where((places >> shift) % 2, -1.0, 1.0)) @ axes.T) for shift in range(_CONTROLS)]


def _shared(some: Pairs, others: Pairs) -> float:
    """The share of some pairs that are among the others; none of none."""
    known = {tuple(pair) for pair in others.tolist()}
    return sum(tuple(pair) in known for pair in some.tolist()) / max(len(some), 1)
