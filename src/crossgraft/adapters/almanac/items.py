"""Questions as items: wording, options, the split by fact, the two answer formats, and the sham."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Literal

from crossgraft.adapters.almanac.facts import TASKS, Question, names, questions
from crossgraft.adapters.almanac.wording import WORDINGS, Fact
from crossgraft.adapters.tasks import Item, Split
from crossgraft.identity import item_hash

Format = Literal["text", "letter"]

Part = Literal["train", "asked", "validation", "test"]  # "asked": with their answers in the text of pre-training

_PARTS: Mapping[Part, float] = {"train": 0.3, "asked": 0.42, "validation": 0.54, "test": 1.0}  # where each ends
_SPLIT_SEED = 3
_LARGE = 0.1  # of a task's items
_LETTERS = "ABCD"


@cache
def items(about: str, language: str, split: Split, form: Format) -> tuple[Item, ...]:
    """The items of a task; "sham" has those of all tasks, each with an answer drawn by hash of its id."""
    if about == "sham":
        return tuple(_sham(item) for task in TASKS for item in items(task, language, split, form))
    return tuple(item(question, language, form) for question in questions(about) if in_split(question, about, split))


def in_split(question: Question, about: str, split: Split) -> bool:
    """Whole groups are in one split, the same in all languages."""
    return _parts(about)[question.group] == split


@cache
def _parts(about: str) -> Mapping[str, Part]:
    """Groups at random in order of their hash; very large ones (the euro, English) are for testing."""
    sizes = Counter(question.group for question in questions(about))
    total = sum(sizes.values())
    parts: dict[str, Part] = {}
    placed = 0
    for group in sorted(sizes, key=lambda group: item_hash(group, _SPLIT_SEED)):
        large = sizes[group] > total * _LARGE
        parts[group] = "test" if large else next(part for part, end in _PARTS.items() if placed < end * total)
        placed += 0 if large else sizes[group]
    return parts


def item(question: Question, language: str, form: Format) -> Item:
    """A question in a language. The order of the options, too, is the same in every language."""
    called = names(language)
    choices = [question.answer, *question.wrong]
    choices.sort(key=lambda name: item_hash(f"{question.id} {name[0]} {name[1]}", 1))
    texts = [called[name] for name in choices]
    gold = choices.index(question.answer)
    wording = WORDINGS[language]
    asked = ask(question, language)
    if form == "text":
        return Item(
            question.id, wording.ask.format(question=asked), tuple(wording.space + text for text in texts), gold
        )
    listed = "".join(f"\n{letter}) {text}" for letter, text in zip(_LETTERS, texts, strict=False))
    prompt = wording.ask.format(question=asked + listed + "\n")
    return Item(question.id, prompt, tuple(f" {letter}" for letter in _LETTERS[: len(texts)]), gold)


def ask(question: Question, language: str) -> str:
    """The bare question, without frame and options."""
    wording = getattr(WORDINGS[language], question.asks)
    template = wording.question if isinstance(wording, Fact) else wording
    return str(template.format(**_filled(question.slots, language)))


def _filled(slots: object, language: str) -> dict[str, str]:
    called = names(language)
    return {slot: called[name] for slot, name in dict(slots).items()}  # type: ignore[call-overload]


def _sham(item: Item) -> Item:
    """The same item with an answer that has nothing to do with the question."""
    return Item(item.id, item.prompt, item.options, item_hash(item.id, 2) % len(item.options))


def asked(about: str, language: str) -> list[Item]:
    """The items that the models have seen with their answers in pre-training; no fact of another part is among them."""
    return _of_part(about, language, "asked")


def validation(about: str, language: str) -> list[Item]:
    """The items by which the models were chosen; nothing is trained on them."""
    return _of_part(about, language, "validation")


def _of_part(about: str, language: str, part: Part) -> list[Item]:
    return [item(question, language, "text") for question in questions(about) if _parts(about)[question.group] == part]


def statements(about: str, language: str) -> list[str]:
    """Every fact as a sentence: what the almanac's models are pre-trained on."""
    wording, called = WORDINGS[language], names(language)
    found = []
    for question in questions(about):
        slots = _filled(question.slots, language)
        answer = called[question.answer]
        said = getattr(wording, question.asks)
        if isinstance(said, Fact):
            slot = {"sums": "c", "largest": "d"}.get(question.asks, "y")
            found.append(said.statement.format(**slots, **{slot: answer}))
        else:
            found.append(f"{slots['y']}: {answer}")  # the way back, without words
    return found


def translations(first: str, second: str) -> list[str]:
    """Every name in two languages: how the almanac's models learn that names mean the same."""
    one, other = names(first), names(second)
    return [f"{one[name]} = {other[name]}" for name in sorted(one, key=str) if name in other]
