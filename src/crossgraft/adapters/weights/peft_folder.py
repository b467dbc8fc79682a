"""What a PEFT folder says of itself, checked before PEFT reads it: types, ranks, and patterns of module names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crossgraft.adapters.weights.tensors import weight_shapes
from crossgraft.errors import DataError, shown
from crossgraft.safety.opening import is_file, parse_json, read_text

_LARGEST = 16 << 20  # bytes of a configuration
_CHANGES_THE_BASE = ("pissa", "olora", "loftq", "corda")  # initialisations that rewrite base weights
_SMALL_RANK = 1024  # layers of such a rank may be built for modules that the weights do not have
_RANKED = re.compile(r"\.lora_(?:A|embedding_A)(?:\.[^.]+)?(?:\.weight)?$")  # weights whose first dimension is the rank
_UNBOUNDED = re.compile(r"[*+{]")
_RANKS = ("r", "init_r", "target_r")
_PATIENCE = 3.0  # seconds that matching names of modules may take; it takes milliseconds
_MATCH = """
import json, re, sys
patterns, names = json.load(sys.stdin)
for pattern in patterns:
    for name in names:
        re.fullmatch(pattern, name)
"""


def is_peft_folder(folder: Path) -> bool:
    return is_file(folder / "adapter_config.json")


def check_peft_folder(folder: Path, role: str) -> None:
    """Raise where PEFT would hang, take gigabytes, or rewrite the base."""
    if not is_file(folder / "adapter_model.safetensors"):
        raise DataError(f"{role}: {folder} has no adapter_model.safetensors; pickled adapters are not loaded")
    config = read_config(folder / "adapter_config.json", role)
    init = config.get("init_lora_weights")
    if isinstance(init, str) and init.lower().startswith(_CHANGES_THE_BASE):
        raise DataError(
            f"{role}: the adapter was initialised with {shown(init)}, which rewrites base weights, so it cannot be compared "
            "with the base in place; convert it with PEFT: save_pretrained(…, path_initial_model_for_weight_conversion=…)"
        )
    kind = config.get("peft_type")
    if not isinstance(kind, str):
        raise _odd(role, "peft_type", "a text, such as 'LORA'", kind)
    if config.get("num_virtual_tokens") is not None:
        raise DataError(
            f"{role}: expected an adapter that changes weights, such as LoRA; {folder} holds one of type {kind[:40]}"
        )
    shapes = dict(weight_shapes(folder))
    patterns = list(_patterns(config, role))
    _check_patterns(patterns, shapes, role)
    _check_ranks(config, shapes, role)


def is_plain(folder: Path) -> bool:
    """Whether the adapter consists of LoRA's own matrices: then nothing of the base is written to."""
    return all(".lora_" in name for name, _ in weight_shapes(folder))


def check_plain_lora(folder: Path) -> None:
    """Raise where an adapter is more than products of two matrices, which alone can be scaled and added."""
    if not is_peft_folder(folder):
        raise DataError(f"only LoRA adapters can be scaled or merged; {folder} is no PEFT folder")
    config = read_config(folder / "adapter_config.json", str(folder))
    names = [name for name, _ in weight_shapes(folder)]
    more = [name for name in names if not name.endswith((".lora_A.weight", ".lora_B.weight"))]
    if config.get("peft_type") != "LORA" or more or config.get("layer_replication"):
        why = f"it has the weight {more[0]}" if more else f"its type is {shown(config.get('peft_type'))}"
        why = "it replicates layers" if config.get("layer_replication") else why
        raise DataError(
            f"only LoRA adapters without other weights can be scaled or merged; of the one in {folder}, {why}"
        )


def read_config(file: Path, role: str) -> Mapping[str, Any]:
    """The table of a JSON configuration."""
    text = read_text(file, most=_LARGEST)
    try:
        config = parse_json(text)
    except ValueError as error:
        raise DataError(f"{role}: {file}: {error}") from None
    if not isinstance(config, dict):
        raise DataError(f"{role}: {file}: expected a JSON object; got {shown(config)}")
    return config


def _patterns(config: Mapping[str, Any], role: str) -> Iterator[str]:
    """Regular expressions that PEFT matches with the name of every module of the base."""
    for key in ("target_modules", "exclude_modules", "modules_to_save", "layers_pattern"):
        patterns_given = config.get(key)
        if not (patterns_given is None or isinstance(patterns_given, str) or _are_texts(patterns_given)):
            raise _odd(role, key, "a text or a list of texts", patterns_given)
        if isinstance(patterns_given, str):
            yield patterns_given
        elif key in ("modules_to_save", "layers_pattern"):
            yield from patterns_given or ()
    for key in ("rank_pattern", "alpha_pattern"):
        by_module = config.get(key)
        if not (by_module is None or isinstance(by_module, dict)):
            raise _odd(role, key, "a table of numbers by module", by_module)
        yield from by_module or ()


def _check_patterns(patterns: list[str], shapes: Mapping[str, object], role: str) -> None:
    """A pattern can take longer than the universe has: it is tried on names of modules, in a process that can be ended."""
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise DataError(f"{role}: no regular expression of module names: {shown(pattern)}; {error}") from None
    tried = [f"(?:.*\\.)?(?:{pattern})" for pattern in patterns if len(_UNBOUNDED.findall(pattern)) > 1]
    if not tried:
        return
    modules = {re.sub(r"^base_model\.model\.|\.lora_.*$", "", name) for name in shapes}
    names = [*sorted(modules)[:500], "model.layers.10.self_attn.q_proj"]
    question = json.dumps([[*patterns, *tried], [*names, *(f"{name}!" for name in names)]])
    try:
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-c", _MATCH],
            input=question,
            text=True,
            timeout=_PATIENCE,
            capture_output=True,
        )
    except subprocess.TimeoutExpired:
        raise DataError(
            f"{role}: matching the names of modules with {shown(patterns, 200)} takes more than {_PATIENCE:.0f} seconds; "
            "write target_modules as a list of names, or the pattern without repetitions of repetitions"
        ) from None


def _check_ranks(config: Mapping[str, Any], shapes: Mapping[str, list[int]], role: str) -> None:
    """The configured ranks are those of the weights: PEFT builds its layers before it reads any weight."""
    given = {key: config[key] for key in _RANKS if key in config} | (config.get("rank_pattern") or {})
    most = max((size for shape in shapes.values() for size in shape), default=0)
    most = max(most, _SMALL_RANK)
    for key, rank in given.items():
        if type(rank) is not int or not 0 <= rank <= most:
            raise _odd(role, key, f"a rank, a whole number of at most {most:,} by the shapes of its weights", rank)
    if config["peft_type"] != "LORA" or config.get(
        "target_parameters"
    ):  # ranks of other methods are no dimension of a weight
        return
    ranks = {given.get("r", 8), *given.values()}
    found = {name: shape[0] for name, shape in shapes.items() if _RANKED.search(name) and shape}
    other = next((name for name, rank in found.items() if rank not in ranks), None)
    if other is not None:
        raise DataError(
            f"{role}: its configuration says rank {max(ranks)}, but the weight {other} has rank {found[other]}; "
            "is adapter_config.json that of another adapter?"
        )
    if found and max(ranks) > max(*found.values(), _SMALL_RANK):
        raise DataError(
            f"{role}: its configuration says rank {max(ranks)}, but no weight has a rank above {max(found.values())}; "
            "is adapter_config.json that of another adapter?"
        )


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _odd(role: str, key: str, expected: str, came: object) -> DataError:
    return DataError(f"{role}: adapter_config.json, {key}: expected {expected}; got {shown(came)}")
