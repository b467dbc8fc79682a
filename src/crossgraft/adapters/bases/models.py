"""``[models]`` and ``[adapters]``: the language models of a study, and what the user trained already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from crossgraft.adapters.bases.gguf.cached import check_gguf
from crossgraft.adapters.bases.gguf.choice import gguf_file, is_gguf
from crossgraft.adapters.bases.gguf.header import read_header
from crossgraft.adapters.weights.peft_folder import check_peft_folder, is_peft_folder, read_config
from crossgraft.adapters.weights.tensors import weight_shapes
from crossgraft.core import Point
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.runs.fingerprints import hub_commit, hub_is_reachable, in_hub_cache
from crossgraft.safety.opening import is_file
from crossgraft.study import Input, Origin

DType = Literal["float32", "bfloat16", "float16"]
Quantised = Literal["", "nf4", "int8"]
DeviceMap = Literal["", "auto", "balanced", "balanced_low_0", "sequential"]

_INDEX = "model.safetensors.index.json"
_UNPACKED_BY = {  # by what config.json calls a method
    "gptq": ("optimum", "gptqmodel"),
    "awq": ("gptqmodel",),
    "bitsandbytes": ("bitsandbytes", "accelerate"),
    "compressed-tensors": ("compressed_tensors",),
}
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")


@dataclass(frozen=True)
class Model:
    """A causal language model: a local Transformers folder (or ``almanac:NAME``), a GGUF file, or a hub id at a revision.

    ``path`` may be a folder with GGUF files, of which ``gguf`` names one. ``tokenizer`` is the folder of another
    tokenizer than the model's own. ``family`` and ``billions`` (parameters) are what the analysis conditions on. With ``chat``, prompts go through
    the chat template of the model's tokenizer, after ``system`` where there is one. ``quantised`` weights compute
    in ``dtype``. ``device_map`` spreads a model over the GPUs that a process sees, in the ways of accelerate; it is in no id.
    """

    path: str = ""
    hub: str = ""
    revision: str = ""
    gguf: str = ""
    tokenizer: str = ""
    dtype: DType = "float32"
    quantised: Quantised = ""
    device_map: DeviceMap = ""
    family: str = ""
    billions: float | None = None
    trust_remote_code: bool = False
    chat: bool = False
    system: str = ""

    def __post_init__(self) -> None:
        if self.system and not self.chat:
            raise SpecError("a system message needs chat = true", ("system",))
        if bool(self.path) == bool(self.hub):
            raise SpecError('expected either path = "folder" or hub = "owner/name" with a revision')
        if self.hub and not self.revision:
            raise SpecError(
                f'the hub model {self.hub!r} needs revision = "<commit>": a name alone does not say which weights',
                ("revision",),
            )
        if self.path and self.revision:
            raise SpecError("a local folder has no revision; its content is hashed", ("revision",))
        if self.gguf and (self.hub or self.path.lower().endswith(".gguf")):
            raise SpecError("gguf names a file of the folder that path names; got no folder", ("gguf",))
        if is_gguf(self.hub):
            raise SpecError(no_gguf_of_a_hub(self.hub), ("hub",))

    def input(self, name: str, origin: Origin) -> Input:
        """The weights."""
        if self.hub:
            return Input("hub", self.hub, f"models.{name}", self.revision)
        if file := self.gguf_file(origin):
            return Input("file", str(file), f"models.{name}")
        return Input("model", str(self.folder(origin)), f"models.{name}")

    def tokenizer_input(self, name: str, origin: Origin) -> Input | None:
        """The folder of a tokenizer that is not the model's own."""
        return Input("model", origin.path(self.tokenizer), f"models.{name}.tokenizer") if self.tokenizer else None

    def folder(self, origin: Origin) -> Path:
        """What ``path`` leads to, also where that is a GGUF file."""
        return Path(_folder(self.path, origin))

    def gguf_file(self, origin: Origin) -> Path | None:
        return gguf_file(self.folder(origin), self.gguf) if self.path else None

    def shapes(self, origin: Origin) -> Iterator[tuple[str, Sequence[int]]]:
        """Names and shapes of the weights of a local model."""
        if file := self.gguf_file(origin):
            yield from ((tensor.module_weight, tensor.shape) for tensor in read_header(file).tensors)
        else:
            yield from weight_shapes(self.folder(origin))

    def identity(self) -> Mapping[str, Any]:
        identity_fields: dict[str, Any] = {"dtype": self.dtype, "trust_remote_code": self.trust_remote_code}
        if self.quantised:
            identity_fields["quantised"] = self.quantised
        if self.chat:
            identity_fields |= {"chat": True, "system": self.system}
        return identity_fields


def _folder(path: str, origin: Origin) -> str:
    """A path of the spec, or the folder of a model that comes with us (``almanac:llama-small``)."""
    package, colon, name = path.partition(":")
    if not colon or package != "almanac":
        return origin.path(path)
    shipped = Path(__file__).parent.parent / "almanac" / "models"
    known = sorted(folder.parent.name for folder in shipped.glob("*/config.json"))
    if name not in known:
        raise SpecError(f"the almanac has no model {name!r}{did_you_mean(name, known)}", ("models",))
    return str(shipped / name)


