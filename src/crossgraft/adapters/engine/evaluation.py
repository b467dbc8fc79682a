"""Items of each kind, made ready once for a tokenizer, and what an engine answers to them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np

from crossgraft.adapters.engine import Engine, Steps
from crossgraft.adapters.engine.requests import Request
from crossgraft.adapters.items.encoding import Reading, encode, encode_premise, encode_prompt, encode_text, fit_prompt
from crossgraft.adapters.tasks import AnyItem, Item, OpenItem, TextItem
from crossgraft.core import Answers, Floats
from crossgraft.errors import JobFailed
from crossgraft.identity import content_id
from crossgraft.metrics.generation import SEPARATOR


@dataclass(frozen=True)
class Outcome:
    """The answers of a target, and what happened on the way."""

    answers: Answers
    facts: Mapping[str, Any] = field(default_factory=dict)


class Prepared(Protocol):
    """The items of a target as tokens: the same for the base and all adapters of a model."""

    @property
    def texts(self) -> Mapping[str, Sequence[str | Sequence[str]]]:
        """What the items look like, so that a number can be read as text."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]: ...

    def answer(self, engine: Engine) -> Generator[Steps, None, Outcome]: ...


def prepare(tokenizer: Any, items: Sequence[AnyItem], reading: Reading, window: int, language: str) -> Prepared:
    """Render, tokenise and check the items, all of one kind."""
    first = items[0]
    if isinstance(first, Item):
        return _choices(tokenizer, cast(Sequence[Item], items), reading, window)
    if isinstance(first, OpenItem):
        return _open(tokenizer, cast(Sequence[OpenItem], items), reading, window, language)
    texts = cast(Sequence[TextItem], items)
    return RunningText(tuple(texts), tuple(tuple(encode_text(tokenizer, item, window)) for item in texts))


def _open(tokenizer: Any, items: Sequence[OpenItem], reading: Reading, window: int, language: str) -> OpenAnswers:
    fitted = [
        fit_prompt(encode_prompt(tokenizer, item, reading), window, item.generation.max_tokens, item.id)
        for item in items
    ]
    cut = sum(is_cut for _, is_cut in fitted)
    return OpenAnswers(tuple(items), tuple(prompt for prompt, _ in fitted), language, {"truncated": cut})


def _choices(tokenizer: Any, items: Sequence[Item], reading: Reading, window: int) -> Choices:
    encoded = [encode(tokenizer, item, reading) for item in items]
    fitted = [code.request(window, item.id) for item, code in zip(items, encoded, strict=True)]
    premises: list[Request] = []
    if items[0].premise:
        codes = [encode_premise(tokenizer, item, reading) for item in items]
        premises = [code.request(window, item.id)[0] for item, code in zip(items, codes, strict=True)]
    facts = {
        "boundary_shifted": sum(code.shifted for code in encoded),
        "truncated": sum(cut for _, cut in fitted),
        "bos": max(code.bos for code in encoded),
    }
    return Choices(tuple(items), tuple(request for request, _ in fitted), tuple(premises), facts)


@dataclass(frozen=True)
class Choices:
    """Items with options: the log-likelihood of each, and everything it may be divided by."""

    items: tuple[Item, ...]
    requests: tuple[Request, ...]
    premises: tuple[Request, ...]
    counted: Mapping[str, Any]

    @property
    def facts(self) -> Mapping[str, Any]:
        return {**self.counted, "requests": _hash(self.requests)}

    @property
    def texts(self) -> Mapping[str, Sequence[str | Sequence[str]]]:
        return {
            "prompt": [_with_shots(item) for item in self.items],
            "options": [list(item.options) for item in self.items],
            "gold": [item.answer for item in self.items],
        }

    def answer(self, engine: Engine) -> Generator[Steps, None, Outcome]:
        scores = yield from engine.score(self.requests)
        self._check(scores.loglik)
        columns = {
            "loglik": scores.loglik,
            "gold": np.array([item.gold for item in self.items], dtype=np.int64),
            "tokens": _table([[len(option) for option in request.options] for request in self.requests]),
            "characters": _table([[len(option.strip()) for option in item.options] for item in self.items]),
            "bytes": _table([[len(option.strip().encode()) for option in item.options] for item in self.items]),
        }
        if self.premises:
            columns["unconditional"] = (yield from engine.score(self.premises)).loglik
        answers = _answers("choice", self.items, columns)
        return Outcome(answers, {"path": scores.path, "shared_tokens": scores.shared, "noise": engine.noise})

    def _check(self, loglik: Floats) -> None:
        for item, row in zip(self.items, loglik, strict=True):
            if not np.isfinite(row[: len(item.options)]).all():
                raise JobFailed(
                    f"the model gives no finite likelihood for item {item.id!r}: {row[: len(item.options)].tolist()}",
                    deterministic=True,
                )


