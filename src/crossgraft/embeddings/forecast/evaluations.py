"""FLOPs of evaluating a mapping on a task, and the arrays it needs; training a classifier is part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossgraft.embeddings.downstream.classifiers.convolutional import Convolutional
from crossgraft.embeddings.downstream.classifiers.decomposable import DecomposableAttention
from crossgraft.embeddings.downstream.classifiers.esim import ESIM
from crossgraft.embeddings.downstream.shape import TextShape
from crossgraft.embeddings.forecast.shapes import HasTexts, PairShape
from crossgraft.embeddings.tasks import EmbeddingTask, LanguagePair
from crossgraft.embeddings.tasks.bli import BLI
from crossgraft.embeddings.tasks.cldc import CLDC
from crossgraft.embeddings.tasks.clir import CLIR
from crossgraft.embeddings.tasks.nli import NLI
from crossgraft.embeddings.tasks.twins import Twins
from crossgraft.errors import CrossgraftError
from crossgraft.study import Origin

_QUERIES = 2000  # of a test dictionary
_TILE = 4 * 4.0 * 1024**2  # similarities at a time, with their maxima and copies
_LBFGS = 5 * 300  # evaluations of the linear model's loss, all penalties
_WORD = 70  # bytes of a word of a text, as a string in a list

Load = tuple[float, Mapping[str, float]]  # FLOPs, bytes of arrays by name


def evaluating(task: EmbeddingTask, pair: LanguagePair, shape: PairShape, origin: Origin) -> Load | None:
    """None for a task that is not counted here, or whose files are not there."""
    if isinstance(task, BLI | Twins):
        return _induction(task, shape)
    if not isinstance(task, HasTexts):
        return None
    try:
        texts = task.text_shape(pair, origin)
    except (CrossgraftError, OSError):
        return None
    if isinstance(task, CLIR):
        return _retrieval(task, texts, shape)
    return _classification(task, texts, shape) if isinstance(task, CLDC | NLI) else None


def _induction(task: BLI | Twins, s: PairShape) -> Load:
    flops = 2.0 * _QUERIES * s.target * s.width + 2.0 * s.source * s.width**2
    if task.retrieval == "nn":
        return flops, {"similarities of a block": _TILE}
    return flops + 2.0 * s.source * s.target * s.width, {"similarities of a block, for CSLS": 2 * _TILE}


def _retrieval(task: CLIR, t: TextShape, s: PairShape) -> Load:
    arrays = {
        "documents as words": float(_WORD * t.answers_words + 16 * t.answers_words),
        "documents as vectors": 2 * 4.0 * t.answers * s.width,
        "scores of documents": 2 * 8.0 * t.asked * t.answers,
    }
    if task.by == "vectors":
        return 2.0 * (t.asked_words + t.answers_words) * s.width + 2.0 * t.asked * t.answers * s.width, arrays
    translated = 2.0 * min(t.asked_words, s.source) * s.target * s.width
    return translated + 2.0 * t.asked_words * t.answers, {**arrays, "documents as vectors": 0.0}


def _classification(task: CLDC | NLI, t: TextShape, s: PairShape) -> Load:
    words = t.asked_words + t.answers_words
    arrays = {"texts as words": float(_WORD * words), "vectors of texts": 2 * 8.0 * words * s.width}
    if isinstance(task, CLDC) and task.model == "linear":
        return 4.0 * _LBFGS * t.asked * s.width * 10, arrays
    network: Any = getattr(task, task.model)
    weights = _weights(network, s.width)
    flops = 6.0 * weights * t.asked_words * network.training.epochs + 2.0 * weights * words
    batch = network.training.batch * words / max(1, t.asked + t.answers)  # words of a batch
    hidden = getattr(network, "hidden", s.width)
    arrays |= {"vectors of texts": 3 * 4.0 * min(words, s.source + s.target) * s.width}
    return flops, {**arrays, "weights and a batch of the classifier": 20.0 * weights + 4 * 40.0 * batch * hidden}


def _weights(network: Convolutional | DecomposableAttention | ESIM, d: int) -> float:
    """Those that each word of a text meets."""
    match network:
        case Convolutional():
            return float(network.filters * sum(network.widths) * d)
        case DecomposableAttention():
            h = network.hidden
            return float(d * h + 2 * h**2 + 3 * h**2)
        case ESIM():
            h = network.hidden
            return float(8 * h * (d + h) + 8 * h**2 + 16 * h**2)
