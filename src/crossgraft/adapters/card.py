"""The card beside a trained adapter: what it is, what it was made from, and, once measured, what it does elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from crossgraft.adapters.study import AdapterStudy
from crossgraft.core import Job
from crossgraft.escaping import in_markdown
from crossgraft.matrix import ChangeCell


def card(study: AdapterStudy, job: Job, facts: Mapping[str, Any]) -> str:
    """Markdown with the front matter that model hubs read."""
    treatment = job.treatment
    model = study.models[treatment.model]
    recipe = study.recipe_of(treatment)
    source = study.source_of(treatment)
    after = f", as it was after {facts['after']:g} epochs" if facts.get("after") else ""
    trained = "Trained whole" if recipe.method == "full" else "A LoRA adapter"
    rows = {
        "base": f"{model.hub or model.path}{f' (quantised: {model.quantised})' if model.quantised else ''}",
        "revision": model.revision or "local folder, identified by its content",
        "trained on": f"{', '.join(f'{point} ({weight:g})' for point, weight in source.parts)} {source.variant}".strip(),
        "items": facts["train_items"],
        "steps": facts["train_steps"],
        "tokens, and those the loss counts": f"{facts['train_tokens']}, {facts['counted_tokens']}",
        **{f"tokens of {part}": count for part, count in facts["train_tokens_of"].items() if len(source.parts) > 1},
        "seed": treatment.seed,
        "loss, first and last step": f"{facts['first_loss']:.4f}, {facts['last_loss']:.4f}",
        "id of the training run": job.run_id,
    }
    lines = [
        "---",
        f"base_model: {json.dumps(model.hub or model.path)}",
        *([] if recipe.method == "full" else ["library_name: peft"]),
        "tags: [crossgraft]",
        "---",
        "",
        f"# {in_markdown(f'{source.label} on {treatment.model}')}",
        "",
        f"{trained} made by crossgraft{after}, in the study {in_markdown(repr(study.name))}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {in_markdown(name)} | {in_markdown(str(value))} |" for name, value in rows.items()),
        "",
        "Recipe, as far as it differs from the defaults:",
        "",
        "```json",
        json.dumps(dict(recipe.identity()), indent=1, default=str),
        "```",
    ]
    return "\n".join(lines) + "\n"


def transfer_table(cells: Iterable[ChangeCell]) -> str:
    """What the adapter changed on every target, for its card."""
    lines = [
        "",
        "## Measured transfer",
        "",
        "Change against the base on the same items; 95 % intervals.",
        "",
        "| target | regime | base | now | change | n | seeds |",
        "|---|---|---|---|---|---|---|",
    ]
    for cell in cells:
        change = cell.change
        lines.append(
            f"| {in_markdown(str(cell.target))} | {cell.regime or ''} | {cell.control:.3f} | {cell.treated:.3f} | "
            f"{change.mean:+.2f} {cell.unit} [{change.low:+.2f}, {change.high:+.2f}] | {change.n} | {len(cell.seeds)} |"
        )
    return "\n".join(lines) + "\n"
