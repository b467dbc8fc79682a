"""The command line: reads a spec, calls the library, prints. No logic of its own."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crossgraft import __version__, cli_embeddings
from crossgraft.errors import CrossgraftError, JobFailed, SpecError

if TYPE_CHECKING:
    from crossgraft.analysis.findings import Findings
    from crossgraft.campaign import Settings, Summary
    from crossgraft.report.view import About
    from crossgraft.study import Study

F = TypeVar("F", bound=Callable[..., Any])

_WIDE = 160  # columns of a table that goes to a file or a pipe

OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="The folder that holds results.",
)
SPEC = click.argument("spec", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine to read.")


def _overrides(command: F) -> F:
    """The options that change what a spec says."""
    command = click.option("--limit", type=click.IntRange(min=1), help="At most so many test items a target.")(command)
    return click.option(
        "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a key of the spec, such as recipe.rank=16."
    )(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="crossgraft")
def cli() -> None:
    """What transfers across tasks and languages, how sure that is, and what to train next.

    A study is a TOML file. `init` writes one to start from, `plan` says what it will take,
    `preview` shows what the model will read, `run` computes what is still missing (interrupt it
    and repeat it at will), `report` writes a page to open.
    """


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--kind", type=click.Choice(["adapters", "embeddings"]), default="adapters", show_default=True)
def init(folder: Path, kind: str) -> None:
    """Write a commented spec, study.toml, into FOLDER (here, if none is given)."""
    from crossgraft.starters import write_starter

    click.echo(f"wrote {write_starter(kind, folder)}: edit it, then 'crossgraft plan {folder / 'study.toml'}'")


@cli.command()
@SPEC
@OUT
@_overrides
@click.option("--only", multiple=True, metavar="PATTERN", help="Only models or sources that match, such as 'intent/*'.")
@AS_JSON
def plan(spec: Path, out: Path, sets: tuple[str, ...], limit: int | None, only: tuple[str, ...], as_json: bool) -> None:
    """Say what a run of SPEC would do, and compute nothing."""
    from crossgraft.campaign import Settings
    from crossgraft.outlook import outlook
    from crossgraft.store import Store

    told = outlook(_study(spec, sets, limit), Store(out), Settings(only=only))
    click.echo(json.dumps(told.plain(), indent=1) if as_json else "\n".join(told.lines()))


@cli.command()
@SPEC
@_overrides
@click.option("-n", "count", type=click.IntRange(min=1), default=1, show_default=True, help="Items of each target.")
def preview(spec: Path, sets: tuple[str, ...], limit: int | None, count: int) -> None:
    """Show the first items of every target as the study will see them."""
    from crossgraft.study import Inspectable

    study = _study(spec, sets, limit)
    if not isinstance(study, Inspectable):
        raise SpecError(f"the study {study.name!r} has no preview")
    for glimpse in study.preview(count):
        click.secho(f"{glimpse.point} · item {glimpse.item}", bold=True)
        _print_lines(glimpse.lines)


@cli.command()
@SPEC
@OUT
@_overrides
@click.option("--only", multiple=True, metavar="PATTERN", help="Only models or sources that match, such as 'intent/*'.")
@click.option(
    "--executor", default="inline", show_default=True, help="How jobs are carried out; see 'crossgraft list'."
)
@click.option("--device", default="auto", show_default=True, help="Such as cpu or cuda:0.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads for computing.  [default: all cores]")
@click.option("--budget", metavar="TIME", help="Stop after this time, such as 8h or 90m; what is done is kept.")
@click.option("--retry", is_flag=True, help="Try jobs again that failed for good.")
@click.option("--smoke", is_flag=True, help="First take every model through one step and one item a target.")
@AS_JSON
def run(
    spec: Path, out: Path, sets: tuple[str, ...], limit: int | None, smoke: bool, as_json: bool, **how: Any
) -> None:
    """Run whatever the study in SPEC still lacks; interrupt and repeat at will.

    Exit code 0 when all is done, 1 when some jobs failed, 2 for a mistake in the spec or the data.
    """
    settings = _settings(**how)
    study = _study(spec, sets, limit)
    if smoke:
        _smoke(study, settings)
    summary = _run(study, out, settings, as_json=as_json)
    if not as_json:
        _print_summary(summary, f"{spec}", out)
    if summary.failed:
        raise click.exceptions.Exit(1)


def _run(study: Study, out: Path, settings: Settings, *, as_json: bool) -> Summary:
    from crossgraft.campaign import Campaign
    from crossgraft.progress import watch, watcher
    from crossgraft.store import Store

    under_way = Campaign(study, Store(out), settings)
    todo = under_way.todo
    if not as_json:
        click.echo(f"{study.name}: {todo.missing} of {todo.total} results to compute, in {len(todo.jobs)} jobs")
    watch(under_way, watcher(todo.missing, as_json=as_json))
    return under_way.summary


def _settings(
    only: tuple[str, ...], executor: str, device: str, threads: int | None, budget: str | None, retry: bool
) -> Settings:
    """The options of ``run``. BLAS reads its number of threads when NumPy is first imported: not before here."""
    threads = threads or os.cpu_count() or 1
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, str(threads))
    from crossgraft.campaign import Settings

    return Settings(executor, device, threads, only, retry, _seconds(budget) if budget else None)


def _smoke(study: Study, settings: Settings) -> None:
    from crossgraft.campaign import smoke
    from crossgraft.study import Failed

    failed = [event for event in smoke(study, settings) if isinstance(event, Failed)]
    if failed:
        for event in failed:
            click.echo(f"smoke run: {event.job}: {event.error}\n{event.traceback}".rstrip(), err=True)
        raise JobFailed(f"the smoke run failed for {len(failed)} jobs; nothing else was started")
    click.echo("smoke run: every model went through", err=True)


def _print_summary(summary: Summary, study: str, out: Path) -> None:
    click.echo(f"{summary.recorded} results computed, {summary.left} left")
    if summary.out_of_budget:
        click.echo("stopped: the time budget is spent; run the same command to go on")
    if summary.elsewhere:
        click.echo(f"{summary.elsewhere} jobs are in the hands of another run on this store")
    for failure in summary.failed:
        again = "repeated only with --retry" if failure.error.deterministic else "tried again by the next run"
        click.echo(f"failed: {failure.job}: {failure.error} ({again})")
    where = "" if out == Path("runs") else f" --out {out}"
    click.echo(f"report: crossgraft report {study}{where}")


_KINDS = ("float32", "bfloat16", "float16")


@cli.command()
@click.argument("base")
@click.argument("adapters", nargs=-1)
@click.option("--on", multiple=True, help="JSONL files ('data/{language}.jsonl'), a spec, or lm-eval:TASK; repeatable.")
@click.option("--items", type=click.IntRange(min=1), help="At most so many items a target.  [default: all]")
@click.option("--shots", type=click.IntRange(min=0), default=0, help="Solved examples before every item.")
@click.option("--chat", is_flag=True, help="Put prompts through the chat template of BASE.")
@click.option("--dtype", type=click.Choice(_KINDS), help="[default: what the configuration of BASE says]")
@click.option("--name", default="", help="What to call the study in the store.")
@OUT
@click.option("--device", default="auto", show_default=True, help="Such as cpu or cuda:0.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads for computing.  [default: all cores]")
@click.option("--doctor", is_flag=True, help="Only look whether the numbers of BASE can be trusted.")
@AS_JSON
def check(
    base: str,
    adapters: tuple[str, ...],
    out: Path,
    device: str,
    threads: int | None,
    doctor: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """What did fine-tuning BASE do to everything else?

    BASE is a model folder, almanac:NAME, or owner/name@commit. ADAPTERS are PEFT folders, merged models or
    checkpoints made from it, by whatever tool. Nothing is trained: base and adapters are measured on every
    target, and the report says what got better, what got worse, and how sure that is. The results are those
    of an ordinary study, whose spec is written beside them: add sources to it, and run it.
    """
    settings = _settings((), "inline", device, threads, None, False)
    from crossgraft.adapters.check import Asked, base_model, compose
    from crossgraft.spec import parse_study

    told = Asked(base, adapters, **{**asked, "items": asked["items"] or 0, "dtype": asked["dtype"] or ""})
    text = compose(told) if told.on or not doctor else ""
    study = parse_study(text, folder=Path.cwd(), name="check") if text else None
    if doctor:
        _doctor(base_model(told), device, study, as_json=as_json)
        return
    if study is None or not adapters:
        raise SpecError("expected adapters, merged models or checkpoints to compare with BASE")
    summary = _run(study, out, settings, as_json=as_json)
    spec = out / f"{study.name}.toml"
    spec.write_text(text, "utf-8")
    if not as_json:
        _print_summary(summary, f"{spec}", out)
    _write_report(study.name, out, None, as_json=as_json, cells=True)
    if summary.failed:
        raise click.exceptions.Exit(1)


def _doctor(model: Any, device: str, study: Any, *, as_json: bool) -> None:
    from crossgraft.adapters.doctor import examine

    found = list(examine(model, device, study))
    if as_json:
        click.echo(json.dumps([{"check": one.name, "fine": one.fine, "saw": one.saw} for one in found], indent=1))
    else:
        _print_lines((one.name, f"{'fine' if one.fine else 'LOOK'}  {one.saw}") for one in found)
    if not all(one.fine for one in found):
        raise click.exceptions.Exit(1)


@cli.command()
@click.argument("study", default="")
@OUT
@_overrides
@click.option("--to", type=click.Path(path_type=Path), help="Folder for the report.  [default: OUT/reports/STUDY]")
@AS_JSON
def report(study: str, out: Path, sets: tuple[str, ...], limit: int | None, to: Path | None, as_json: bool) -> None:
    """Write the report of STUDY: a spec file, or the name of a study in the store.

    One HTML page, the same as Markdown, and the tables as CSV.
    """
    from crossgraft.campaign import title

    name = title(_study(Path(study), sets, limit)) if study.endswith(".toml") else study
    _write_report(name, out, to, as_json=as_json)


@cli.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=NAME",
    help="Where TABLE has what, such as score=acc_norm or source=train_task/train_language; repeatable.",
)
@click.option("--to", type=click.Path(path_type=Path), help="Folder for the report.  [default: reports/TABLE]")
@AS_JSON
def read(table: Path, columns: tuple[str, ...], to: Path | None, as_json: bool) -> None:
    """Write the report of a TABLE of scores that were measured elsewhere.

    TABLE is a CSV with a line a cell (columns model, source, target, score, base; also seed, or sd and seeds, and n),
    or with a column a target, named like xnli/sw; or the table that the authors of "Donors and Recipients" released.
    Scores are shares from 0 to 1. Without outcomes of items some things cannot be said; the report says which.
    """
    from crossgraft.analysis.findings import analyse
    from crossgraft.analysis.tables import read_table
    from crossgraft.report.view import About

    findings = analyse(read_table(table, columns), table.stem, authors=True)
    _show_report(findings, to or Path("reports") / table.stem, About(), as_json=as_json)


def _write_report(name: str, out: Path, to: Path | None, *, as_json: bool, cells: bool = False) -> None:
    from datetime import UTC, datetime
    from importlib.metadata import version

    from crossgraft.analysis.results import load_findings, require_study
    from crossgraft.report.view import About
    from crossgraft.store import Store

    store = Store(out)
    manifest = require_study(store, name)
    findings = load_findings(store, manifest.name)
    versions = {package: version(package) for package in ("crossgraft", "numpy")}
    about = About(manifest.spec, manifest.overrides, versions, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    folder = to or out / "reports" / re.sub(r"[^\w.+=,-]", "_", manifest.name)
    _show_report(findings, folder, about, as_json=as_json, cells=cells)


def _show_report(findings: Findings, folder: Path, about: About, *, as_json: bool, cells: bool = False) -> None:
    from crossgraft.report.write import write_report

    files = write_report(findings, folder, about)
    if as_json:
        click.echo(json.dumps({"sentences": findings.sentences, "files": [str(file) for file in files]}, indent=1))
    else:
        _print_findings(findings, cells=cells)
        click.echo(f"\nopen {files[0]}")


def _print_findings(findings: Findings, *, cells: bool = False) -> None:
    from crossgraft.report import view

    click.echo("\n".join(findings.sentences))
    if cells:
        header = ("treatment", "target", "base", "now", "change", "n", "verdict", "could have seen")
        _print_table(header, view.cells(findings))
        return
    columns = ("model", "treatment", "gain (pp)", "how sure", "worst elsewhere (pp)", "harmed")
    rows = [(one.model, one.treatment, one.gain, one.sure, one.worst, one.harmed) for one in view.summaries(findings)]
    _print_table(columns, rows)


def _print_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    if table.row_count:
        Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


for _command in (cli_embeddings.map_, cli_embeddings.bli, cli_embeddings.translate):
    cli.add_command(_command)


@cli.group()
def store() -> None:
    """Look into a folder of results."""


@store.command()
@click.argument("study", default="")
@OUT
@AS_JSON
def ls(study: str, out: Path, as_json: bool) -> None:
    """List the records of STUDY (of all studies, if none is given)."""
    from crossgraft.analysis.results import require_study
    from crossgraft.store import Store

    one = Store(out)
    ids = [cell.record_id for job in require_study(one, study).jobs for cell in job.cells] if study else None
    records, damages = one.read(ids)
    for record in records:
        scores = {score.metric: score.value for score in record.scores}
        told = {
            "record": record.id,
            "treatment": str(record.treatment),
            "target": str(record.target),
            "n": len(record.answers),
        }
        if as_json:
            click.echo(json.dumps({**told, "scores": scores}, ensure_ascii=False))
        else:
            first = next(iter(record.scores), "")
            click.echo(f"{record.id[:10]}  {record.treatment} on {record.target}  {first}")
    for damage in damages:
        click.echo(str(damage), err=True)


@store.command()
@click.argument("record")
@OUT
@click.option("--flipped", is_flag=True, help="The items whose answer changed against the control, as text.")
def show(record: str, out: Path, flipped: bool) -> None:
    """Show one RECORD, by the beginning of its id: scores and where they come from."""
    from crossgraft.analysis.results import flips
    from crossgraft.store import Store

    one = Store(out)
    found = one.find(record)
    click.secho(f"{found.treatment} on {found.target}", bold=True)
    if flipped:
        for flip in flips(one, found):
            click.secho(f"item {flip.item}: {flip.control:g} → {flip.treated:g}", bold=True)
            _print_lines(flip.lines)
        return
    facts: dict[str, Any] = {
        "record": found.id,
        "items": f"{len(found.answers)} ({found.item_set})",
        "computed on": found.pairing,
        **{score.metric: f"{score.value:.4f}" for score in found.scores},
        **{f"seconds to {name}": f"{seconds:.2f}" for name, seconds in found.timings.items()},
        **{name: json.dumps(value, ensure_ascii=False) for name, value in found.provenance.items()},
    }
    _print_lines((name, str(value)) for name, value in facts.items())


@store.command()
@click.argument("study", default="")
@OUT
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder for the adapters.")
def export(study: str, out: Path, to: Path) -> None:
    """Copy the adapters of STUDY into folders ready for a hub, each with a card that holds its measured transfer."""
    from crossgraft.adapters.export import export as exported
    from crossgraft.store import Store

    count = 0
    for folder in exported(Store(out), study, to):
        click.echo(str(folder))
        count += 1
    click.echo(f"{count} adapters; to publish one: hf upload OWNER/NAME FOLDER")


@store.command()
@OUT
@AS_JSON
def status(out: Path, as_json: bool) -> None:
    """Say how far every study in the store is, what failed, and which files are damaged."""
    from crossgraft.outlook import store_status
    from crossgraft.store import Store

    told = store_status(Store(out))
    click.echo(json.dumps(told.plain(), indent=1) if as_json else "\n".join(told.lines()))


@cli.command("list")
@AS_JSON
def list_(as_json: bool) -> None:
    """List what specs and options can name: studies, tasks, methods, metrics, executors."""
    from crossgraft.catalogue import catalogue

    found = catalogue()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for kind, names in found.items():
        click.secho(kind, bold=True)
        _print_lines(names.items())


def _print_lines(lines: Iterable[tuple[str, str]]) -> None:
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        indented = text.replace("\n", "\n" + " " * (width + 4))
        click.echo(f"  {name:<{width}}  {indented}")


def _study(spec: Path, sets: tuple[str, ...], limit: int | None) -> Study:
    from crossgraft.spec import load_study

    return load_study(spec, [*sets, *([f"limit={limit}"] if limit else [])])


def _seconds(text: str) -> float:
    """``1h30m`` as seconds."""
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text.strip())
    if not match or not any(match.groups()):
        raise SpecError(f"--budget: expected a time such as 8h, 90m or 1h30m; got {text!r}")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds


def main() -> None:
    """The entry point: our errors become one sentence and an exit code."""
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except JobFailed as error:
        click.echo(f"crossgraft: {error}", err=True)
        code = 1
    except CrossgraftError as error:
        click.echo(f"crossgraft: {error}", err=True)
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted; what was computed is kept, run the same command to go on", err=True)
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code or 0)
