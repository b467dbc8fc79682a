"""``[models]`` and ``[adapters]``: the language models of a study, and what the user trained already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossgraft.adapters.weights.peft_folder import check_peft_folder, is_peft_folder, read_config
from crossgraft.adapters.weights.tensors import weight_shapes
from crossgraft.core import Point
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.safety.opening import is_file
from crossgraft.study import Input, Origin

DType = Literal["float32", "bfloat16", "float16"]
Quantised = Literal["", "nf4", "int8"]

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")


@dataclass(frozen=True)
class Model:
    """A causal language model: a local Transformers folder (or ``almanac:NAME``), or a hub id at a revision.

    ``family`` and ``billions`` (parameters) are what the analysis conditions on. With ``chat``, prompts go through
    the chat template of the model's tokenizer, after ``system`` where there is one. ``quantised`` weights compute
    in ``dtype``.
    """

    path: str = ""
    hub: str = ""
    revision: str = ""
    dtype: DType = "float32"
    quantised: Quantised = ""
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
        if self.path.lower().endswith(".gguf") or is_gguf(self.hub):
            raise SpecError(not_gguf(self.path or self.hub), ("path" if self.path else "hub",))

    def input(self, name: str, origin: Origin) -> Input:
        if self.hub:
            return Input("hub", self.hub, f"models.{name}", self.revision)
        return Input("model", _folder(self.path, origin), f"models.{name}")

    def identity(self) -> Mapping[str, Any]:
        told: dict[str, Any] = {"dtype": self.dtype, "trust_remote_code": self.trust_remote_code}
        if self.quantised:
            told["quantised"] = self.quantised
        if self.chat:
            told |= {"chat": True, "system": self.system}
        return told


def _folder(path: str, origin: Origin) -> str:
    """A path of the spec, or the folder of a model that comes with us (``almanac:llama-small``)."""
    package, colon, name = path.partition(":")
    if not colon or package != "almanac":
        return origin.path(path)
    shipped = Path(__file__).parent / "almanac" / "models"
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


def is_gguf(name: str) -> bool:
    """Whether the name of a file or of a hub model says that it holds GGUF (``x.gguf``, ``owner/x-GGUF``)."""
    return Path(name).name.lower().endswith("gguf")


def not_gguf(where: str) -> str:
    """How to make of GGUF weights what can be read here."""
    path = Path(where)
    files = sorted(path.glob("*.gguf")) if path.is_dir() else []
    folder, file = (
        (path.parent, path.name) if path.suffix == ".gguf" else (path, files[0].name if files else "FILE.gguf")
    )
    given = f'"{folder}", gguf_file="{file}"'
    return (
        f"{where} holds GGUF weights, which are not read here. Convert them once with Transformers (pip install gguf): "
        f"model = AutoModelForCausalLM.from_pretrained({given}); model.hf_quantizer = None; "
        'del model.config.quantization_config; model.save_pretrained("converted"); '
        f'AutoTokenizer.from_pretrained({given}).save_pretrained("converted"). Then give the folder "converted"'
    )


def check_model_folder(folder: Path, role: str) -> None:
    """What a Transformers folder needs for us: configuration, safetensors, tokenizer."""
    if any(folder.glob("*.gguf")) and not any(folder.glob("*.safetensors")):
        raise DataError(f"{role}: {not_gguf(str(folder))}")
    if not is_file(folder / "config.json"):
        raise DataError(f"{role}: expected a Transformers model folder; {folder} has no config.json")
    if not any(folder.glob("*.safetensors")):
        raise DataError(f"{role}: {folder} has no *.safetensors; pickled weights are not loaded, convert them first")
    for _ in weight_shapes(folder):  # reads the headers, and so finds what is no safetensors
        pass
    if not any(is_file(folder / name) for name in _TOKENIZER_FILES):
        raise DataError(
            f"{role}: {folder} has no tokenizer (none of {', '.join(_TOKENIZER_FILES)}); "
            "save it there with tokenizer.save_pretrained(…)"
        )
    read_config(folder / "config.json", role)


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


def adapter_bytes(folder: Path, rank: int, targets: Sequence[str]) -> int:
    """What a float32 LoRA adapter of this rank will weigh on disk, from the shapes of the weights."""
    total = 0
    for name, shape in weight_shapes(folder):
        module = name.removesuffix(".weight").rpartition(".")[2]
        if len(shape) == 2 and name.endswith(".weight") and _is_target(module, targets):
            total += 4 * rank * (shape[0] + shape[1])
    return total


def _is_target(module: str, targets: Sequence[str]) -> bool:
    if list(targets) != ["all-linear"]:
        return module in targets
    return not any(part in module.lower() for part in ("embed", "lm_head", "wte", "wpe", "norm"))
