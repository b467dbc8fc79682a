"""Everything that can be named in a spec or an option, with a line each; nothing heavy is imported."""

from __future__ import annotations

from typing import Any

from crossgraft.registry import Registry

_REGISTRIES: tuple[Registry[Any], ...] = (
    Registry("kind of study", "crossgraft.studies"),
    Registry("kind of task", "crossgraft.tasks", "crossgraft.adapters.tasks"),
    Registry("benchmark", "crossgraft.benchmarks", "crossgraft.adapters.tasks.benchmarks"),
    Registry("mapping method", "crossgraft.mappings", "crossgraft.embeddings.mapping"),
    Registry("embedding task", "crossgraft.embedding_tasks", "crossgraft.embeddings.tasks"),
    Registry("callback", "crossgraft.callbacks", "crossgraft.adapters.training.callbacks"),
    Registry("executor", "crossgraft.executors", "crossgraft.runs.executors"),
)


def catalogue() -> dict[str, dict[str, str]]:
    """Kind → name → description, from the files of the plug-ins."""
    found = {registry.kind: dict(registry.describe()) for registry in _REGISTRIES}
    from crossgraft.metrics import METRICS  # needs NumPy, as the metrics are arithmetic

    found["metric"] = {name: METRICS.get(name).description for name in METRICS.names()}
    return found
