"""The training loop, and texts as padded batches."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.classifiers.encoded import Encoded, Examples, Rows
from crossgraft.embeddings.downstream.classifiers.training import Network, Training
from crossgraft.embeddings.spaces.devices import place, threads
from crossgraft.errors import JobFailed

_AT_ONCE = 256  # texts that are read at a time when nothing is learnt
_WINDOW = 32  # batches among which texts of a length are brought together

Text = tuple[Tensor, Tensor]  # (items, words, d), and which words there are: (items, words)


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """A trained network on the device where it was trained."""

    network: Network
    facts: Mapping[str, Any] = field(default_factory=dict)

    def log_probabilities(self, texts: Encoded) -> Floats:
        with limited_threads():
            return _log_probabilities(self.network, _Texts(texts))


@contextmanager
def limited_threads() -> Iterator[None]:
    """Inside, torch takes as many threads as the study may: it has a pool of its own, which no limit of NumPy's reaches."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads() or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Texts:
    """Texts as rows of a matrix whose row 0 is padding, and row 1 the one word of a text without any; both are zero."""

    def __init__(self, texts: Encoded) -> None:
        nothing = np.zeros((2, texts.vectors.shape[1]), dtype=np.float32)
        self._vectors = torch.from_numpy(np.concatenate([nothing, texts.vectors])).to(place())
        self._rows = [[one + 2 if len(one) else np.ones(1, dtype=np.int64) for one in item] for item in texts.texts]
        self.lengths = np.array([max(map(len, item)) for item in self._rows], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, places: Rows) -> list[Text]:
        """Each of the texts of some items."""
        return [self._padded(list(texts)) for texts in zip(*(self._rows[one] for one in places), strict=True)]

    def _padded(self, texts: list[Rows]) -> Text:
        rows = np.zeros((len(texts), max(map(len, texts))), dtype=np.int64)
        for row, text in zip(rows, texts, strict=True):
            row[: len(text)] = text
        where = torch.from_numpy(rows).to(place())
        return self._vectors[where], where > 0


@limited_threads()
def trained(build: Callable[[], Network], train: Examples, dev: Examples, how: Training, seed: int) -> NetworkModel:
    """The network of the epoch that is best on dev, the first of equals."""
    rng = np.random.default_rng(seed)
    texts, texts_dev = _Texts(train.texts), _Texts(dev.texts)
    labels = torch.from_numpy(train.labels).to(place())
    with torch.random.fork_rng(devices=[place()] if place() != "cpu" else []):
        torch.manual_seed(seed)
        network = build().to(place())
        optimiser = torch.optim.Adam(network.parameters(), lr=how.rate)
        best, kept, epoch_of_best, epoch = -1.0, copy.deepcopy(network.state_dict()), 0, 0
        for epoch in range(1, how.epochs + 1):
            _epoch(network, optimiser, _batches(texts, how.batch, rng), labels, texts, how.clip)
            accuracy = float(np.mean(_log_probabilities(network, texts_dev).argmax(axis=1) == dev.labels))
            if accuracy > best:
                best, kept, epoch_of_best = accuracy, copy.deepcopy(network.state_dict()), epoch
            if epoch - epoch_of_best >= how.patience:
                break
    network.load_state_dict(kept)
    network.eval()
    return NetworkModel(network, {"dev_accuracy": best, "epochs": epoch, "best_epoch": epoch_of_best})


def _batches(texts: _Texts, size: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Items in random order, among neighbours brought together by length, in batches in random order."""
    order = rng.permutation(len(texts))
    for start in range(0, len(order), size * _WINDOW):
        window = order[start : start + size * _WINDOW]
        window = window[np.argsort(texts.lengths[window], kind="stable")]
        for first in rng.permutation(np.arange(0, len(window), size)):
            yield window[first : first + size]


def _epoch(
    network: Network, optimiser: Any, batches: Iterator[Rows], labels: Tensor, texts: _Texts, clip: float
) -> None:
    network.train()
    for places in batches:
        loss = nn.functional.cross_entropy(network(*texts.batch(places)), labels[torch.from_numpy(places).to(place())])
        if not math.isfinite(float(loss.detach())):
            raise JobFailed("the training of the task's model diverged; set a smaller rate", deterministic=True)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimiser.step()


def _log_probabilities(network: Network, texts: _Texts) -> Floats:
    network.eval()
    order = np.argsort(texts.lengths, kind="stable")
    parts = [order[start : start + _AT_ONCE] for start in range(0, len(order), _AT_ONCE)]
    with torch.no_grad():
        scores = [network(*texts.batch(part)).double().log_softmax(dim=1).cpu().numpy() for part in parts]
    found: Floats = np.empty((len(texts), scores[0].shape[1]))
    for part, rows in zip(parts, scores, strict=True):
        found[part] = rows
    return found
