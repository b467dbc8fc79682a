"""What unsupervised methods end with: refinement of an induced dictionary, and whether it converged."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import Mapping, Matrix
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.dictionary import mutual
from crossgraft.embeddings.retrieval import Neighbours, nearest
from crossgraft.embeddings.spaces.space import Vectors, unit

_CONTROLS = 5
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


def verdict(x: Vectors, y: Vectors, found: Refined) -> dict[str, Any]:
    """Facts about a rotation found without a dictionary; ``converged`` is the unsupervised criterion.

    Refinement brings the words it is fitted to near to something whatever it begins with; spaces of like shape are near
    to one another whatever their words mean. So the rotation is refined on every second word of the source, and so are
    controls, the same rotation after the source was mirrored in a part of its principal axes, which leaves its spectrum
    and takes its meanings. The ``gain`` is how much nearer it brings the other words than the controls do, as a share
    of what these lack to cosine 1. Controls that find back to the rotation's own neighbours speak for it and are left
    out; of those that differ it has to beat each, and their mean by the ``margin``, which is ``needed``.
    """
    facts = {"pairs": list(found.sizes)}
    fitted, others = x[::2], x[1::2]
    if len(others) == 0:
        return {**facts, "converged": False}
    w = refined(fitted, y, found.w, _CONTROL_ROUNDS).w
    own = closest_words(others, y, w)
    controls = [
        closest_words(others, y, refined(fitted, y, mirror @ found.w, _CONTROL_ROUNDS).w) for mirror in mirrors(x)
    ]
    nearness = float(own.similarity.mean())
    differing = [float(control.similarity.mean()) for control in controls if np.mean(control.rows == own.rows) <= 0.5]
    gain = (nearness - np.mean(differing)) / (1 - np.mean(differing)) if differing else 1.0
    needed = margin(*x.shape)
    passes = gain > needed and nearness > max(differing, default=0.0)
    return {**facts, "objective": nearness, "gain": float(gain), "needed": needed, "converged": bool(passes)}


def margin(words: int, width: int) -> float:
    """The gain from which on a rotation of so many vectors passes: ours, from trials.

    A fit to n words of d dimensions gains something like √(d/n) whatever they mean. On small vectors of eight
    languages, d = 100, failed runs of five methods gained at most .05 with 12,000 words, .074 with 4,000 and .104 with
    2,000; those that succeeded (a MAP of .05 or more) at least .097, .095 and .112, the last, of a MAP of .057, being
    doubted. In fewer dimensions likeness of shape alone gains more: up to .29 with 20, where words lie in clusters, and
    .29 with 8, where not.
    """
    return min(max(0.06, 0.55 * sqrt(width / words), 6 / width), 0.8)


def closest_words(x: Vectors, y: Vectors, w: Matrix) -> Neighbours:
    """For each row of x, mapped, the nearest row of y."""
    return nearest(unit(Mapping(source=w).map_source(x)), unit(y))


def mirrors(x: Vectors) -> list[Matrix]:
    """Reflections (d, d) that leave the second moments of x as they are: Walsh patterns of signs on its principal axes."""
    _, axes = np.linalg.eigh((x.T @ x).astype(np.float64))
    places = range(axes.shape[1])
    signs = [[(-1.0) ** (place & pattern).bit_count() for place in places] for pattern in range(1, _CONTROLS + 1)]
    return [np.asarray((axes * sign) @ axes.T) for sign in signs]
