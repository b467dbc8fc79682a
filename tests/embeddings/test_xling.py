"""The example with the whole study of Glavaš et al. (2019), of which nobody has all files at hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from crossgraft.cli import main
from crossgraft.embeddings.study import EmbeddingStudy
from crossgraft.errors import MissingInputs
from crossgraft.runs.campaign import describe_study
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

EXAMPLE = Path(__file__).parents[2] / "examples" / "xling.toml"


@pytest.fixture
def study() -> EmbeddingStudy:
    found = load_study(EXAMPLE)
    assert isinstance(found, EmbeddingStudy)
    return found


def test_it_has_the_pairs_of_the_paper_for_every_task(study: EmbeddingStudy) -> None:
    pairs = study.language_pairs()

    assert len(pairs) == 28
    assert len({frozenset((pair.source, pair.target)) for pair in pairs}) == 28
    counts = Counter(task for pair in pairs for task in study.tasks_of(pair))
    assert counts == {"bli": 28, "clir": 9, "cldc": 5, "xnli": 4}


def test_its_jobs_are_known_without_a_file(study: EmbeddingStudy) -> None:
    jobs = study.jobs(defaultdict(str))

    rows = {job.treatment.row.label for job in jobs if not (job.treatment.is_control or job.treatment.is_sham)}
    sized = ("cca:released", "procrustes", "proc-b", "dlv", "rcsls")
    free = {"vecmap:unsupervised", "muse", "icp", "gromov-wasserstein"}
    assert rows == {f"{name} (pairs {size})" for name in sized for size in (500, 1000, 3000, 5000)} | free


def test_all_missing_files_are_named_at_once(study: EmbeddingStudy, tmp_path: Path) -> None:
    with pytest.raises(MissingInputs) as caught:
        describe_study(study, Store(tmp_path))

    missing = caught.value.missing
    assert sum(text.startswith("spaces.files, language") for text in missing) == 8
    assert sum(text.startswith("training dictionary of") for text in missing) == 28
    assert sum(text.startswith("test dictionary of") for text in missing) == 28
    assert any("xnli.test.tsv" in text for text in missing)
    assert str(caught.value).startswith(
        f"{len(missing)} inputs of the study are missing:\n  spaces.files, language 'de'"
    )


def test_plan_says_how_large_it_is_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["crossgraft", "plan", str(EXAMPLE), "--out", str(tmp_path)])

    with pytest.raises(SystemExit) as ended:
        main()

    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out.startswith("xling: ")
    assert "of memory for a process; the largest arrays: vectors of both languages" in out
    assert "not in the estimate, as files are not there or sizes not known: clir, xnli, cldc" in out
    assert "inputs of the study are missing:" in err
    assert "Traceback" not in err
