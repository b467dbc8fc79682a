"""FLOPs of fitting a mapping, and its largest array: the products and decompositions that dominate each method.

n and m are words of source and target, d the width, p the pairs. A multiply and an add are two FLOPs; a singular value decomposition
of d by d counts 22 d³ (Golub and Van Loan, 2013). Methods that stop by themselves count with all their rounds, self-learning with 300.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, log2
from typing import Any

from crossgraft.embeddings.forecast.shapes import PairShape
from crossgraft.embeddings.mapping import Mapper

_SVD = 22
_LEARNT = 300  # rounds of self-learning: the share of candidates is doubled four times, after 50 rounds each
_SINKHORN = 100  # scalings of a round of optimal transport
_STARTS = 10  # epochs of a start of ICP before it is compared

Load = tuple[float, float]  # FLOPs, bytes of the largest array
_Method = Any  # the frozen value of a method: each has fields of its own


def fitting(name: str, method: Mapper, shape: PairShape) -> Load | None:
    """None for a method that is not counted here."""
    known = _LOADS.get(name.partition(":")[0])
    return known(method, shape) if known else None


def _product(n: float, m: float, d: float) -> float:
    return 2 * n * m * d


def _rotation(p: float, d: float) -> float:
    return _product(d, d, p) + _SVD * d**3


def _closed(decompositions: int) -> Callable[[_Method, PairShape], Load]:
    def load(_: _Method, s: PairShape) -> Load:
        return decompositions * _rotation(s.pairs, s.width), 8.0 * s.pairs * s.width

    return load


def _fipp(_: _Method, s: PairShape) -> Load:
    return 2 * _product(s.pairs, s.pairs, s.width) + 4 / 3 * s.pairs**3, 28.0 * s.pairs**2


def _proc_b(method: _Method, s: PairShape) -> Load:
    rounds = {"paper": 1, "growing": 10, "csls": 2 * method.rounds}[method.mode]
    n, m = (min(words, method.search or words) for words in (s.source, s.target))
    return rounds * _product(n, m, s.width) + 2 * _rotation(s.pairs, s.width), 4.0 * n * s.width


def _dlv(method: _Method, s: PairShape) -> Load:
    n, m = min(s.source, method.search), min(s.target, method.search)
    return method.rounds * (_product(n, m, s.width) + _rotation(n, s.width)), 8.0 * n * s.width


def _rcsls(method: _Method, s: PairShape) -> Load:
    step = _product(s.pairs, s.source + s.target, s.width) + _product(s.source, s.width, s.width)
    return (method.iterations + 1) * step, 4.0 * s.source * s.width


def _c1(method: _Method, s: PairShape) -> Load:
    step = 6 * _product(s.pairs, 2 * method.negatives, s.width)
    mined = 2 * _product(s.source, s.target, s.width)
    return method.rounds * (method.steps * step + mined), 8.0 * s.pairs * method.negatives


def _vecmap(method: _Method, s: PairShape) -> Load:
    flops, largest = 5 * _rotation(s.pairs, s.width), 8.0 * s.pairs * s.width
    if method.mode == "supervised":
        return flops, largest
    n, m = min(s.source, method.cutoff), min(s.target, method.cutoff)
    flops += _LEARNT * (2 * _product(n, m, s.width) + _rotation(n, s.width))
    if method.mode == "unsupervised":
        seeds = min(n, m, method.seed_cutoff)
        flops += 2 * _product(seeds, seeds, seeds)
        largest = 24.0 * seeds**2  # similarities within a language, in float64, and sorted
    return flops, largest


def _muse(method: _Method, s: PairShape) -> Load:
    paired = min(s.source, s.target, method.paired)
    flops = method.refinements * 2 * _product(paired, paired, s.width)
    if method.mode == "unsupervised":
        hidden, batch = method.game.hidden, method.game.batch
        steps = method.epochs * method.samples / batch * (method.game.guesses + 1)
        flops += steps * 3 * _product(2 * batch, hidden, s.width + hidden)
        flops += method.epochs * 2 * _product(min(method.judged, s.source), s.target, s.width)
    return flops, 4.0 * paired * s.width


def _icp(method: _Method, s: PairShape) -> Load:
    n = min(s.source, s.target, method.words)
    epochs = method.restarts * _STARTS + max(method.restarts // 10, 1) * method.epochs
    more = min(s.source, s.target, method.more_words)
    refined = method.rounds * (_product(n, n, s.width) + _product(more, more, s.width))
    return epochs * _product(n, n, method.components) + refined, 8.0 * n * s.width


def _gromov_wasserstein(method: _Method, s: PairShape) -> Load:
    n = min(s.source, s.target, method.words)
    rounds = method.rounds + 5 * max(0, ceil(log2(0.05 / method.epsilon)))
    flops = rounds * (2 * _product(n, n, n) + _SINKHORN * 8 * n**2)
    if method.mode == "refined":
        more = min(s.source, s.target, method.more_words)
        flops += method.refinements * _product(more, more, s.width)
    return flops, 80.0 * n**2


_LOADS: Mapping[str, Callable[[_Method, PairShape], Load]] = {
    "least-squares": _closed(1),
    "procrustes": _closed(1),
    "cca": _closed(3),
    "fipp": _fipp,
    "proc-b": _proc_b,
    "dlv": _dlv,
    "rcsls": _rcsls,
    "c1": _c1,
    "vecmap": _vecmap,
    "muse": _muse,
    "icp": _icp,
    "gromov-wasserstein": _gromov_wasserstein,
}
