"""What a recipe says of one task, of the chat template and of special tokens, as training texts."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

from crossgraft.adapters.items.encoding import Reading
from crossgraft.adapters.spec.recipe import OfTask, Recipe
from crossgraft.adapters.tasks import Item
from crossgraft.adapters.training.examples import examples
from crossgraft.core import Point
from crossgraft.errors import SpecError

BOS = 1
ITEM = Item("1", "why?", (" because", " so"), 0)


class Characters:
    """A tokenizer of characters, with a beginning of sequence and a chat template."""

    bos_token, bos_token_id, eos_token_id = "\x01", BOS, 2

    def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [*([BOS] if add_special_tokens else []), *map(ord, text)]}

    def apply_chat_template(self, turns: list[dict[str, str]], **_: Any) -> str:
        return f"\x01<{turns[-1]['content']}>"


def ids(recipe: Recipe, task: str = "qa", *, chat: bool = False) -> tuple[str, int]:
    """The text and where the loss begins."""
    drawn = [(Point(task, "en"), ITEM)]
    (text,) = examples(Characters(), drawn, Reading(chat=chat), recipe, 0).texts
    return "".join(map(chr, text.ids)), text.start


def test_special_tokens_none_leaves_the_beginning_of_sequence_out() -> None:
    assert ids(Recipe())[0] == "\x01why? because"
    assert ids(Recipe(special_tokens="none"))[0] == "why? because"


def test_chat_none_trains_without_the_template_that_evaluation_has() -> None:
    assert ids(Recipe(), chat=True)[0] == "\x01<why?>because"
    assert ids(Recipe(chat="none"), chat=True)[0] == "\x01why? because"


def test_a_task_has_a_loss_a_length_and_special_tokens_of_its_own_in_every_view() -> None:
    recipe = Recipe(special_tokens="none", by_task={"truth": OfTask("all", 10, "as-evaluated")})

    assert ids(recipe) == ("why? because", 4)
    assert ids(recipe, "truth@release") == ("\x01? because", 1)


def test_what_is_not_said_changes_no_id() -> None:
    assert "by_task" not in Recipe().identity()
    assert "chat" not in Recipe().identity()
    assert Recipe(by_task={"qa": OfTask("all")}).identity()["by_task"]["qa"]["loss_on"] == "all"


def test_by_task_is_no_axis() -> None:
    with pytest.raises(SpecError, match="unknown key 'by_task'"):
        Recipe(axes={"by_task": ({},)})
