from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parts import result

torch = pytest.importorskip("torch")

from crossgraft.adapters.loading import load_model, load_tokenizer
from crossgraft.adapters.models import Model
from crossgraft.adapters.scoring import Scored, encode, score_items
from crossgraft.adapters.tasks import Item
from crossgraft.errors import DataError, JobFailed
from crossgraft.study import Origin


@pytest.fixture(scope="module")
def parts(tiny_model: Path) -> tuple[Any, Any]:
    told = Model(path=str(tiny_model))
    tokenizer = load_tokenizer("tiny", told, Origin())
    return load_model("tiny", told, Origin(), "sdpa", torch.device("cpu")), tokenizer


def score(model: Any, tokenizer: Any, *items: Item) -> Scored:
    return result(score_items(model, items, [encode(tokenizer, item) for item in items]))


ITEM = Item("1", "what is the colour of the sky ?", (" blue", " red green"), 0)


def test_a_log_likelihood_is_the_sum_over_the_options_tokens(parts: tuple[Any, Any]) -> None:
    """Against Transformers' own loss on the same tokens, option by option."""
    model, tokenizer = parts

    answers = score(model, tokenizer, ITEM).answers

    for place, option in enumerate(ITEM.options):
        ids = torch.tensor([tokenizer(ITEM.prompt + option)["input_ids"]])
        labels = ids.clone()
        labels[:, : len(tokenizer(ITEM.prompt)["input_ids"])] = -100
        scored = int((labels != -100).sum())
        with torch.no_grad():
            expected = -float(model(input_ids=ids, labels=labels).loss) * scored
        assert answers.columns["loglik"][0, place] == pytest.approx(expected, abs=1e-4)
        assert answers.columns["tokens"][0, place] == scored


def test_lengths_are_of_the_option_without_its_separator(parts: tuple[Any, Any]) -> None:
    columns = score(*parts, Item("1", "sky ?", (" blå", " x y"), 0)).answers.columns

    assert columns["characters"].tolist() == [[3, 3]]
    assert columns["bytes"].tolist() == [[4, 3]]


def test_items_are_scored_alike_in_any_order_and_company(parts: tuple[Any, Any]) -> None:
    other = Item("2", "the sky is", (" red", " green", " blue"), 1)

    together = score(*parts, ITEM, other).answers.columns["loglik"]
    alone = score(*parts, other).answers.columns["loglik"]

    assert together[1].tolist() == alone[0].tolist()
    assert np.isnan(together[0, 2])


def test_a_token_across_the_boundary_moves_the_start_for_all_options(parts: tuple[Any, Any]) -> None:
    _, tokenizer = parts
    item = Item("1", "the sky is bl", ("ue", "ack"), 0)  # "blue" is one token, "bl" is not its beginning

    code = encode(tokenizer, item)

    assert code.shifted
    assert tokenizer.decode(code.options[0]) == "the sky is blue"
    assert code.options[0][: code.start] == code.options[1][: code.start]


def test_a_long_prompt_is_cut_on_the_left_and_counted(parts: tuple[Any, Any]) -> None:
    model, tokenizer = parts
    long = Item("1", "blue " * 300 + ITEM.prompt, ITEM.options, 0)

    scored = score(model, tokenizer, long)

    assert scored.truncated == 1
    assert np.isfinite(scored.answers.columns["loglik"]).all()


def test_an_option_longer_than_the_window_is_an_error(parts: tuple[Any, Any]) -> None:
    with pytest.raises(DataError, match="leaves no room for the prompt in the model's window of 128 tokens"):
        score(*parts, Item("1", "sky", (" blue" * 200, " red"), 0))


def test_an_option_without_a_token_of_its_own_is_an_error(parts: tuple[Any, Any]) -> None:
    with pytest.raises(DataError, match="adds no token"):
        encode(parts[1], Item("1", "sky", ("", " red"), 0))


def test_a_prompt_without_tokens_is_an_error(parts: tuple[Any, Any]) -> None:
    with pytest.raises(DataError, match="the prompt needs some text"):
        encode(parts[1], Item("1", "", (" blue", " red"), 0))


def test_a_model_that_gives_no_number_fails_the_job(parts: tuple[Any, Any]) -> None:
    model, tokenizer = parts
    weight = model.lm_head.weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(float("nan"))
    try:
        with pytest.raises(JobFailed, match="no finite likelihood for item '1'"):
            score(model, tokenizer, ITEM)
    finally:
        with torch.no_grad():
            weight.copy_(kept)
