"""MUSE: a game that finds a planted rotation, its parts against their formulas, and honesty where it fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.embeddings.mapping.muse import MUSE
from crossgraft.embeddings.spaces.space import Space, unit
from crossgraft.errors import JobFailed, MissingExtra, SpecError
from crossgraft.spec import build
from planted import NO_PAIRS, clouds, hits, rng, rotated, same, space

pytest.importorskip("torch")

from crossgraft.embeddings.mapping.steps.adversarial import AdversarialSettings, AdversarialTraining

SMALL = AdversarialSettings(hidden=64, guesses=1, batch=64, dropout=0.0, beta=0.05)
QUICK = MUSE(epochs=6, samples=45_000, rate=0.7, game=SMALL)


def turned() -> tuple[Space, Space, np.ndarray]:
    """Two spaces and the rotation between them, which is no reflection: to one no game in small steps finds."""
    source, target, planted = rotated(200, 10, noise=0.05)
    sign = np.where(np.arange(10) == 0, np.linalg.det(planted), 1)
    return source, space(target.vectors * sign), planted * sign


@pytest.mark.slow
def test_the_best_of_a_few_seeds_is_the_planted_rotation_and_says_so() -> None:
    """By its objective, for which no dictionary is needed; a game may end with two of the weakest axes exchanged."""
    source, target, planted = turned()

    tries = [QUICK.fit(source, target, NO_PAIRS, np.random.default_rng(seed)) for seed in range(4)]

    best = max(tries, key=lambda mapping: max(mapping.facts["objective"]))
    assert best.facts["converged"]
    assert hits(best, source, target) > 0.95
    assert best.source == pytest.approx(planted, abs=0.05)


def test_it_does_not_claim_to_have_related_unrelated_spaces() -> None:
    source, target = space(clouds(300, 20, 1)), space(clouds(300, 20, 2))

    mapping = replace(QUICK, epochs=1).fit(source, target, NO_PAIRS, rng())

    assert not mapping.facts["converged"]


def test_the_same_seed_gives_the_same_map_and_another_seed_another_game() -> None:
    x, y = clouds(100, 5), clouds(100, 5, 1)

    def after(seed: int) -> np.ndarray:
        players = AdversarialTraining(x, y, SMALL, np.random.default_rng(seed))
        players.train(20, 0.2)
        return players.w

    assert np.array_equal(after(1), after(1))
    assert not np.allclose(after(1), after(2))


def test_a_dictionary_is_not_looked_at() -> None:
    source, target, _ = rotated(100, 5)
    method = replace(QUICK, epochs=1, samples=640)

    without, wrong = (method.fit(source, target, pairs, rng()) for pairs in (NO_PAIRS, same(100)[::-1].copy()))

    assert np.array_equal(without.source, wrong.source)
    assert without.facts == wrong.facts


def test_the_criterion_is_the_mean_cosine_of_frequent_words_to_their_best_by_csls() -> None:
    x, y = clouds(40, 6), clouds(50, 6, 1)
    w = np.linalg.qr(rng().normal(size=(6, 6)))[0]
    cosines = unit(x @ w) @ y.T
    of_y = np.sort(cosines, axis=0)[-10:].mean(axis=0)
    best = (2 * cosines - of_y).argmax(axis=1)[:25]

    found = MUSE(judged=25).criterion(w, x, y)

    assert found == pytest.approx(cosines[np.arange(25), best].mean(), abs=1e-5)


def test_a_map_returns_to_a_rotation() -> None:
    players = AdversarialTraining(clouds(50, 4), clouds(50, 4, 1), AdversarialSettings(hidden=8, beta=0.05), rng())

    players.train(200, 0.05)

    assert np.linalg.svd(players.w)[1] == pytest.approx(np.ones(4), abs=0.25)


def test_the_game_does_not_see_how_long_vectors_are() -> None:
    x, y = clouds(60, 4), clouds(60, 4, 1)

    short, long = (AdversarialTraining(scale * x, scale * y, SMALL, rng()) for scale in (np.float32(1), np.float32(8)))

    assert [short.train(5, 0.1), short.w.tolist()] == [long.train(5, 0.1), long.w.tolist()]


def test_the_guesser_learns_to_tell_languages_apart_when_the_map_stands_still() -> None:
    x, y = clouds(200, 5), unit(clouds(200, 5, 1) + np.float32(0.5))
    players = AdversarialTraining(x, y, AdversarialSettings(hidden=32, guesses=100, batch=64), rng())

    first, later = players.train(1, 0.2), [players.train(1, 0.2) for _ in range(3)][-1]

    assert later < first < 0.8


def test_the_best_epoch_is_kept_and_a_second_fall_halves_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Criteria are told to it: it rises, falls twice, and is played on at half the rate."""
    told = iter([0.3, 0.5, 0.4, 0.45, 0.2])
    rates, maps = list[float](), list[np.ndarray]()
    play = AdversarialTraining.train

    def noted(players: AdversarialTraining, rounds: int, rate: float) -> float:
        rates.append(rate)
        loss = play(players, 1, 0.1)
        maps.append(players.w)
        return loss

    monkeypatch.setattr(AdversarialTraining, "train", noted)
    monkeypatch.setattr(MUSE, "criterion", lambda *_: next(told))

    best, found = MUSE(epochs=5, rate=1.0, decay=0.5, game=SMALL)._adversarial(clouds(30, 3), clouds(30, 3, 1), rng())

    assert found == [0.3, 0.5, 0.4, 0.45, 0.2]
    assert np.array_equal(best, maps[1])
    assert rates == [1, 0.5, 0.25, 0.0625 * 2, 0.0625 / 2]


def test_a_spec_sets_the_game_in_a_table_of_its_own() -> None:
    found = build(MUSE, {"epochs": 2, "game": {"hidden": 64, "beta": 0.05}}, ("methods", "settings", "muse"))

    assert found == MUSE(epochs=2, game=AdversarialSettings(hidden=64, beta=0.05))
    with pytest.raises(SpecError, match="unknown key 'hiden'; did you mean 'hidden'"):
        build(MUSE, {"game": {"hiden": 64}}, ("muse",))


@pytest.mark.parametrize("told", [{"hidden": 0}, {"dropout": 1.0}, {"length": 0.0}, {"smoothing": 0.5}])
def test_a_game_that_cannot_be_played_is_an_error(told: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=f"expected .*{next(iter(told))}"):
        AdversarialSettings(**told)  # type: ignore[arg-type]


def test_a_rate_that_leads_nowhere_is_one_sentence() -> None:
    source, target, _ = rotated(60, 5)

    with pytest.raises(JobFailed, match="muse diverged with a rate of 1000000.0; set a smaller one"):
        replace(QUICK, rate=1e6).fit(source, target, NO_PAIRS, rng())


def test_vectors_that_are_all_zero_are_no_success_and_no_traceback() -> None:
    nothing = space(np.zeros((30, 3)))

    mapping = replace(QUICK, epochs=1, samples=640).fit(nothing, nothing, NO_PAIRS, rng())

    assert not mapping.facts["converged"]


@pytest.mark.usefixtures("without_torch")
def test_without_torch_one_sentence_says_what_to_install() -> None:
    source, target, _ = rotated(20, 3)

    with pytest.raises(MissingExtra, match=r"muse needs the extra 'torch'"):
        QUICK.fit(source, target, NO_PAIRS, rng())
