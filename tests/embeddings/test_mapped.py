"""A mapping without a study: fitted, kept, read back, applied to new words, and translated with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.embeddings.direct.fitting import MapRequest, map_spaces
from crossgraft.embeddings.direct.mapped import Mapped, load, save, write_vec
from crossgraft.embeddings.direct.scoring import evaluate_bli
from crossgraft.embeddings.direct.translation import induced, look_up, spellings, translations
from crossgraft.embeddings.retrieval import Search
from crossgraft.embeddings.spaces.normalise import Affine, Normaliser
from crossgraft.embeddings.spaces.space import Space, read_space
from crossgraft.errors import CrossgraftError, DataError, SpecError
from parts import make_spaces

CSLS = Search("csls")


@pytest.fixture
def wanted(tmp_path: Path) -> MapRequest:
    make_spaces(tmp_path)
    return MapRequest(tmp_path / "de.vec", tmp_path / "en.vec", dictionary=tmp_path / "de-en.train.tsv")


@pytest.fixture
def mapped(wanted: MapRequest) -> Mapped:
    return map_spaces(wanted)


def test_what_is_saved_is_what_is_loaded(mapped: Mapped, tmp_path: Path) -> None:
    again = load(save(mapped, tmp_path / "out"))

    assert again.source.words == mapped.source.words
    assert np.array_equal(again.source.vectors, mapped.source.vectors)
    assert np.array_equal(again.target.vectors, mapped.target.vectors)
    assert np.array_equal(again.mapping.source, mapped.mapping.source)
    assert again.mapping.target is None
    assert {**again.metadata} == {"format": 1, **mapped.metadata}


@pytest.mark.parametrize("side", ["source", "target"])
def test_the_map_takes_the_raw_words_of_a_file_where_their_language_is(
    mapped: Mapped, wanted: MapRequest, side
) -> None:  # type: ignore[no-untyped-def]
    raw = read_space(getattr(wanted, side))

    applied = mapped.applied(Space(raw.words[:5], raw.vectors[:5]), side)

    assert applied.vectors == pytest.approx(getattr(mapped, side).vectors[:5], abs=1e-5)


def test_a_matrix_of_the_normalisation_is_kept_too(mapped: Mapped, tmp_path: Path) -> None:
    turned = Normaliser((Affine(np.zeros(8, dtype=np.float32), np.eye(8, dtype=np.float32)[::-1].copy()),))
    told = {**mapped.metadata, "source": {**mapped.metadata["source"], "steps": 1}}
    save(replace(mapped, normalisers={**mapped.normalisers, "source": turned}, metadata=told), tmp_path / "out")

    x = np.arange(8, dtype=np.float32)[None]
    assert load(tmp_path / "out").normalisers["source"](x).tolist() == x[:, ::-1].tolist()


def test_new_words_of_another_width_are_refused(mapped: Mapped) -> None:
    with pytest.raises(DataError, match="expected vectors of 8 dimensions, as the source had; got 3"):
        mapped.applied(Space(("a",), np.ones((1, 3), dtype=np.float32)))


def test_text_reads_back_as_the_same_numbers(tmp_path: Path) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, size=(3000, 4), dtype=np.uint32).view(np.float32)
    vectors = np.where(np.isfinite(bits), bits, np.float32(0))
    space = Space(tuple(f"w{n}" for n in range(3000)), vectors)

    write_vec(space, tmp_path / "x.vec")

    assert np.array_equal(read_space(tmp_path / "x.vec").vectors, vectors)


def test_words_with_odd_letters_survive(mapped: Mapped, tmp_path: Path) -> None:
    words = ("a\x85b", "\u2028", '"q"', "x\ry", *mapped.source.words[4:])
    odd = Mapped(
        Space(words, mapped.source.vectors), mapped.target, mapped.mapping, mapped.normalisers, mapped.metadata
    )

    assert load(save(odd, tmp_path / "out")).source.words == words


def test_a_folder_that_holds_something_is_not_touched(mapped: Mapped, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")

    with pytest.raises(DataError, match="is not empty"):
        save(mapped, tmp_path / "full")

    assert [file.name for file in (tmp_path / "full").iterdir()] == ["thesis.tex"]


def test_a_save_that_breaks_leaves_nothing(mapped: Mapped, tmp_path: Path) -> None:
    broken = Mapped(mapped.source, mapped.target, mapped.mapping, mapped.normalisers, {"facts": object()})

    with pytest.raises(TypeError):
        save(broken, tmp_path / "new" / "out")

    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("file", ["map.npz", "source.npy", "target.words.txt"])
@pytest.mark.parametrize("keep", [0, 40, None])
def test_a_damaged_folder_is_named(mapped: Mapped, tmp_path: Path, file: str, keep: int | None) -> None:
    damaged = save(mapped, tmp_path / "out") / file
    content = damaged.read_bytes()
    damaged.unlink()
    if keep is not None:
        damaged.write_bytes(content[:keep])

    with pytest.raises(DataError, match="the mapping is damaged"):
        load(tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not valid JSON"), ("[]", "expected format 1"), ('{"format": 2}', "got 2, written by")]
)
def test_a_folder_of_another_format_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mapping.json").write_text(text)

    with pytest.raises(DataError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dictionary": None}, SpecError, "'procrustes' needs a dictionary: give one with --dictionary"),
        ({"method": "procustes"}, SpecError, "did you mean 'procrustes'"),
        ({"settings": ("ridge=1",)}, SpecError, "unknown key 'ridge'"),
        ({"settings": ("ridge",)}, SpecError, "expected key=value"),
        ({"normalise": "unit,centre"}, SpecError, "--normalise: expected one of"),
        ({"source": Path("no.vec")}, DataError, "no such file: no.vec"),
    ],
)
def test_what_cannot_be_is_one_sentence(wanted: MapRequest, change, error: type[CrossgraftError], message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error) as caught:
        map_spaces(replace(wanted, **change))

    assert message in str(caught.value)


def test_spaces_of_different_width_are_refused(wanted: MapRequest, tmp_path: Path) -> None:
    wanted.target.write_text("en0 1 2 3\n")

    with pytest.raises(DataError, match=r"de.vec has 8 dimensions, .*en.vec 3"):
        map_spaces(wanted)


def test_a_swapped_dictionary_is_noticed(wanted: MapRequest) -> None:
    assert wanted.dictionary is not None
    wanted.dictionary.write_text("".join(f"en{n}\tde{n}\n" for n in range(9)))
    with pytest.raises(DataError, match="seems to be written in the other direction"):
        map_spaces(wanted)

    wanted.dictionary.write_text("de0\ten0\n" + wanted.dictionary.read_text())
    assert "as it is, 1 of its 10 pairs are in both" in map_spaces(wanted).metadata["notes"][0]


def test_fewer_pairs_than_dimensions_are_said(wanted: MapRequest) -> None:
    assert wanted.dictionary is not None
    lines = wanted.dictionary.read_text().splitlines(keepends=True)

    for count, said in ((8, []), (7, ["7 of 7 pairs known, for 8 dimensions, leave the mapping undetermined"])):
        wanted.dictionary.write_text("".join(lines[:count]))
        notes = map_spaces(wanted).metadata["notes"]
        assert [text for text in said if text in notes[0]] == said
        assert len(notes) == len(said)


def test_a_result_that_its_method_does_not_believe_is_said(wanted: MapRequest) -> None:
    """Isotropic spaces of few words have no shape by which a mapping could be found."""
    told = map_spaces(replace(wanted, method="icp", dictionary=None, settings=("restarts=2",))).metadata

    assert told["facts"]["converged"] is False
    assert "icp did not converge (its unsupervised criterion failed)" in told["notes"][-1]


def test_the_scores_are_those_of_planted_spaces(mapped: Mapped, tmp_path: Path) -> None:
    found = evaluate_bli(mapped, tmp_path / "de-en.test.tsv").levels

    assert list(found)[0] == "MAP"
    assert found["P@1"].mean > 0.95
    assert found["P@1"].low < found["P@1"].mean <= found["P@1"].high
    assert found["P@1"].n == 60
    assert found["coverage"].mean == pytest.approx(60 / 61)


def test_the_ranks_of_csls_are_those_of_its_scores(mapped: Mapped, tmp_path: Path) -> None:
    found = evaluate_bli(mapped, tmp_path / "de-en.test.tsv", CSLS).answers
    queries, _ = look_up(mapped, [word for word in found.items if word != "unknown"])

    best = {one[0].source: [t.target for t in one] for one in translations(mapped, queries, 120, CSLS)}
    for word, (rank,) in zip(found.items, found.columns["ranks"], strict=True):
        if word != "unknown":
            assert best[word].index(word.replace("de", "en")) + 1 == rank


def test_a_test_dictionary_of_other_languages_is_refused(mapped: Mapped, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no entry has both its words in the vocabularies; is it of these languages\?"):
        evaluate_bli(mapped, tmp_path / "de-fi.test.tsv")


@pytest.mark.parametrize("retrieval", ["nn", "csls", "inverted-softmax"])
def test_planted_words_are_translated(mapped: Mapped, retrieval) -> None:  # type: ignore[no-untyped-def]
    queries, missing = look_up(mapped, ["de7", "de100", "neu"])

    best = [one[0].target for one in translations(mapped, queries, 3, Search(retrieval))]
    assert best == ["en7", "en100"]
    assert missing == ["neu"]


def test_csls_is_its_formula(mapped: Mapped) -> None:
    """2 cos(x, y) - r(x) - r(y), r the mean cosine to the 10 nearest of the other side (Conneau et al., 2018)."""
    queries, _ = look_up(mapped, ["de7"])
    x, y = (one.vectors / np.linalg.norm(one.vectors, axis=1)[:, None] for one in (mapped.source, mapped.target))
    cosine = x @ y.T
    crowd = [np.sort(one, axis=1)[:, -10:].mean(axis=1) for one in (cosine, cosine.T)]
    expected = (2 * cosine - crowd[0][:, None] - crowd[1])[mapped.source.index["de7"]]

    (found,) = translations(mapped, queries, 5, CSLS)

    assert [mapped.target.index[one.target] for one in found] == np.argsort(-expected)[:5].tolist()
    assert [one.score for one in found] == pytest.approx(np.sort(expected)[::-1][:5].tolist(), abs=1e-5)


def test_a_new_word_is_translated_with_its_vector_from_another_file(mapped: Mapped, tmp_path: Path) -> None:
    line = (tmp_path / "de.vec").read_text().splitlines()[8]
    (tmp_path / "more.vec").write_text(line.replace("de7 ", "neu ") + "\n")

    queries, missing = look_up(mapped, ["neu"], tmp_path / "more.vec")

    assert next(translations(mapped, queries))[0].target == "en7"
    assert missing == []


def test_mutual_pairs_are_those_of_both_directions(mapped: Mapped) -> None:
    forward = {(one.source, one.target) for (one,) in induced(mapped, 1, CSLS)}
    backward = {(one.target, one.source) for (one,) in induced(mapped.reversed(), 1, CSLS)}

    mutual = {(one.source, one.target) for (one,) in induced(mapped, 1, CSLS, mutual=True)}

    assert mutual == forward & backward
    assert len(forward) == 120
    assert len(mutual) > 100


def test_the_induced_dictionary_stays_among_the_frequent_words(mapped: Mapped) -> None:
    found = list(induced(mapped, words=10))

    assert len(found) == 10
    assert {one.target for (one,) in found} <= set(mapped.target.words[:10])


def test_a_word_that_is_not_there_has_near_spellings() -> None:
    assert spellings("Haus", ["hauses", "haus", "rind", "maus"]) == ["haus", "hauses"]
    assert spellings("xyzzy", ["haus"]) == []


def test_the_public_face_maps_translates_and_scores_files_given_as_texts(wanted: MapRequest) -> None:
    import crossgraft as cg

    mapped = cg.map_spaces(cg.MapRequest(str(wanted.source), str(wanted.target), dictionary=str(wanted.dictionary)))  # type: ignore[arg-type]
    word = mapped.source.words[0]

    ((best, _),) = cg.translate(mapped, [word], k=2)
    assert best.source == word
    assert best.target in mapped.target.words
    with pytest.raises(cg.DataError, match="no vector for 'nonesuch'"):
        cg.translate(mapped, ["nonesuch"])
