"""Where vectors are multiplied: what ``--device`` says holds for all that is computed under it, methods as well as tests."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from crossgraft.errors import DataError

_REQUESTED: ContextVar[str] = ContextVar("device", default="auto")
_THREADS: ContextVar[int] = ContextVar("threads", default=0)
_NAMES = re.compile(r"cpu|cuda(:(?P<index>\d+))?")


@contextmanager
def on(requested: str, threads: int = 0) -> Iterator[None]:
    """Inside, everything is computed on ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or, say, ``cuda:1``.

    ``threads`` are those of torch, 0 for its own choice.
    """
    place_of(requested)
    token, token_of_threads = _REQUESTED.set(requested), _THREADS.set(threads)
    try:
        yield
    finally:
        _REQUESTED.reset(token)
        _THREADS.reset(token_of_threads)


def threads() -> int:
    """How many threads torch may take, 0 for its own choice."""
    return _THREADS.get()


def place() -> str:
    """Where we are now: ``cpu``, or the name of a GPU."""
    return place_of(_REQUESTED.get())


def place_of(requested: str) -> str:
    if requested == "auto":
        return "cuda" if gpus() and _in_full_float32() else "cpu"
    match = _NAMES.fullmatch(requested)
    if not match:
        raise DataError(f"expected a device such as 'cpu' or 'cuda:0'; got {requested!r}")
    if requested != "cpu" and int(match["index"] or 0) >= gpus():
        raise DataError(f"there is no device {requested!r} here: PyTorch sees {gpus()} CUDA devices")
    return requested


def kind_of(requested: str) -> str:
    """What makes two devices compute alike: the CPU, or the name of the GPU."""
    where = place_of(requested)
    if where == "cpu":
        return where
    import torch

    return f"cuda {torch.cuda.get_device_name(where)}"


@lru_cache(1)
def gpus() -> int:
    """How many torch finds; it is not loaded where there is no driver."""
    if not Path("/dev/nvidiactl").exists() or importlib.util.find_spec("torch") is None:
        return 0
    import torch

    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def _in_full_float32() -> bool:
    import torch

    return str(torch.get_float32_matmul_precision()) == "highest"
