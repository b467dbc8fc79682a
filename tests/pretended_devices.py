"""Devices that this machine does not have: tensors on them are computed on the CPU, and refuse those on other devices.

Using them changes PyTorch for the whole process, so only processes of their own do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

KIND = "pretended"
_MOVES = ("aten::_to_copy", "aten::copy_")
_INDEXING = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")


class Placed(torch.Tensor):
    """A tensor that says it lies elsewhere."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor, device: torch.device) -> Placed:
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=device,
            requires_grad=inner.requires_grad,
        )

    def __init__(self, inner: torch.Tensor, device: torch.device) -> None:
        self.inner = inner.detach()

    def tolist(self) -> Any:
        return self.inner.tolist()

    def item(self) -> Any:
        return self.inner.item()

    def __float__(self) -> float:
        return float(self.inner)

    def __int__(self) -> int:
        return int(self.inner)

    __index__ = __int__

    def __bool__(self) -> bool:
        return bool(self.inner)

    def __repr__(self) -> str:
        return f"Placed({self.inner}, {self.device})"

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(operation, args, kwargs or {})


def _computed(operation: Any, args: Any, kwargs: Any) -> Any:
    """The operation on the CPU, with the result where it belongs."""
    name = operation._schema.name
    if operation._can_decompose() and name not in _INDEXING:
        with _Dispatch():
            return operation.decompose(*args, **kwargs)
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    _check_together(name, tensors)
    wanted = torch.device(kwargs["device"]) if kwargs.get("device") is not None else None
    if wanted is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    placed = {id(tensor.inner): tensor for tensor in tensors if isinstance(tensor, Placed)}
    into = args[0].device if name == "aten::copy_" else next((one.device for one in placed.values()), None)
    device = wanted or into or torch.device("cpu")
    result = operation(*tree_map(_inner, args), **tree_map(_inner, kwargs))
    if device.type != KIND:
        return result

    def on_device(leaf: Any) -> Any:
        if type(leaf) is not torch.Tensor:
            return leaf
        return placed[id(leaf)] if id(leaf) in placed else Placed(leaf, device)

    return tree_map(on_device, result)


def _check_together(name: str, tensors: list[torch.Tensor]) -> None:
    """As CUDA has it: all on one device, but for single numbers, and for indices on the CPU."""
    if name in _MOVES:
        return
    if name in _INDEXING and isinstance(tensors[0], Placed):
        tensors = [tensor for tensor in tensors if isinstance(tensor, Placed)]
    devices = {str(tensor.device) for tensor in tensors if tensor.ndim or isinstance(tensor, Placed)}
    if len(devices) > 1:
        raise RuntimeError(f"{name}: expected all tensors on one device; they are on {sorted(devices)}")


def _inner(leaf: Any) -> Any:
    return leaf.inner if isinstance(leaf, Placed) else leaf


class _Dispatch(TorchDispatchMode):
    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(operation, args, kwargs or {})


class _Made(TorchFunctionMode):
    """``torch.tensor`` works beneath dispatch, so what it makes is moved afterwards."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function is torch.tensor and kwargs.get("device") is not None:
            device = kwargs["device"]
            return torch.tensor(*args, **{name: value for name, value in kwargs.items() if name != "device"}).to(device)
        return function(*args, **kwargs)


@contextmanager
def pretended_devices() -> Iterator[None]:
    """Inside, ``torch.device("pretended", 0)`` and 1 are there."""
    _register()
    with _Dispatch(), _Made():
        yield


@cache
def _register() -> None:
    _setup_privateuseone_for_python_backend(KIND)
