"""Weighted sums of LoRA adapters, exact: a factor on the scaling of one, or several put side by side, rank by rank.

With adapters ``s_i B_i A_i`` and weights ``w_i``, the sum of ``w_i s_i B_i A_i`` is a single adapter: the rows of all
``A_i`` below one another, the columns of all ``w_i s_i B_i`` beside one another. Its rank is the sum of their ranks.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils.other import get_pattern_key
from safetensors.torch import load_file, save_file

from crossgraft.adapters.weights.lora import saved_adapter
from crossgraft.adapters.weights.peft_folder import check_plain_lora

_A, _B = ".lora_A.weight", ".lora_B.weight"
_PREFIX = "base_model.model."
_WEIGHTS = "adapter_model.safetensors"

Weighted = tuple[Path, float]  # the folder of an adapter, and its weight in the sum


@contextmanager
def combined_adapter(model: Any, members: Sequence[Weighted]) -> Iterator[PeftModel]:
    """The model with the weighted sum of saved adapters around it, and without it again afterwards."""
    for folder, _ in members:
        check_plain_lora(folder)
    if len(members) == 1:
        ((folder, weight),) = members
        with saved_adapter(model, folder) as wrapped:
            scale(wrapped, weight)
            yield wrapped
        return
    with tempfile.TemporaryDirectory(prefix="crossgraft-merge-") as merged:
        write_combination(members, Path(merged))
        with saved_adapter(model, Path(merged)) as wrapped:
            yield wrapped


def scale(wrapped: PeftModel, factor: float) -> None:
    """Multiply what the active adapter adds: 0 leaves the base, 1 the adapter as it is, to the last bit."""
    for module in wrapped.modules():
        if isinstance(module, LoraLayer):
            for name in module.active_adapters:
                module.scaling[name] *= factor


def write_combination(members: Sequence[Weighted], folder: Path) -> None:
    """Write the weighted sum as a PEFT folder of its own.

    Each member's matrices keep their scaling relative to the first one's; where all have the same and the weight is 1, no bit of
    them changes. A module that only some members adapt gets zeros from the others.
    """
    loaded = [_Lora.of(path, weight) for path, weight in members]
    common = loaded[0].scaling(loaded[0].modules[0])
    modules = sorted({module for lora in loaded for module in lora.modules})
    weights: dict[str, torch.Tensor] = {}
    for module in modules:
        shapes = next(lora.shapes(module) for lora in loaded if module in lora.modules)
        pairs = [lora.matrices(module, common, shapes) for lora in loaded]
        weights[module + _A] = torch.cat([a for a, _ in pairs], dim=0).contiguous()
        weights[module + _B] = torch.cat([b for _, b in pairs], dim=1).contiguous()
    rank = sum(lora.rank for lora in loaded)
    LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=loaded[0].config.base_model_name_or_path,
        r=rank,
        lora_alpha=common * rank,  # PEFT divides by the rank, and takes any number
        target_modules=[module.removeprefix(_PREFIX) for module in modules],
        fan_in_fan_out=loaded[0].config.fan_in_fan_out,
        inference_mode=True,
    ).save_pretrained(str(folder))
    save_file(weights, folder / _WEIGHTS, metadata={"format": "pt"})


@dataclass(frozen=True)
class _Lora:
    """A saved adapter with its weight in the sum."""

    config: LoraConfig
    tensors: Mapping[str, torch.Tensor]
    weight: float

    @classmethod
    def of(cls, folder: Path, weight: float) -> _Lora:
        config = LoraConfig.from_pretrained(str(folder))
        return cls(config, load_file(folder / _WEIGHTS), weight)

    @property
    def modules(self) -> list[str]:
        return [name.removesuffix(_A) for name in self.tensors if name.endswith(_A)]

    @property
    def rank(self) -> int:
        """The largest of its modules; the others are filled up with zeros."""
        return max(len(self.tensors[module + _A]) for module in self.modules)

    def scaling(self, module: str) -> float:
        """What PEFT multiplies the product of a module's matrices by."""
        pattern = self.config.alpha_pattern or {}
        alpha = pattern.get(get_pattern_key(list(pattern), module.removeprefix(_PREFIX)), self.config.lora_alpha)
        rank = self.tensors[module + _A].shape[0]
        return float(alpha) / (math.sqrt(rank) if self.config.use_rslora else rank)

    def shapes(self, module: str) -> tuple[int, int]:
        """How many inputs and outputs the module has."""
        return self.tensors[module + _A].shape[1], self.tensors[module + _B].shape[0]

    def matrices(self, module: str, common: float, shapes: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        """A and B of a module, padded to the rank; B times the weight, for a sum with a common scaling."""
        inputs, outputs = shapes
        kind = self.tensors[self.modules[0] + _A].dtype
        a, b = torch.zeros(self.rank, inputs, dtype=kind), torch.zeros(outputs, self.rank, dtype=kind)
        if module + _A in self.tensors:
            own_a, own_b = self.tensors[module + _A], self.tensors[module + _B]
            a[: len(own_a)] = own_a
            b[:, : len(own_a)] = own_b * (self.weight * (self.scaling(module) / common))
        return a, b
