"""What a model was before an adapter was put into it, and how it becomes that again.

PEFT's ``unload`` takes its own layers out. It does not put back biases, saved modules, replicated layers or
embeddings that an adapter brought; a later adapter would then run on another base. So nothing is left to ``unload``:
the tree of modules is restored by reference, small tensors and those named by ``values`` by value, and checksums
show whether all others are as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

_SAMPLE = 64  # elements per tensor that the quick checksum reads
_CHUNK = 1 << 22  # elements that the whole checksum reads at a time


@contextmanager
def restored(model: nn.Module, values: Iterable[torch.Tensor] = ()) -> Iterator[None]:
    """The model is the same at the end as at the beginning, whatever happens between.

    Tensors with fewer than two dimensions are copied; larger ones that will change in place must be in ``values``.
    """
    small = [tensor for tensor in _tensors(model).values() if tensor.ndim < 2]
    kept = {id(tensor): (tensor, tensor.detach().clone(), tensor.requires_grad) for tensor in [*small, *values]}
    wants_gradient = [(weight, weight.requires_grad) for weight in model.parameters()]
    objects = [_State.of(module) for module in model.modules()]
    objects += [_State.of(config) for config in _configs(model)]
    try:
        yield
    finally:
        for state in objects:
            state.restore()
        with torch.no_grad():
            for tensor, value, _ in kept.values():
                tensor.copy_(value)
        for weight, wanted in wants_gradient:
            weight.requires_grad_(wanted)
            weight.grad = None


@dataclass(frozen=True)
class _State:
    """An object's class and attributes; dictionaries and lists among them (children, parameters, hooks) with their content."""

    owner: Any
    kind: type
    attributes: dict[str, Any]
    dictionaries: dict[str, dict[Any, Any]]
    lists: dict[str, list[Any]]

    @classmethod
    def of(cls, owner: Any) -> _State:
        attributes = dict(owner.__dict__)
        dictionaries = {name: dict(value) for name, value in attributes.items() if isinstance(value, dict)}
        lists = {name: list(value) for name, value in attributes.items() if isinstance(value, list)}
        return cls(owner, type(owner), attributes, dictionaries, lists)

    def restore(self) -> None:
        """The same dictionaries are filled again, not replaced: handles of hooks refer to them."""
        if type(self.owner) is not self.kind:
            self.owner.__class__ = self.kind
        self.owner.__dict__.clear()
        self.owner.__dict__.update(self.attributes)
        for name, content in self.dictionaries.items():
            self.attributes[name].clear()
            self.attributes[name].update(content)
        for name, elements in self.lists.items():
            self.attributes[name][:] = elements


def _configs(model: nn.Module) -> list[Any]:
    """The configurations that modules share, with those inside them."""
    found: dict[int, Any] = {}
    waiting = [value for module in model.modules() for value in module.__dict__.values() if _is_config(value)]
    while waiting:
        config = waiting.pop()
        if id(config) not in found:
            found[id(config)] = config
            waiting += [value for value in config.__dict__.values() if _is_config(value)]
    return list(found.values())


def _is_config(value: Any) -> bool:
    return not isinstance(value, type) and hasattr(value, "to_dict") and hasattr(value, "__dict__")


def _tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by name; one that has two names comes once."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


Checksums = Mapping[str, int]


def sampled_checksums(model: nn.Module) -> Checksums:
    """A checksum of 64 elements of every tensor: milliseconds, and finds whatever rewrites a tensor."""
    return {name: _checksum(_sample(tensor)) for name, tensor in _tensors(model).items()}


def checksums(model: nn.Module) -> Checksums:
    """A checksum of every bit of every tensor: about as long as reading the model once."""
    return {name: _checksum(tensor.detach().contiguous().flatten()) for name, tensor in _tensors(model).items()}


def changed(before: Checksums, after: Checksums) -> tuple[str, ...]:
    """Names of the tensors that differ, or that only one of the two has."""
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))


def _sample(tensor: torch.Tensor) -> torch.Tensor:
    flat = tensor.detach().flatten()
    return flat[:: max(1, len(flat) // _SAMPLE)].contiguous()


def _checksum(values: torch.Tensor) -> int:
    """Bits as integers times odd numbers, summed modulo 2**64: no change of a single element goes unseen."""
    if not values.numel():
        return 0
    bits = values.view(_widest(values))
    odd = torch.arange(1, 2 * min(_CHUNK, len(bits)), 2, device=bits.device)
    total = 0
    for piece in bits.split(_CHUNK):
        total = (31 * total + int((piece.to(torch.int64) * odd[: len(piece)]).sum())) % 2**64
    return total


def _widest(values: torch.Tensor) -> torch.dtype:
    """The widest integers whose boundaries the tensor keeps: fewer elements to multiply."""
    ends = values.storage_offset() * values.element_size() | values.numel() * values.element_size()
    return next(
        kind
        for size, kind in ((8, torch.int64), (4, torch.int32), (2, torch.int16), (1, torch.uint8))
        if ends % size == 0
    )
