"""``export``: results in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossgraft.cli.options import OUT, study_of
from crossgraft.cli.printing import echo
from crossgraft.errors import SpecError, StoreError
from crossgraft.safety.files import why

if TYPE_CHECKING:
    from crossgraft.report.exports.results import Run


@click.command(short_help="Write results in the formats of others.")
@click.argument("study", default="")
@OUT
@click.option(
    "--to",
    "format",
    type=click.Choice(["every-eval-ever", "eval-results", "wandb"]),
    required=True,
    help="every-eval-ever: JSON per run with its items as JSONL. eval-results: YAML for model pages of the Hugging Face Hub. "
    "wandb: the matrix as a table of an offline run of Weights & Biases.",
)
@click.option("--into", type=click.Path(path_type=Path), help="Folder for the files.  [default: OUT/exports/STUDY]")
@click.option("--organization", default="", help="Who evaluated; every-eval-ever needs it.")
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="TARGET=ID[#TASK]",
    help="The benchmark on the hub that a target (or a task) is; eval-results needs it for its pages; repeatable.",
)
def export(study: str, out: Path, format: str, into: Path | None, organization: str, datasets: tuple[str, ...]) -> None:
    """Write the results of STUDY (a spec file, or the name of a study in the store) in the format of another tool.

    Nothing is sent anywhere: the files lie in a folder, for you to look at and to upload.
    """
    from crossgraft.report.exports.results import runs
    from crossgraft.runs.campaign import title
    from crossgraft.runs.storage.store import Store
    from crossgraft.safety.files import safe_name

    if format == "every-eval-ever" and (not organization or "/" in organization):
        raise SpecError(f"expected --organization NAME, who evaluated, without a slash; got {organization!r}")
    name = title(study_of(Path(study), (), None)) if study.endswith(".toml") else study
    if format == "wandb":
        _log(name, out, into)
        return
    every = list(runs(Store(out), name))
    files, notes = _of_hub(every, datasets) if format == "eval-results" else _of_eee(every, organization)
    folder = into or out / "exports" / safe_name(every[0].study)
    _write(files, folder)
    echo("\n".join([*notes, f"wrote {len(files)} files of {len(every)} runs into {folder}"]))


def _log(name: str, out: Path, into: Path | None) -> None:
    from crossgraft.analysis.results import load_matrix, require_study
    from crossgraft.report.exports.weights_and_biases import log_cells
    from crossgraft.runs.storage.store import Store
    from crossgraft.safety.files import safe_name

    store = Store(out)
    name = require_study(store, name).name
    folder = into or out / "exports" / safe_name(name)
    matrix = load_matrix(store, name)
    log_cells(matrix, name, folder)
    echo(f"logged {len(matrix.cells)} cells, offline, in {folder / 'wandb'}: 'wandb sync' sends them")


def _of_eee(runs: list[Run], organization: str) -> tuple[dict[str, str], list[str]]:
    from crossgraft.report.exports.every_eval_ever import every_eval_ever, has_items

    files = {path: text for run in runs for path, text in every_eval_ever(run, organization).items()}
    results = [result for run in runs for result in run.results]
    without = sum(not has_items(result) for result in results)
    note = f"{without} of {len(results)} results have no items in this format: it knows questions with one answer and its score."
    return files, [note] if without else []


def _of_hub(runs: list[Run], datasets: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    from crossgraft.report.exports.hub import Benchmark, benchmark_of, hub_files, unused

    known = dict(map(Benchmark.parse, datasets))
    if odd := unused(known, runs):
        targets = ", ".join(sorted({str(result.record.target) for run in runs for result in run.results})[:6])
        raise SpecError(f"--dataset: expected targets or tasks of the study, such as {targets}; got {', '.join(odd)}")
    files = {path: text for run in runs for path, text in hub_files(run, known).items()}
    lacking = {
        str(result.record.target)
        for run in runs
        for result in run.results
        if not benchmark_of(result.record.target, known)
    }
    note = (
        f"{len(lacking)} targets have no benchmark on the hub (--dataset names it): they are in model-index.yaml alone."
    )
    return files, [note] if lacking else []


def _write(files: dict[str, str], folder: Path) -> None:
    try:
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8", "backslashreplace")
    except OSError as error:
        raise StoreError(f"cannot write the export: {why(error)}; --into names another folder") from error
