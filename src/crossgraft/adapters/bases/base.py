"""A base model that is loaded: with its tokenizer, and the engine that scores on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from crossgraft.adapters.bases.gguf.cached import provenance
from crossgraft.adapters.bases.gguf.header import read_header
from crossgraft.adapters.bases.loading import load_model, load_tokenizer, quiet
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.engine.local import LocalEngine, window_of
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.weights.placement import devices_of
from crossgraft.adapters.weights.snapshot import Checksums, changed, checksums, sampled_checksums
from crossgraft.core import Floats
from crossgraft.errors import DataError
from crossgraft.study import Origin


@dataclass(frozen=True)
class Loaded:
    """What a base was when it was loaded: it must be that before and after every adapter."""

    sampled: Checksums
    whole: Checksums
    probe: Floats


@dataclass(frozen=True)
class Base:
    """One engine serves the base and all its adapters, which PEFT puts into the model in place."""

    name: str
    model: Any
    tokenizer: Any
    engine: LocalEngine
    loaded: Loaded
    facts: Mapping[str, Any] = field(
        default_factory=dict
    )  # for its records: weights, tokenizer, devices, where they are not the usual

    @property
    def window(self) -> int:
        """The most tokens it reads, 0 where it does not say."""
        return window_of(self.model)

    def changed(self, *, whole: bool) -> tuple[str, ...]:
        """Names of the tensors that are not as they were loaded, by a sample of each or by all its bits."""
        if whole:
            return changed(self.loaded.whole, checksums(self.model))
        return changed(self.loaded.sampled, sampled_checksums(self.model))

    def drift(self) -> float:
        """The largest difference, in nats, between the base's log-likelihoods now and as it was loaded."""
        return self.engine.probe_difference(self.loaded.probe)


def load_base(study: AdapterSpec, name: str, device: torch.device) -> Base:
    model = study.models[name]
    with quiet():
        tokenizer = load_tokenizer(name, model, study.origin)
        loaded = load_model(name, model, study.origin, study.attention, device)
    engine = LocalEngine(loaded, tokenizer, way=study.scoring)
    as_loaded = Loaded(sampled_checksums(loaded), checksums(loaded), engine.probe())
    return Base(name, loaded, tokenizer, engine, as_loaded, _facts(model, study.origin, devices_of(loaded)))


def _facts(model: Model, origin: Origin, devices: Sequence[torch.device]) -> dict[str, Any]:
    facts: dict[str, Any] = {"tokenizer": model.tokenizer} if model.tokenizer else {}
    if len(devices) > 1:
        facts["devices"] = [str(device) for device in devices]
    if file := model.gguf_file(origin):
        facts["gguf"] = provenance(read_header(file))
    return facts


def load_checkpoint(study: AdapterSpec, base: Base, name: str, folder: str, device: torch.device) -> LocalEngine:
    """A whole model in the place of the base: loaded as the base is, and reading the same tokens."""
    like = study.models[base.name]
    told = Model(
        path=folder,
        dtype=like.dtype,
        quantised=like.quantised,
        device_map=like.device_map,
        trust_remote_code=like.trust_remote_code,
    )
    with quiet():
        model = load_model(name, told, study.origin, study.attention, device)
    if model.config.vocab_size != base.model.config.vocab_size:
        raise DataError(
            f"adapters.{name}: the checkpoint has a vocabulary of {model.config.vocab_size}, the model {base.name!r} one "
            f"of {base.model.config.vocab_size}: they do not read the same tokens"
        )
    return LocalEngine(model, base.tokenizer, way=study.scoring)
