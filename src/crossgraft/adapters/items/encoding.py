"""From items to tokens: where the context ends, one beginning-of-sequence token, chat templates, the window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from crossgraft.adapters.engine.requests import Request
from crossgraft.adapters.tasks import AnyItem, Item, OpenItem, TextItem
from crossgraft.errors import DataError

Boundary = Literal["shared", "lm-eval"]


@dataclass(frozen=True)
class Reading:
    """How text becomes tokens.

    ``boundary``: where a token spans prompt and option, scoring begins at the longest token prefix they all
    share ("shared"), or at the prompt's own tokens, as lm-evaluation-harness cuts ("lm-eval").
    ``between`` stands between solved examples. Without ``bos``, no beginning of sequence is put in front.
    """

    boundary: Boundary = "shared"
    chat: bool = False
    system: str = ""
    between: str = "\n\n"
    bos: bool = True


@dataclass(frozen=True, slots=True)
class Encoded:
    """An item as tokens. Scored are the tokens from ``start`` on; before it all options agree."""

    options: tuple[tuple[int, ...], ...]  # the whole text of prompt and option, each
    start: int
    shifted: bool  # the prompt's own tokens change when an option follows
    bos: int  # beginning-of-sequence tokens in front

    def request(self, window: int, item: str) -> tuple[Request, bool]:
        """What is asked of the model, and whether it was cut to fit the window: the far past goes first."""
        surplus = max(0, max(map(len, self.options)) - window) if window else 0
        if surplus and surplus >= self.start - self.bos:
            longest = max(map(len, self.options)) - self.start
            raise DataError(
                f"item {item!r}: an option of {longest} tokens leaves no room for the prompt in the model's window of "
                f"{window} tokens"
            )
        context = self.options[0][: self.start]
        cut = (*context[: self.bos], *context[self.bos + surplus :])
        return Request(cut, tuple(option[self.start :] for option in self.options)), surplus > 0


def encode(tokenizer: Any, item: Item, reading: Reading = Reading()) -> Encoded:
    """Prompt and option are tokenised as one text, because that is the text.

    Where a token spans the boundary, scoring begins at the longest token prefix that the prompt
    and all its options share. That scores a few characters of the prompt too, the same for every
    option; cutting at the prompt's own tokens would score a text nobody wrote.
    """
    prompt, options = render(tokenizer, item, reading)
    bos = _bos(tokenizer, prompt) if reading.bos else ()
    if reading.boundary == "lm-eval":
        return _cut_as_lm_eval(tokenizer, item, prompt, options, bos)
    context = (*bos, *_tokens(tokenizer, prompt))
    whole = tuple((*bos, *_tokens(tokenizer, prompt + option)) for option in options)
    start = min(_shared_prefix(context, option) for option in whole)
    return _checked(Encoded(whole, start, shifted=start < len(context), bos=_leading(tokenizer, context)), item)


def _cut_as_lm_eval(tokenizer: Any, item: Item, prompt: str, options: Sequence[str], bos: tuple[int, ...]) -> Encoded:
    """The tokens of the prompt alone, then whatever the whole text has beyond as many tokens."""
    trailing = len(prompt) - len(prompt.rstrip())
    if trailing:
        prompt, options = prompt[:-trailing], [prompt[-trailing:] + option for option in options]
    context = (*bos, *_tokens(tokenizer, prompt))
    wholes = [(*bos, *_tokens(tokenizer, prompt + option)) for option in options]
    told = tuple((*context, *whole[len(context) :]) for whole in wholes)
    for text, whole in zip(item.options, wholes, strict=True):
        if len(whole) <= len(context):
            raise DataError(
                f"item {item.id!r}: cut as lm-evaluation-harness does, the option {text!r} has no token of its own; "
                'boundary = "shared" can score it'
            )
    shifted = any(whole[: len(context)] != context for whole in wholes)
    return _checked(Encoded(told, len(context), shifted=shifted, bos=_leading(tokenizer, context)), item)


def _checked(code: Encoded, item: Item) -> Encoded:
    if code.start == 0:
        raise DataError(f"item {item.id!r}: there is no token before the options; the prompt needs some text")
    for text, option in zip(item.options, code.options, strict=True):
        if len(option) <= code.start:
            raise DataError(f"item {item.id!r}: the option {text!r} adds no token to the prompt")
    return code


def encode_premise(tokenizer: Any, item: Item, reading: Reading) -> Encoded:
    """The options after the premise instead of the question: how likely they are by themselves."""
    return encode(tokenizer, replace(item, prompt=item.premise, shots=()), replace(reading, chat=False))


def encode_prompt(tokenizer: Any, item: OpenItem, reading: Reading = Reading()) -> tuple[int, ...]:
    """The tokens after which the model writes its answer."""
    prompt, _ = render(tokenizer, item, reading)
    return (*_bos(tokenizer, prompt), *_tokens(tokenizer, prompt))


def fit_prompt(prompt: tuple[int, ...], window: int, answer: int, item: str) -> tuple[tuple[int, ...], bool]:
    """The prompt with room for an answer of so many tokens, and whether it was cut; the far past goes first."""
    surplus = len(prompt) + answer - window if window else 0
    if surplus <= 0:
        return prompt, False
    if surplus >= len(prompt) - 1:
        raise DataError(
            f"item {item!r}: an answer of up to {answer} tokens leaves no room for the prompt in the model's window of "
            f"{window} tokens; lower max_tokens"
        )
    return (prompt[0], *prompt[1 + surplus :]), True  # the first token may be the beginning of sequence


def encode_text(tokenizer: Any, item: TextItem, window: int) -> list[Request]:
    """A running text in pieces that fit the window; every piece but the first has half a window before it.

    Before the first token stands the beginning-of-sequence token, or the end-of-sequence token where a
    tokenizer has no other; without either, the first token is not predicted.
    """
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    ids = [*([] if start is None else [start]), *_tokens(tokenizer, item.text)]
    if len(ids) < 2:
        raise DataError(f"text {item.id!r}: expected at least two tokens; got {item.text!r}")
    room = window or len(ids)
    pieces = [Request(tuple(ids[:1]), (tuple(ids[1:room]),))]
    step = max(1, room // 2)
    pieces += [
        Request(tuple(ids[first - (room - step) : first]), (tuple(ids[first : first + step]),))
        for first in range(room, len(ids), step)
    ]
    return pieces


def render(tokenizer: Any, item: Item | OpenItem, reading: Reading) -> tuple[str, Sequence[str]]:
    """The text before the answer, and the texts of the options as they follow it."""
    options = item.options if isinstance(item, Item) else ()
    if not reading.chat:
        solved = "".join(f"{prompt}{answer}{reading.between}" for prompt, answer in item.shots)
        return solved + item.prompt, options
    turns = [{"role": "system", "content": reading.system}] if reading.system else []
    for prompt, answer in item.shots:
        turns += [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer.strip()}]
    turns.append({"role": "user", "content": item.prompt})
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    except ValueError as error:
        raise DataError("chat = true, but the model's tokenizer has no chat template") from error
    except Exception as error:  # whatever the template, a program of its own, raises
        raise DataError(f"the model's chat template refuses these turns: {error}") from error
    return text, [option.lstrip() for option in options]


def _tokens(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _bos(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The beginning-of-sequence token, if this tokenizer puts one in front and the text has none yet."""
    if tokenizer.bos_token and text.startswith(tokenizer.bos_token):
        return ()
    first = tokenizer("a")["input_ids"][:1]
    return (first[0],) if first and first[0] == tokenizer.bos_token_id else ()


