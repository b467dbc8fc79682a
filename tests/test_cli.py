"""The command line as a user meets it: output, exit codes, and one sentence for a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crossgraft.cli import main


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["crossgraft", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    code = stop.value.code
    assert isinstance(code, int)
    return code, out, err


@pytest.fixture
def crossgraft(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: call(capsys, monkeypatch, *arguments)


def test_a_study_from_spec_to_report(crossgraft, embedding_spec: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = crossgraft("plan", "study.toml")
    assert (code, out.splitlines()[0]) == (0, "planted: 9 of 9 results to compute, in 9 jobs")

    code, out, _ = crossgraft("run", "study.toml", "--threads", "1")
    assert code == 0
    assert "9 results computed, 0 left" in out

    code, out, _ = crossgraft("plan", "study.toml", "--json")
    assert json.loads(out)["missing"] == 0

    code, out, _ = crossgraft("report", "study.toml")
    assert code == 0
    assert "bli: procrustes (pairs 20) is best, MAP" in out
    assert (tmp_path / "runs/reports/planted/report.html").stat().st_size > 3000

    code, out, _ = crossgraft("store", "status")
    assert "planted: 9 of 9 results" in out


def test_a_page_has_items_unless_it_is_to_have_none(crossgraft, embedding_spec: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    crossgraft("run", "study.toml", "--threads", "1")

    for items, holds in (("flips", True), ("all", True), ("none", False)):
        assert crossgraft("report", "study.toml", "--items", items, "--to", items)[0] == 0
        assert ('id="items"' in (tmp_path / items / "report.html").read_text("utf-8")) is holds


def test_the_items_behind_a_number_can_be_read(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    crossgraft("run", "study.toml", "--threads", "1")
    _, out, _ = crossgraft("store", "ls", "--json")
    record = next(one for one in map(json.loads, out.splitlines()) if "procrustes" in one["treatment"])

    code, shown, _ = crossgraft("store", "show", record["record"][:12])
    assert code == 0
    assert "coverage" in shown

    code, flipped, _ = crossgraft("store", "show", record["record"][:12], "--flipped")
    assert "item " in flipped
    assert "gold" in flipped


def test_progress_for_a_machine_is_one_json_object_a_line(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = crossgraft("run", "study.toml", "--threads", "1", "--json")

    events = [json.loads(line) for line in out.splitlines()]
    assert [one["event"] for one in events[:3]] == ["started", "recorded", "finished"]


def test_preview_shows_items_and_what_is_known_of_them(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = crossgraft("preview", "study.toml")

    assert code == 0
    assert "bli/de:en" in out
    assert "60 of 60 in both vocabularies" in out


def test_a_smoke_run_goes_through_before_the_run(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    code, _, err = crossgraft("run", "study.toml", "--threads", "1", "--smoke")

    assert code == 0
    assert "every model went through" in err


def test_init_writes_a_spec_and_leaves_an_old_one_alone(crossgraft, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert crossgraft("init", "new")[0] == 0
    (tmp_path / "new/study.toml").write_text("mine")

    code, _, err = crossgraft("init", "new")

    assert code == 2
    assert "exists already" in err
    assert (tmp_path / "new/study.toml").read_text() == "mine"


def test_failed_jobs_give_exit_code_1_and_are_listed(crossgraft, embedding_spec: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    embedding_spec.write_text(
        embedding_spec.read_text().replace('["procrustes"]', '["procrustes", "vecmap:identical"]')
    )

    code, out, _ = crossgraft("run", "study.toml", "--threads", "1")
    again, out_again, _ = crossgraft("run", "study.toml", "--threads", "1")

    assert (code, again) == (1, 1)
    assert "9 results computed, 3 left" in out
    assert "no word is written the same in both vocabularies" in out
    assert "0 results computed" in out_again


def test_a_job_that_failed_is_run_again_once_its_data_are_mended(
    crossgraft, embedding_spec: Path, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    text = embedding_spec.read_text().replace("procrustes", "vecmap:identical").replace("all = true", 'use = ["de:fi"]')
    embedding_spec.write_text(text + '[methods.settings."vecmap:identical"]\npatience = 1\nkeep = 1.0\n')
    assert crossgraft("run", "study.toml", "--threads", "1")[0] == 1
    with (tmp_path / "fi.vec").open("a") as stream:
        stream.writelines(line for line in (tmp_path / "de.vec").read_text().splitlines(True)[1:20])

    code, out, _ = crossgraft("run", "study.toml", "--threads", "1")

    assert (code, "2 results computed, 0 left" in out) == (0, True)
    assert "failed" not in crossgraft("report", "study.toml")[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "nowhere.toml"), "no such spec: nowhere.toml; 'crossgraft init' writes one"),
        (("run", "study.toml", "--executor", "inlien"), "no executor is called 'inlien'; did you mean 'inline'?"),
        (("run", "study.toml", "--budget", "soon"), "expected a time such as 8h"),
        (("run", "study.toml", "--only", "nothing/*"), "nothing in the study matches"),
        (("report", "unknown"), "no study 'unknown'"),
        (("store", "show", "zz"), "no record"),
        (("run", "study.toml", "--limit", "0"), "--limit"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(  # type: ignore[no-untyped-def]
    crossgraft, embedding_spec: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    code, _, err = crossgraft(*arguments)

    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_a_store_of_a_newer_format_is_exit_code_2(crossgraft, embedding_spec: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "runs/crossgraft-99").mkdir(parents=True)

    code, _, err = crossgraft("run", "study.toml")

    assert code == 2
    assert "newer crossgraft" in err


def test_ctrl_c_is_exit_code_130(crossgraft, embedding_spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("crossgraft.cli.progress.watch", interrupted)

    code, _, err = crossgraft("run", "study.toml")

    assert code == 130
    assert "what was computed is kept" in err


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["run", "--help"]])
def test_help_and_list_import_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom crossgraft.cli import main\nsys.argv = ['crossgraft'] + " + repr(arguments) + "\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'peft', 'scipy.stats', 'scipy.optimize', 'altair', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_importing_the_package_imports_nothing_but_itself() -> None:
    script = "import sys; before = set(sys.modules); import crossgraft; print({m.split('.')[0] for m in set(sys.modules) - before})"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "numpy" not in done.stdout


def test_every_public_name_can_be_had() -> None:
    import crossgraft as cg

    assert all(getattr(cg, name) is not None for name in cg.__all__)
    assert 20 <= len(cg.__all__) <= 60


@pytest.mark.parametrize(
    "command", ["plan study.toml", "run study.toml", "report study.toml", "store ls", "store verify"]
)
def test_a_file_instead_of_a_store_is_one_sentence(crossgraft, embedding_spec: Path, command: str) -> None:  # type: ignore[no-untyped-def]
    code, _, err = crossgraft(*command.split(), "--out", "study.toml")

    assert (code, err) == (
        2,
        "crossgraft: expected a folder for results; study.toml is a file: choose another with --out\n",
    )


def test_a_report_that_cannot_be_written_is_one_sentence(crossgraft, embedding_spec: Path) -> None:  # type: ignore[no-untyped-def]
    crossgraft("run", "study.toml", "--threads", "1")

    code, _, err = crossgraft("report", "study.toml", "--to", "study.toml/report")

    assert code == 2
    assert "cannot write the report: study.toml/report: Not a directory" in err


def test_a_damaged_store_is_named_file_by_file(crossgraft, embedding_spec: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    crossgraft("run", "study.toml", "--threads", "1")
    assert crossgraft("store", "verify")[:2] == (0, "runs/crossgraft-1: no damaged files\n")
    file = next(tmp_path.glob("runs/crossgraft-1/records/*/*"))
    file.write_bytes(file.read_bytes()[:-1] + b"2")

    code, out, _ = crossgraft("store", "verify", "--json")
    (damage,) = json.loads(out)

    assert code == 1
    assert damage["file"] == str(file.relative_to(tmp_path))
    assert damage["reason"] == "not a whole Parquet file"
    assert "8 of 9 results" in crossgraft("store", "status")[1]
