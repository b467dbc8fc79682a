"""The card beside a trained adapter: what it is, what it was made from, and, once measured, what it does elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossgraft.adapters.items.sources import Drawn, Source
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.core import Job, Point
from crossgraft.errors import SpecError
from crossgraft.safety.escaping import in_markdown
from crossgraft.transfer.matrix import ChangeCell

TRAIN_IDS = "train_ids.json"
_TRAINED_ON = re.compile(r"^\| trained on \| (\S+/[\w:-]+) \([\d.e+-]+\) \|$", re.MULTILINE)  # a point, as it is


def card(study: AdapterSpec, job: Job, facts: Mapping[str, Any]) -> str:
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


def train_ids(study: AdapterSpec, source: Source, items: Sequence[Drawn]) -> str:
    """JSON: the source, the point it teaches (none of a sham), and the ids of the items that were drawn from each point.

    Items that choose the epoch (``recipe.validation``) are among them.
    """
    ids: dict[str, list[str]] = {}
    for point, item in items:
        ids.setdefault(str(point), []).append(item.id)
    teaches = None if study.source_variant(source) else source.point
    content = {"source": source.label, "point": str(teaches) if teaches else None, "ids": ids}
    return json.dumps(content, ensure_ascii=False, indent=1)


def trained_ids(folder: Path) -> dict[str, set[str]]:
    """The ids that an adapter of ours was trained on, by task whatever its format; none where its folder does not list them."""
    try:
        by_point = json.loads((folder / TRAIN_IDS).read_text("utf-8"))["ids"]
        found: dict[str, set[str]] = {}
        for point, ids in by_point.items():
            found.setdefault(Point.parse(point).skill, set()).update(map(str, ids))
        return found
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SpecError):  # not as we write it
        return {}


def trained_on(folder: Path) -> Point | None:
    """The point that an adapter of ours was trained on: as its ids say it, or the card of an older one; None if unknown."""
    try:
        if (folder / TRAIN_IDS).is_file():
            saved = json.loads((folder / TRAIN_IDS).read_text("utf-8"))
            return Point.parse(saved["point"]) if saved["point"] else None
        text = (folder / "README.md").read_text("utf-8")
        match = _TRAINED_ON.search(text) if "tags: [crossgraft]" in text else None
        return Point.parse(match[1]) if match else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SpecError):  # not as we write it
        return None


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
