"""``crossgraft recommend`` as a user meets it: the answer first, exit codes a pipeline can use, one sentence for a mistake."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from crossgraft.cli import main
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=1, tasks=2, languages=3, seeds=2, items=200, same_task=4, on_source=6, source=1)


@pytest.fixture
def crossgraft(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crossgraft", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, out, err

    return call


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A table of scores without items."""
    path = tmp_path / "scores.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "source", "target", "base", "score", "n", "seed"])
        for (row, target), cell in GRID.matrix(1).cells.items():
            for seed, change in zip(cell.seeds, cell.seed_changes, strict=True):
                writer.writerow([row.model, row.source, target, cell.control, cell.control + change / 100, 2000, seed])
    return path


def test_a_table_of_scores_is_answered_with_exit_code_0(crossgraft, scores: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = crossgraft(
        "recommend", str(scores), "--improve", "task0/de", "--protect", "task1/*", "--tolerance", "8"
    )

    assert code == 0
    assert out.splitlines()[0].startswith("Train task0/")
    assert "the target's own task in English" in out


def test_an_abstention_has_exit_code_3(crossgraft, scores: Path) -> None:  # type: ignore[no-untyped-def]
    asked = ("--improve", "task0/de", "--protect", "task1/*", "--tolerance", "0", "--risk", "0.01")

    code, out, _ = crossgraft("recommend", str(scores), *asked)

    assert code == 3
    assert out.splitlines()[0].startswith("Keep the base: ")


def test_json_is_all_that_is_printed(crossgraft, scores: Path) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = crossgraft("recommend", str(scores), "--improve", "*/de", "--json", "--rule", "cvar")

    told = json.loads(out)
    assert told["improve"] == ["task0/de", "task1/de"]
    assert told["rule"] == "cvar"
    assert told["options"][0]["out_because"] == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--improve", "task7/de"], "no measured target of this model matches 'task7/de'"),
        (["--improve", "task0/de", "--tolerance", "-1"], "expected a tolerated loss of 0 or more"),
        (["--improve", "task0/de", "--risk", "1.5"], "expected a risk between 0 and 1"),
        (["--improve", "task0/de", "--model", "gpt"], "no treatment is of a model 'gpt'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    crossgraft, scores: Path, arguments: list[str], sentence: str
) -> None:  # type: ignore[no-untyped-def]
    code, out, err = crossgraft("recommend", str(scores), *arguments)

    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_scores_whose_noise_nothing_tells_are_refused(crossgraft, scores: Path) -> None:  # type: ignore[no-untyped-def]
    lines = [line.rsplit(",", 2)[0] for line in scores.read_text().splitlines()[::2]]  # without n, one seed
    scores.write_text("\n".join([scores.read_text().splitlines()[0].rsplit(",", 2)[0], *lines[1:]]))

    code, _, err = crossgraft("recommend", str(scores), "--improve", "task0/de")

    assert code == 2
    assert "nothing tells the noise of any cell" in err


def test_a_study_is_read_from_the_store(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    crossgraft("run", "study.toml", "--threads", "1")

    code, out, err = crossgraft("recommend", "study.toml", "--improve", "*")

    assert code in (0, 3), err
    assert out.startswith(("Use ", "Keep the base"))


def test_a_study_that_was_never_run_is_one_sentence(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    code, _, err = crossgraft("recommend", "study.toml", "--improve", "*")

    assert code == 2
    assert len(err.splitlines()) == 1


def test_the_question_of_a_spec_is_answered_by_file_and_by_name(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    spec = Path("study.toml")
    spec.write_text(spec.read_text() + '\n[question]\nimprove = ["*"]\nleast = 2.0\n')
    crossgraft("run", "study.toml", "--threads", "1")

    by_file = json.loads(crossgraft("recommend", "study.toml", "--json")[1])
    by_name = json.loads(crossgraft("recommend", "--json", "--least", "3")[1])

    assert (by_file["least"], by_name["least"]) == (2.0, 3.0)
    assert by_file["improve"] == by_name["improve"]


def test_a_question_in_a_spec_is_checked_when_the_spec_is_read(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    spec = Path("study.toml")
    spec.write_text(spec.read_text() + '\n[question]\nimprove = ["*"]\nrisk = 2.0\n')

    code, _, err = crossgraft("plan", "study.toml")

    assert code == 2
    assert "question.risk: expected a risk between 0 and 1, such as 0.1; got 2" in err


def test_without_a_question_the_options_must_ask_one(crossgraft, scores: Path) -> None:  # type: ignore[no-untyped-def]
    code, _, err = crossgraft("recommend", str(scores))

    assert code == 2
    assert "expected a target to improve, such as 'intent/sw' or '*/sw'; got none" in err


def test_validation_of_a_table_of_scores_holds_out_what_it_can(crossgraft, scores: Path) -> None:  # type: ignore[no-untyped-def]
    asked = ("--improve", "task0/de", "--protect", "task1/*", "--validate", "--json")

    code, out, _ = crossgraft("recommend", str(scores), *asked)

    assert code == 0
    assert {one["held_out"] for one in json.loads(out)} == {"a seed", "a language", "a task"}


def test_specialise_keeps_adapters_and_routes_every_target(crossgraft, scores: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = crossgraft("specialise", str(scores), "--k", "2", "--json")

    told = json.loads(out)
    assert code == 0
    assert len(told["keep"]) == 2
    assert len(told["routes"]) == 6
    assert {one["row"] for one in told["routes"]} <= {*told["keep"], None}


def test_each_of_several_models_gets_an_answer(crossgraft, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "two.csv"
    lines = [
        f"{model},task0/{source},task0/{target},0.5,{0.5 + gain / 100},4000"
        for model, gain in (("helped", 9), ("harmed", -9))
        for source in ("de", "fi")
        for target in ("de", "fi", "tr")
    ]
    path.write_text("\n".join(["model,source,target,base,score,n", *lines]))

    code, out, _ = crossgraft("recommend", str(path), "--improve", "task0/tr")

    assert code == 0
    first, second = out.split("For harmed:")
    assert "For helped:" in first
    assert "Train task0/" in first
    assert "Train task0/" not in second.partition("┏")[0]