@dataclass(frozen=True)
class OpenAnswers:
    """Questions whose answers the model writes."""

    items: tuple[OpenItem, ...]
    prompts: tuple[tuple[int, ...], ...]
    language: str
    counted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Any]:
        return {**self.counted, "requests": content_id(prompts=self.prompts)}

    @property
    def texts(self) -> Mapping[str, Sequence[str | Sequence[str]]]:
        return {
            "prompt": [_with_shots(item) for item in self.items],
            "references": [list(item.references) for item in self.items],
        }

    def answer(self, engine: Engine) -> Generator[Steps, None, Outcome]:
        written = yield from engine.generate(self.prompts, self.items[0].generation)
        columns = {
            "answer": np.array(written.texts, dtype=object),
            "references": np.array([SEPARATOR.join(item.references) for item in self.items], dtype=object),
            "language": np.array([self.language] * len(self.items), dtype=object),
        }
        answers = _answers("generation", self.items, columns)
        return Outcome(answers, {"cut": sum(written.cut)})


@dataclass(frozen=True)
class RunningText:
    """Texts of which every token is predicted."""

    items: tuple[TextItem, ...]
    pieces: tuple[tuple[Request, ...], ...]  # of each text

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"requests": _hash([piece for pieces in self.pieces for piece in pieces])}

    @property
    def texts(self) -> Mapping[str, Sequence[str | Sequence[str]]]:
        return {"text": [item.text for item in self.items]}

    def answer(self, engine: Engine) -> Generator[Steps, None, Outcome]:
        scores = yield from engine.score([piece for pieces in self.pieces for piece in pieces])
        ends = np.cumsum([0, *map(len, self.pieces)])
        loglik = np.add.reduceat(scores.loglik[:, 0], ends[:-1])
        if not np.isfinite(loglik).all():
            item = self.items[int(np.flatnonzero(~np.isfinite(loglik))[0])]
            raise JobFailed(f"the model gives no finite likelihood for text {item.id!r}", deterministic=True)
        columns = {
            "loglik": loglik,
            "bytes": np.array([len(item.text.encode()) for item in self.items], dtype=np.float64),
            "tokens": np.array([sum(len(piece.options[0]) for piece in pieces) for pieces in self.pieces], dtype=float),
        }
        answers = _answers("text", self.items, columns)
        return Outcome(answers, {"path": scores.path, "noise": engine.noise})


def _answers(kind: str, items: Sequence[AnyItem], columns: Mapping[str, Any]) -> Answers:
    """With the group of every item, where there are any."""
    if any(item.group for item in items):
        columns = {**columns, "group": np.array([item.group for item in items], dtype=object)}
    return Answers(kind, tuple(item.id for item in items), columns)


def _table(rows: Sequence[Sequence[float]]) -> Floats:
    """Rows of unlike length as a matrix, NaN at the end."""
    table = np.full((len(rows), max(map(len, rows))), np.nan)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table


def _hash(requests: Sequence[Request]) -> str:
    """What was read, to the token: two records with the same hash were asked the same."""
    return content_id(requests=[(request.context, request.options) for request in requests])


def _with_shots(item: Item | OpenItem) -> str:
    return "\n\n".join([*(f"{prompt}{answer}" for prompt, answer in item.shots), item.prompt])
