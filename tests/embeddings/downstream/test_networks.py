"""Networks do not see padding; attention is its formula; the best epoch on dev is kept."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from crossgraft.embeddings.downstream.classifiers.encoded import Encoded, Examples
from crossgraft.embeddings.downstream.classifiers.networks.convolutional import ConvolutionalNetwork
from crossgraft.embeddings.downstream.classifiers.networks.decomposable import DecomposableAttentionNetwork, aligned
from crossgraft.embeddings.downstream.classifiers.networks.esim import ESIMNetwork
from crossgraft.embeddings.downstream.classifiers.networks.loop import NetworkModel, trained
from crossgraft.embeddings.downstream.classifiers.training import Training

NETWORKS = {
    "convolution": (1, lambda: ConvolutionalNetwork(6, 8, (2, 3, 12), 0.1, 3)),
    "decomposable attention": (2, lambda: DecomposableAttentionNetwork(6, 8, 0.1, 3)),
    "esim": (2, lambda: ESIMNetwork(6, 8, 0.1, 3)),
}


def texts(items: int, sides: int, shortest: int = 0) -> Encoded:
    rng = np.random.default_rng(0)
    rows = tuple(tuple(rng.integers(20, size=rng.integers(shortest, 9)) for _ in range(sides)) for _ in range(items))
    return Encoded(rng.normal(size=(20, 6)).astype(np.float32), np.ones(20), rows)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_text_is_read_alike_alone_and_beside_longer_ones(name: str) -> None:
    sides, build = NETWORKS[name]
    torch.manual_seed(0)
    model, some = NetworkModel(build()), texts(12, sides)

    together = model.log_probabilities(some)

    alone = np.concatenate([model.log_probabilities(some.some([place])) for place in range(12)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.exp(together).sum(axis=1), 1)
    assert np.ptp(together, axis=0).min() > 1e-4


def test_each_word_meets_the_softmax_of_its_products() -> None:
    rng = np.random.default_rng(1)
    a, b = (torch.from_numpy(rng.normal(size=(1, words, 4))) for words in (3, 5))
    all_a, all_b = torch.ones(1, 3, dtype=torch.bool), torch.tensor([[True, True, True, True, False]])

    to_a, to_b = aligned(a, b, all_a, all_b, a, b)

    weights = np.exp(a[0].numpy() @ b[0, :4].numpy().T)
    np.testing.assert_allclose(to_a[0], weights / weights.sum(axis=1, keepdims=True) @ b[0, :4].numpy())
    np.testing.assert_allclose(to_b[0, :4], (weights / weights.sum(axis=0)).T @ a[0].numpy())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_and_keeps_its_best_epoch(name: str) -> None:
    sides, build = NETWORKS[name]
    some = texts(60, sides, shortest=1)
    labels = np.array([int(item[-1][0]) % 3 for item in some.texts])
    train = Examples(some, labels)

    model = trained(build, train, train, Training(epochs=40, patience=40, batch=10, rate=0.01), seed=1)

    accuracy = np.mean(model.log_probabilities(some).argmax(axis=1) == labels)
    assert accuracy == pytest.approx(model.facts["dev_accuracy"])
    assert accuracy > 0.7
    assert model.facts["best_epoch"] <= model.facts["epochs"] <= 40


def test_training_leaves_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(3)
    before = torch.rand(2)
    torch.manual_seed(3)
    some = texts(20, 2)

    trained(NETWORKS["decomposable attention"][1], *[Examples(some, np.arange(20) % 3)] * 2, Training(epochs=1), seed=1)

    assert torch.equal(torch.rand(2), before)


def test_a_filter_answers_with_its_best_window_in_the_text() -> None:
    network = ConvolutionalNetwork(1, 1, (2,), 0.0, 2).eval()
    with torch.no_grad():
        network.windows[0].weight.fill_(1.0)
        network.windows[0].bias.fill_(0.5)
    network.decide = torch.nn.Identity()
    values = torch.tensor([1.0, 3.0, 2.0, 9.0])[None, :, None]

    answers = [network((values, torch.arange(4)[None] < length)).item() for length in (3, 4)]

    assert answers == [5.5, 11.5]
