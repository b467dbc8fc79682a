"""Items as training texts: the right answer after its prompt, tokenised exactly as it is evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crossgraft.adapters.items.encoding import Reading, encode, encode_text
from crossgraft.adapters.items.sources import Drawn
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.tasks import Item, OpenItem, TextItem
from crossgraft.adapters.training.loss import Example
from crossgraft.errors import DataError

_MOST_CUT = 0.05  # share of the answers that may be cut


@dataclass(frozen=True)
class Examples:
    """Training texts, and what was cut to make them fit: prompts on the left, answers on the right."""

    texts: tuple[Example, ...]
    prompts_cut: int = 0
    answers_cut: int = 0


def examples(tokenizer: Any, items: Sequence[Drawn], reading: Reading, recipe: Recipe, window: int) -> Examples:
    """Every item as a training text; too many cut answers are refused."""
    if not items:
        raise DataError("expected items to train on; the train split has none")
    recipes = {point.skill: recipe.of_task(point.skill) for point, _ in items}
    texts: list[Example] = []
    prompts = answers = 0
    for point, item in items:
        part, own = str(point), recipes[point.skill]
        most = _most(own, window)
        if isinstance(item, TextItem):
            pieces = encode_text(tokenizer, item, most)
            texts += [Example((*piece.context, *piece.options[0]), len(piece.context), part) for piece in pieces]
            continue
        whole, bos = _whole(tokenizer, item, trained_reading(reading, own))
        example, prompt_cut, answer_cut = _fit(whole, bos, most)
        prompts += prompt_cut
        answers += answer_cut
        texts.append(Example(example.ids, example.start if own.loss_on == "answer" else 1, part))
    if answers > _MOST_CUT * len(items):
        raise DataError(
            f"{answers} of {len(items)} answers do not fit into {_lengths(recipes.values(), window)} tokens even without their prompts; raise "
            "recipe.max_tokens, or choose a model with a larger window"
        )
    return Examples(tuple(texts), prompts, answers)


def trained_reading(reading: Reading, recipe: Recipe) -> Reading:
    """How texts become tokens in training: as in evaluation, but for what the recipe leaves out."""
    return replace(
        reading,
        chat=reading.chat and recipe.chat == "as-evaluated",
        bos=reading.bos and recipe.special_tokens == "as-evaluated",
    )


def _most(recipe: Recipe, window: int) -> int:
    return min((one for one in (recipe.max_tokens, window) if one), default=0)


def _lengths(recipes: Iterable[Recipe], window: int) -> str:
    return " or ".join(map(str, sorted({_most(recipe, window) for recipe in recipes})))


def hold_out(texts: Sequence[Example], share: float) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """A fixed share of the texts kept from training, at random: at least one, where a share is asked for."""
    if not share:
        return tuple(texts), ()
    count = max(1, round(len(texts) * share))
    if count >= len(texts):
        raise DataError(f"recipe.validation {share} of {len(texts)} items leaves nothing to train on")
    lot = set(np.random.default_rng(42).permutation(len(texts))[:count].tolist())
    return (
        tuple(text for n, text in enumerate(texts) if n not in lot),
        tuple(text for n, text in enumerate(texts) if n in lot),
    )


def _whole(tokenizer: Any, item: Item | OpenItem, reading: Reading) -> tuple[Example, int]:
    """Prompt and answer as tokens, and how many beginning-of-sequence tokens stand in front.

    An answer that a model writes ends with the end of the sequence, or it would never learn to stop.
    """
    if isinstance(item, OpenItem):
        code = encode(tokenizer, Item(item.id, item.prompt, (item.answer,), 0, item.shots), reading)
        end = () if tokenizer.eos_token_id is None else (tokenizer.eos_token_id,)
        return Example((*code.options[0], *end), code.start), code.bos
    code = encode(tokenizer, item, reading)
    return Example(code.options[item.gold], code.start), code.bos


def _fit(example: Example, bos: int, most: int) -> tuple[Example, bool, bool]:
    surplus = len(example.ids) - most if most else 0
    if surplus <= 0:
        return example, False, False
    room = example.start - bos - 1  # one token of the prompt stays
    dropped = min(surplus, max(0, room))
    ids = (*example.ids[:bos], *example.ids[bos + dropped :])
    return Example(ids[:most], example.start - dropped), dropped > 0, surplus > dropped