def _leading(tokenizer: Any, ids: Sequence[int]) -> int:
    """How many beginning-of-sequence tokens stand in front."""
    count = 0
    while count < len(ids) and ids[count] == tokenizer.bos_token_id:
        count += 1
    return count


def _shared_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    for position, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return position
    return min(len(first), len(second))


def preview_lines(tokenizer: Any, item: AnyItem, reading: Reading) -> Iterator[tuple[str, str]]:
    """What the model will read of an item, as labelled lines, for ``preview``."""
    if isinstance(item, TextItem):
        yield "text", item.text
        return
    prompt, options = render(tokenizer, item, reading)
    yield "prompt", prompt
    if isinstance(item, Item):
        yield from _pieces(encode(tokenizer, item, reading), options, tokenizer)
    else:
        yield "prompt tokens", str(len(encode_prompt(tokenizer, item, reading)))
        yield "ends at", f"{', '.join(map(repr, item.generation.stop))} or {item.generation.max_tokens} tokens"
    yield "answer", item.answer.strip()


def _pieces(code: Encoded, options: Sequence[str], tokenizer: Any) -> Iterator[tuple[str, str]]:
    """The tokens of the context and of each option."""
    context = tokenizer.convert_ids_to_tokens(list(code.options[0][: code.start]))
    yield "context tokens", f"{len(context)}: … {' '.join(context[-8:])}"
    for text, option in zip(options, code.options, strict=True):
        pieces = tokenizer.convert_ids_to_tokens(list(option[code.start :]))
        yield f"option {text!r}", f"{len(pieces)} scored: {' '.join(pieces)}"
    if code.shifted:
        yield "boundary", "a token spans prompt and option; scoring begins before it, the same for all options"