@dataclass(frozen=True)
class Given:
    """An adapter (PEFT folder) or a whole checkpoint that exists already: evaluated, not trained."""

    path: str
    model: str
    trained_on: Point | None = None

    def input(self, name: str, origin: Origin) -> Input:
        return Input("adapter", origin.path(self.path), f"adapters.{name}")


def no_gguf_of_a_hub(name: str) -> str:
    return f'{name} holds GGUF files; download one of them, and give it as path = "FILE.gguf"'


def check_reachable(model: Model, role: str) -> None:
    """Refuse a model of the hub that can neither be downloaded nor read from the hub's cache."""
    if not model.hub:
        return
    commit = hub_commit(model.hub, model.revision, role)
    if not in_hub_cache(model.hub, commit) and not hub_is_reachable(model.hub, commit):
        raise DataError(out_of_reach(model.hub, commit, role))


def out_of_reach(hub: str, commit: str, role: str) -> str:
    return (
        f"{role}: the hub does not answer, and {hub}@{commit[:10]} is not in its cache here; download it where there "
        'is network, and give its folder as path = "…"'
    )


def check_model(model: Model, origin: Origin, role: str) -> None:
    """What a local model needs for us: weights that are whole, and a tokenizer."""
    if model.hub:
        return
    own = not model.tokenizer
    if not own:
        _check_tokenizer(Path(origin.path(model.tokenizer)), f"{role}.tokenizer")
    if file := model.gguf_file(origin):
        check_gguf(file, role, own_tokenizer=own)
    else:
        check_model_folder(model.folder(origin), role, own_tokenizer=own)


def check_model_folder(folder: Path, role: str, *, own_tokenizer: bool = True) -> None:
    """What a Transformers folder needs for us: configuration, safetensors, tokenizer."""
    if not is_file(folder / "config.json"):
        raise DataError(f"{role}: expected a Transformers model folder; {folder} has no config.json")
    if not any(folder.glob("*.safetensors")):
        raise DataError(f"{role}: {folder} has no *.safetensors; pickled weights are not loaded, convert them first")
    _check_shards(folder, role)
    for _ in weight_shapes(folder):  # reads the headers, and so finds what is no safetensors
        pass
    if own_tokenizer:
        _check_tokenizer(folder, role)
    _check_packing(read_config(folder / "config.json", role), folder, role)


def _check_packing(config: Mapping[str, Any], folder: Path, role: str) -> None:
    """Weights that were packed after training need the packages that unpack them."""
    quantised_as = config.get("quantization_config")
    method = quantised_as.get("quant_method") if isinstance(quantised_as, dict) else None
    needed = _UNPACKED_BY.get(method, ()) if isinstance(method, str) else ()
    if missing := [module for module in needed if find_spec(module) is None]:
        raise DataError(
            f"{role}: {folder} holds weights packed by {method}, which Transformers reads with {' and '.join(needed)}; "
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed here. Give the original folder (with "
            'quantised = "nf4" where memory is short), or a GGUF file of the model'
        )


def _check_shards(folder: Path, role: str) -> None:
    """Weights in several files have an index, which names them all."""
    index = folder / _INDEX
    if not is_file(index) or is_file(folder / "model.safetensors"):  # as Transformers looks for them
        return
    places = read_config(index, role).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise DataError(f"{role}: {index}: expected weight_map, a table of file names by weight; get the file again")
    names = sorted(set(places.values()))
    if missing := [name for name in names if not is_file(folder / name)]:
        raise DataError(
            f"{role}: {folder} lacks {len(missing)} of the {len(names)} files with its weights (such as {missing[0]}); "
            "get the missing ones"
        )
    found = {weight for weight, _ in weight_shapes(folder)}
    if lost := [weight for weight in places if weight not in found]:
        raise DataError(
            f"{role}: {_INDEX} names the weight {lost[0][:80]!r}, which no file in {folder} holds; get the folder again"
        )


def _check_tokenizer(folder: Path, role: str) -> None:
    if not any(is_file(folder / name) for name in _TOKENIZER_FILES):
        raise DataError(
            f"{role}: {folder} has no tokenizer (none of {', '.join(_TOKENIZER_FILES)}); "
            "save it there with tokenizer.save_pretrained(…)"
        )


def check_given_folder(folder: Path, role: str) -> None:
    """An adapter that leaves the base as it is, or a checkpoint that is complete."""
    if not is_peft_folder(folder):
        if not is_file(folder / "config.json"):
            raise DataError(
                f"{role}: expected a PEFT folder (adapter_config.json) or a checkpoint (config.json); {folder} is neither"
            )
        check_model_folder(folder, role)
        return
    check_peft_folder(folder, role)


def adapter_bytes(shapes: Iterable[tuple[str, Sequence[int]]], rank: int, targets: Sequence[str]) -> int:
    """What a float32 LoRA adapter of this rank will weigh on disk, from names and shapes of the weights."""
    total = 0
    for name, shape in shapes:
        module = name.removesuffix(".weight").rpartition(".")[2]
        if len(shape) == 2 and name.endswith(".weight") and _is_target(module, targets):
            total += 4 * rank * (shape[0] + shape[1])
    return total


def _is_target(module: str, targets: Sequence[str]) -> bool:
    if list(targets) != ["all-linear"]:
        return module in targets
    return not any(part in module.lower() for part in ("embed", "lm_head", "wte", "wpe", "norm"))
