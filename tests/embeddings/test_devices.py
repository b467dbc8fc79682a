"""Where vectors are multiplied: what was asked for, or one sentence."""

from __future__ import annotations

import pytest

from crossgraft.embeddings.spaces import devices
from crossgraft.errors import DataError


def test_a_wish_holds_inside_and_no_longer() -> None:
    before = devices.place()

    with devices.on("cpu"):
        assert devices.place() == "cpu"
        with devices.on("auto"):
            assert devices.place() == before
        assert devices.place() == "cpu"

    assert devices.place() == before


def test_a_wish_is_forgotten_after_an_error() -> None:
    before = devices.place()

    with pytest.raises(RuntimeError, match="stop"), devices.on("cpu"):
        raise RuntimeError("stop")

    assert devices.place() == before


@pytest.mark.parametrize(
    ("wish", "message"),
    [("gpu", "expected a device such as 'cpu'"), ("cuda:99", "there is no device 'cuda:99' here")],
)
def test_what_is_not_there_is_said(wish: str, message: str) -> None:
    with pytest.raises(DataError, match=message), devices.on(wish):
        pass


def test_the_kind_of_a_cpu_is_its_name() -> None:
    assert devices.kind_of("cpu") == "cpu"


def test_networks_take_as_many_threads_of_torch_as_the_study_may() -> None:
    torch = pytest.importorskip("torch")
    from crossgraft.embeddings.downstream.classifiers.networks.loop import limited_threads

    before = torch.get_num_threads()
    with devices.on("cpu", threads=3), limited_threads():
        inside = torch.get_num_threads()

    assert (inside, torch.get_num_threads()) == (3, before)
