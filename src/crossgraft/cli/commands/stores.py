"""``store``: look into a folder of results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossgraft.cli.options import AS_JSON, OUT
from crossgraft.cli.printing import echo, print_lines
from crossgraft.safety.files import printable

if TYPE_CHECKING:
    from crossgraft.runs.storage.remote.copying import Copied


@click.group()
def store() -> None:
    """Look into a folder of results."""


@store.command()
@click.argument("study", default="")
@OUT
@AS_JSON
def ls(study: str, out: Path, as_json: bool) -> None:
    """List the records of STUDY (of all studies, if none is given)."""
    from crossgraft.analysis.results import require_study
    from crossgraft.runs.storage.store import Store

    one = Store(out)
    ids = [cell.record_id for job in require_study(one, study).jobs for cell in job.cells] if study else None
    records, damages = one.read(ids)
    for record in records:
        scores = {score.metric: score.value for score in record.scores}
        entry = {
            "record": record.id,
            "treatment": str(record.treatment),
            "target": str(record.target),
            "n": len(record.answers),
        }
        if as_json:
            echo(json.dumps({**entry, "scores": scores}, ensure_ascii=False))
        else:
            first = next(iter(record.scores), "")
            echo(f"{record.id[:10]}  {record.treatment} on {record.target}  {first}")
    for damage in damages:
        echo(str(damage), err=True)


@store.command()
@click.argument("record")
@OUT
@click.option("--flipped", is_flag=True, help="The items whose answer changed against the control, as text.")
def show(record: str, out: Path, flipped: bool) -> None:
    """Show one RECORD, by the beginning of its id: scores and where they come from."""
    from crossgraft.analysis.results import flips
    from crossgraft.runs.storage.store import Store

    one = Store(out)
    found = one.find(record)
    echo(f"{found.treatment} on {found.target}", bold=True)
    if flipped:
        for flip in flips(one, found):
            echo(f"item {flip.item}: {flip.control:g} → {flip.treated:g}", bold=True)
            print_lines(flip.lines)
        return
    facts: dict[str, Any] = {
        "record": found.id,
        "items": f"{len(found.answers)} ({found.item_set})",
        "computed on": found.pairing,
        **{score.metric: f"{score.value:.4f}" for score in found.scores},
        **{f"seconds to {name}": f"{seconds:.2f}" for name, seconds in found.timings.items()},
        **{name: json.dumps(value, ensure_ascii=False) for name, value in found.provenance.items()},
    }
    print_lines((name, str(value)) for name, value in facts.items())


@store.command()
@click.argument("study", default="")
@OUT
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder for the adapters.")
def export(study: str, out: Path, to: Path) -> None:
    """Copy the adapters of STUDY into folders ready for a hub, each with a card that holds its measured transfer."""
    from crossgraft.adapters.weights.export import export as exported
    from crossgraft.runs.storage.store import Store

    count = 0
    for folder in exported(Store(out), study, to):
        echo(str(folder))
        count += 1
    echo(f"{count} adapters; to publish one: hf upload OWNER/NAME FOLDER")


@store.command("runs")
@click.argument("study", default="")
@OUT
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder for the run files.")
def runs_(study: str, out: Path, to: Path) -> None:
    """Write a TREC run file for each method and language pair of STUDY, from its tasks of document retrieval."""
    from crossgraft.embeddings.downstream.documents.runs import write_runs
    from crossgraft.runs.storage.store import Store

    for file in write_runs(Store(out), study, to):
        echo(str(file))


@store.command()
@OUT
@AS_JSON
def status(out: Path, as_json: bool) -> None:
    """Say how far every study in the store is, what failed, and which files are damaged."""
    from crossgraft.cli.estimate import store_status
    from crossgraft.runs.storage.store import Store

    summary = store_status(Store(out))
    echo(json.dumps(summary.plain(), indent=1) if as_json else "\n".join(summary.lines()))


@store.command()
@OUT
def compact(out: Path) -> None:
    """Merge records into files of a thousand, so that large stores open in seconds.

    Nothing is lost by a kill at any point, and runs may go on meanwhile. The latest, fewer than a thousand, stay single.
    """
    from crossgraft.runs.storage.compaction import compact as packs
    from crossgraft.runs.storage.store import Store

    count = 0
    for pack in packs(Store(out)):
        count += pack.records
        echo(f"{printable(pack.file)}: {pack.records} records")
    echo(f"{count} records packed" if count else "nothing to pack: fewer than 1,000 records lie in files of their own")


@store.command()
@OUT
@click.option("--yes", is_flag=True, help="Delete what is listed.")
def gc(out: Path, yes: bool) -> None:
    """List what no study in the store needs: half-written files, adapters, states of training. --yes deletes it.

    Records are never deleted. What a process may be writing still, because it is younger than a day, is left alone.
    """
    from crossgraft.cli.estimate import size
    from crossgraft.runs.storage.garbage import collect, remove
    from crossgraft.runs.storage.store import Store

    found = list(collect(Store(out)))
    for garbage in found:
        echo(f"{printable(garbage.path)}: {garbage.reason} ({size(garbage.bytes)})")
    total = f"{len(found)} {'entry' if len(found) == 1 else 'entries'}, {size(sum(garbage.bytes for garbage in found))}"
    if yes:
        remove(found)
    echo(f"{total} deleted" if yes else f"{total}; --yes deletes them" if found else "nothing to delete")


@store.command()
@OUT
@AS_JSON
def verify(out: Path, as_json: bool) -> None:
    """Read every file of the store, and name what is damaged and what to do.

    Exit code 1 when something is damaged. `run` computes again what it finds missing; nothing is changed here.
    """
    from crossgraft.cli.verify import verify as damaged
    from crossgraft.runs.storage.store import Store

    one = Store(out)
    found = damaged(one)
    if as_json:
        damages = [{"file": printable(one.file), "reason": one.reason, "advice": one.advice} for one in found]
        echo(json.dumps(damages, indent=1, ensure_ascii=False))
    else:
        print_lines(("damaged", str(damage)) for damage in found)
        echo(f"{one.root}: {len(found) or 'no'} damaged {'file' if len(found) == 1 else 'files'}")
    if found:
        raise click.exceptions.Exit(1)


ADAPTERS = click.option(
    "--adapters/--no-adapters", default=True, help="With or without trained adapters.  [default: with]"
)
REPLACE = click.option("--replace", is_flag=True, help="Write over a study of the same name that has other records.")


@store.command()
@click.argument("study", default="")
@OUT
@click.option("--to", "url", metavar="URL", required=True, help="Such as s3://bucket/prefix.")
@ADAPTERS
@REPLACE
def push(study: str, out: Path, url: str, adapters: bool, replace: bool) -> None:
    """Copy what URL lacks of the store there: records, adapters and studies, or those of STUDY.

    Interrupt and repeat at will; several stores may be pushed to one URL. Exit code 1 when something is damaged here,
    or a study there has the name of another.
    """
    from crossgraft.runs.storage.remote import copying
    from crossgraft.runs.storage.remote.bucket import Bucket
    from crossgraft.runs.storage.remote.parts import Selection
    from crossgraft.runs.storage.store import Store

    source = Store(out)
    selection = Selection.of(source.study(study), adapters=adapters) if study else Selection(adapters=adapters)
    _print_copied(copying.push(source, Bucket.at(url), selection, replace=replace), url)


@store.command()
@click.argument("study", default="")
@OUT
@click.option("--from", "url", metavar="URL", required=True, help="Such as s3://bucket/prefix.")
@ADAPTERS
@REPLACE
def pull(study: str, out: Path, url: str, adapters: bool, replace: bool) -> None:
    """Copy what the store lacks from URL: records, adapters and studies, or those of STUDY.

    Interrupt and repeat at will; runs may go on meanwhile. Exit code 1 when something is damaged there, or a study here
    has the name of another.
    """
    from crossgraft.runs.storage.remote import copying
    from crossgraft.runs.storage.remote.bucket import Bucket
    from crossgraft.runs.storage.store import Store

    copied = copying.pull(Store(out), Bucket.at(url), study, adapters=adapters, replace=replace)
    _print_copied(copied, str(out))


def _print_copied(copied: Iterable[Copied], where: str) -> None:
    from crossgraft.cli.estimate import size

    results: Counter[str] = Counter()
    bytes = 0
    for entry in copied:
        results[entry.result] += 1
        bytes += entry.bytes
        if entry.reason:
            print_lines([(entry.result, f"{entry.name}: {entry.reason}")])
        if not results.total() % 1000:
            echo(f"{results.total():,} looked at, {results['copied']:,} copied")
    echo(f"{where}: {results['copied']:,} copied ({size(bytes)}), {results['there']:,} there already")
    if results["damaged"] or results["conflict"]:
        raise click.exceptions.Exit(1)
