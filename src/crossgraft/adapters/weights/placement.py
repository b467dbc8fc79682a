"""Where the weights of a model lie: on one device, or spread over several GPUs (``device_map``), by accelerate.

Weights are never put on the CPU or the disk: checksums, merging and training need them where they compute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from crossgraft.adapters.bases.models import Model
from crossgraft.errors import DataError, MissingExtra

try:
    import torch
except ImportError as error:
    raise MissingExtra("working with language models", "adapters") from error

_OFFLOADED = ("cpu", "disk", "meta")


def is_spread(model: Model, device: torch.device) -> bool:
    """On a CPU or an Apple GPU there is nothing to spread over, and the model is loaded as usual."""
    return bool(model.device_map) and device.type == "cuda"


def require(name: str, model: Model, device: torch.device) -> None:
    """GPUs of one kind, none of them by name: on others, a model's numbers would depend on where its layers happen to lie."""
    if not is_spread(model, device):
        return
    if device.index is not None:
        raise DataError(
            f"models.{name}: device_map = {model.device_map!r} spreads the model over all GPUs that the process sees, and "
            f"this run is on {str(device)!r}. Run it with --device cuda, and choose GPUs with CUDA_VISIBLE_DEVICES"
        )
    kinds = Counter(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
    if len(kinds) > 1:
        listed = ", ".join(f"{count} x {kind}" for kind, count in kinds.items())
        raise DataError(
            f"models.{name}: device_map = {model.device_map!r} needs GPUs of one kind; there are {listed}. Choose some with "
            "CUDA_VISIBLE_DEVICES"
        )


def loading_options(model: Model, device: torch.device) -> dict[str, Any]:
    return {"device_map": model.device_map} if is_spread(model, device) else {}


def check_placed(role: str, loaded: Any) -> None:
    """Accelerate puts onto the CPU or the disk what the GPUs have no room for, with a warning only."""
    layout: Mapping[str, Any] = loaded.hf_device_map
    outside = [module for module, device in layout.items() if str(device) in _OFFLOADED]
    if not outside:
        return
    size = sum(weight.numel() * weight.element_size() for weight in loaded.parameters()) / 1e9
    count = torch.cuda.device_count()
    raise DataError(
        f"{role}: the model ({size:.0f} GB) does not fit into the free memory of the {count} GPU{'s' if count > 1 else ''} that "
        f"this process sees: {len(outside)} of {len(layout)} parts (such as {outside[0]}) would lie on the CPU. Give it more "
        'GPUs (--gpus-per-worker, CUDA_VISIBLE_DEVICES), a smaller dtype, or quantised = "nf4"'
    )


def devices_of(model: Any) -> tuple[torch.device, ...]:
    """Where its weights lie, in order."""
    return tuple(sorted({weight.device for weight in model.parameters()}, key=str))


def gpus_of(model: Any) -> list[torch.device]:
    return [device for device in devices_of(model) if device.type == "cuda"]
