from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from crossgraft.adapters.bases.loading import load_tokenizer
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.items.encoding import Reading, encode, encode_prompt, encode_text, preview_lines, render
from crossgraft.adapters.tasks import Item, OpenItem, TextItem
from crossgraft.errors import DataError
from crossgraft.study import Origin

ITEM = Item("1", "what is the colour of the sky ?", (" blue", " red green"), 0)
TEMPLATE = "<s>{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    return load_tokenizer("tiny", Model(path=str(tiny_model)), Origin())


def with_bos(tokenizer: Any) -> Any:
    from tokenizers import processors

    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.bos_token_id)]
    )
    return tokenizer


def test_prompt_and_option_are_tokenised_as_one_text(tokenizer: Any) -> None:
    code = encode(tokenizer, ITEM)

    for option, ids in zip(ITEM.options, code.options, strict=True):
        assert list(ids) == tokenizer(ITEM.prompt + option)["input_ids"]
    assert tokenizer.decode(code.options[1][code.start :]) == " red green"


def test_a_token_across_the_boundary_moves_the_start_for_all_options(tokenizer: Any) -> None:
    item = Item("1", "the sky is bl", ("ue", "ack"), 0)  # "blue" is one token, "bl" is not its beginning

    code = encode(tokenizer, item)

    assert code.shifted
    assert tokenizer.decode(code.options[0]) == "the sky is blue"
    assert code.options[0][: code.start] == code.options[1][: code.start]


def test_as_lm_eval_the_prompts_own_tokens_stay_and_another_text_is_scored(tokenizer: Any) -> None:
    item = Item("1", "the sky is bl", ("ue red", "ack"), 0)

    code = encode(tokenizer, item, Reading(boundary="lm-eval"))

    prompt = tokenizer(item.prompt)["input_ids"]
    assert code.shifted
    assert code.start == len(prompt)
    assert list(code.options[0]) == [*prompt, *tokenizer("the sky is blue red")["input_ids"][len(prompt) :]]
    assert tokenizer.decode(code.options[0]) != "the sky is blue red"


def test_what_lm_eval_cannot_cut_is_an_error(tokenizer: Any) -> None:
    item = Item("1", "the sky is bl", ("ue", "ack"), 0)  # the whole text has no more tokens than the prompt

    with pytest.raises(DataError, match='boundary = "shared" can'):
        encode(tokenizer, item, Reading(boundary="lm-eval"))


def test_there_is_one_beginning_of_sequence_whoever_puts_it(tokenizer: Any) -> None:
    tokenizer = with_bos(tokenizer)
    tokenizer.chat_template = TEMPLATE

    plain = encode(tokenizer, ITEM)
    chat = encode(tokenizer, ITEM, Reading(chat=True))

    assert plain.bos == chat.bos == 1
    assert chat.options[0].count(tokenizer.bos_token_id) == 1


def test_a_chat_has_turns_for_shots_and_answers_without_separator(tokenizer: Any) -> None:
    tokenizer.chat_template = TEMPLATE
    item = Item("1", "sky ?", (" blue", " red"), 0, shots=(("grass ?", " green"),))

    text, options = render(tokenizer, item, Reading(chat=True, system="Be brief."))

    assert text == "<s>[system]Be brief.[user]grass ?[assistant]green[user]sky ?[assistant]"
    assert list(options) == ["blue", "red"]


def test_without_a_template_a_chat_is_an_error(tokenizer: Any) -> None:
    with pytest.raises(DataError, match="has no chat template"):
        encode(tokenizer, ITEM, Reading(chat=True))


def test_a_refusing_template_says_why(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ raise_exception('no system message') }}"

    with pytest.raises(DataError, match="refuses these turns: no system message"):
        encode(tokenizer, ITEM, Reading(chat=True))


def test_shots_stand_before_the_prompt(tokenizer: Any) -> None:
    item = OpenItem("1", "sky ?", ("blue",), shots=(("grass ?", " green"),))

    ids = encode_prompt(tokenizer, item, Reading(between=" ; "))

    assert tokenizer.decode(ids) == "grass ? green ; sky ?"


def test_a_long_prompt_is_cut_on_the_left_after_its_beginning_of_sequence(tokenizer: Any) -> None:
    code = encode(with_bos(tokenizer), Item("1", "blue " * 300 + ITEM.prompt, ITEM.options, 0))

    request, cut = code.request(128, "1")

    assert cut
    assert request.context[0] == tokenizer.bos_token_id
    assert len(request.context) + max(map(len, request.options)) == 128
    assert tokenizer.decode(request.context).endswith(ITEM.prompt)


def test_an_option_longer_than_the_window_is_an_error(tokenizer: Any) -> None:
    code = encode(tokenizer, Item("1", "sky", (" blue" * 200, " red"), 0))

    with pytest.raises(DataError, match="leaves no room for the prompt in the model's window of 128 tokens"):
        code.request(128, "1")


def test_an_option_without_a_token_of_its_own_is_an_error(tokenizer: Any) -> None:
    with pytest.raises(DataError, match="adds no token"):
        encode(tokenizer, Item("1", "sky", ("", " red"), 0))


def test_a_prompt_without_tokens_is_an_error(tokenizer: Any) -> None:
    with pytest.raises(DataError, match="the prompt needs some text"):
        encode(tokenizer, Item("1", "", (" blue", " red"), 0))


@pytest.mark.parametrize("window", [0, 7, 16, 100])
def test_every_token_of_a_text_is_foretold_once_in_order(tokenizer: Any, window: int) -> None:
    text = "what is the colour of the sky ? blue red green " * 3
    ids = tokenizer(text)["input_ids"]

    pieces = encode_text(tokenizer, TextItem("1", text), window)

    assert [token for piece in pieces for token in piece.options[0]] == ids
    if window:
        assert all(len(piece.context) + len(piece.options[0]) <= window for piece in pieces)
        assert all(len(piece.context) >= window // 2 for piece in pieces[1:])


def test_preview_shows_where_scoring_begins(tokenizer: Any) -> None:
    lines = dict(preview_lines(tokenizer, Item("1", "the sky is bl", ("ue", "ack"), 0), Reading()))

    assert "scoring begins before it" in lines["boundary"]
    assert lines["answer"] == "ue"
