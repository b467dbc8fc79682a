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

_SHIFTS = (0.25, 0.5, 0.75)  # of the dictionary's length: each gives every word the translation of another
_CONTROL_ROUNDS = 10


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
    """Facts about a rotation found without a dictionary, and without looking at one whether it ``converged``.

    Refinement makes words near to something whatever it begins with. So it is begun again from the same dictionary
    wrongly paired, three times, each pairing shifted by a quarter. A rotation that relates the languages brings words
    nearer than the controls do, by more than they vary; or the controls lead back to its own dictionary.
    """
    own = closeness(x, y, found.w)
    facts = {"pairs": list(found.sizes), "objective": own}
    if len(found.pairs) < len(_SHIFTS) + 1:
        return {**facts, "converged": False}
    controls = [_control(x, y, found.pairs, shift) for shift in _SHIFTS]
    values = np.array([closeness(x, y, one.w) for one in controls])
    same = max(_shared(found.pairs, one.pairs) for one in controls)
    nearer = own - values.mean() > max(_MARGIN * (1 - values.mean()), 3 * values.std(ddof=1))
    return {**facts, "control": float(values.mean()), "converged": bool(nearer or same > 0.5)}
