"""Distances of lang2vec: with the package where it is installed, and without it a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.paper.typology import typology
from crossgraft.analysis.questions.paper.uriel import SETS, cosine_distance, installed, vectors
from crossgraft.errors import MissingExtra
from crossgraft.transfer.synthetic import SyntheticGrid

with_lang2vec = pytest.mark.skipif(not installed(), reason="needs the extra lang2vec")
PUBLISHED = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")


def test_the_distance_is_one_less_the_cosine() -> None:
    one, other = np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0])

    assert cosine_distance(one, other) == pytest.approx(0.5)
    assert cosine_distance(one, 3 * one) == pytest.approx(0)


@pytest.mark.skipif(installed(), reason="the extra lang2vec is there")
def test_without_the_package_a_sentence_names_the_extra() -> None:
    with pytest.raises(MissingExtra, match=r"crossgraft\[lang2vec\]"):
        vectors(["de"], "syntax_knn")


@with_lang2vec
@pytest.mark.filterwarnings("ignore")  # its own: pkg_resources is deprecated
@pytest.mark.parametrize(("name", "width"), list(zip(SETS, (103, 28, 158), strict=True)))
def test_uriel_has_the_paper_s_languages(name: str, width: int) -> None:
    found = vectors(PUBLISHED, name)

    assert tuple(found) == PUBLISHED
    assert {len(vector) for vector in found.values()} == {width}


@with_lang2vec
@pytest.mark.filterwarnings("ignore")
def test_scripts_are_left_out_and_unknown_languages_are_missing() -> None:
    found = vectors(["zh", "zh-Hant", "xx"], "syntax_knn")

    assert set(found) == {"zh", "zh-Hant"}
    assert np.array_equal(found["zh"], found["zh-Hant"])


@with_lang2vec
@pytest.mark.filterwarnings("ignore")
def test_near_languages_are_near() -> None:
    found = vectors(PUBLISHED, "syntax_knn")

    assert cosine_distance(found["es"], found["it"]) < cosine_distance(found["es"], found["zh"])


@with_lang2vec
@pytest.mark.filterwarnings("ignore")
def test_typology_takes_its_distances() -> None:
    draws = Draws(SyntheticGrid(models=1, tasks=1, languages=6, seeds=1, items=60).matrix(1))

    facts, uriel = typology(draws), typology(draws, "syntax_knn")

    assert uriel.rho is not None
    assert (uriel.languages, uriel.unknown, uriel.pairs) == (facts.languages, (), 30)
    assert uriel.rho != facts.rho
