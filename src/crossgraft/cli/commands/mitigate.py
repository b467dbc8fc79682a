"""``mitigate``: remedies for a treatment that does harm, and a spec that tries them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossgraft.cli.options import AS_JSON, OUT, SPEC, overrides, study_of
from crossgraft.cli.printing import echo, print_table
from crossgraft.errors import SpecError

if TYPE_CHECKING:
    from crossgraft.adapters.remedies.proposals import Mitigation


@click.command(short_help="Propose remedies for a treatment that does harm.")
@SPEC
@click.option(
    "--for",
    "name",
    required=True,
    metavar="TREATMENT",
    help="An adapter that the study has trained, such as intent/sw.",
)
@click.option(
    "--remedy",
    "kinds",
    multiple=True,
    type=click.Choice(["scales", "merge", "replay", "early-stop"]),
    help="Which to propose; repeatable.  [default: scales, merge, replay]",
)
@click.option("--write", type=click.Path(path_type=Path), metavar="FILE", help="Write SPEC with all of them added.")
@OUT
@overrides
@AS_JSON
def mitigate(
    spec: Path,
    name: str,
    kinds: tuple[str, ...],
    write: Path | None,
    out: Path,
    sets: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """What could keep the gain of TREATMENT and lower its harm, what to add to SPEC to measure that, and what it costs.

    It looks at the results so far and runs nothing: `crossgraft run FILE` measures the remedies, and the report compares them.
    """
    from crossgraft.adapters.remedies.proposals import DEFAULT, adapter_spec
    from crossgraft.adapters.remedies.proposals import mitigate as mitigated
    from crossgraft.analysis.results import load_matrix
    from crossgraft.runs.campaign import title
    from crossgraft.runs.storage.store import Store
    from crossgraft.safety.files import write_whole

    study, store = adapter_spec(study_of(spec, sets, limit)), Store(out)
    if write is not None:
        _check(write, spec)
    found = mitigated(study, load_matrix(store, title(study)), store, name, kinds or DEFAULT)  # type: ignore[arg-type]
    if as_json:
        echo(json.dumps(_plain(found), indent=1))
    else:
        _print(found)
    if write is not None and found.remedies:
        write_whole(write, found.spec.encode())
        echo(f"wrote {write}: 'crossgraft plan {write}' says what is missing", err=as_json)


def _check(file: Path, spec: Path) -> None:
    if file.exists():
        raise SpecError(f"--write: {file} exists already; give another name")
    if file.resolve().parent != spec.resolve().parent:
        raise SpecError(
            f"--write: expected a file in {spec.resolve().parent}, because paths in a spec start from its folder; got {file}"
        )


def _print(found: Mitigation) -> None:
    echo(found.sentence, bold=True)
    print_table(
        ("harmed target", "change (pp)", ""),
        ((str(loss.target), f"{loss.change:+.1f}", "significant" if loss.sure else "") for loss in found.losses),
    )
    for remedy in found.remedies:
        echo()
        echo(remedy.why)
        echo(f"Cost: {remedy.cost}.")
        if remedy.additions:
            echo("\n".join(f"  {line}" for line in remedy.toml.splitlines()))
    for reason in found.skipped:
        echo()
        echo(reason)


def _plain(found: Mitigation) -> dict[str, object]:
    return {
        "treatment": found.name,
        "sentence": found.sentence,
        "losses": [
            {"target": str(loss.target), "change": loss.change, "significant": loss.sure} for loss in found.losses
        ],
        "remedies": [
            {
                "kind": remedy.kind,
                "why": remedy.why,
                "toml": remedy.toml,
                "jobs": remedy.jobs,
                "to_train": remedy.to_train,
                "results": remedy.results,
            }
            for remedy in found.remedies
        ],
        "not_proposed": list(found.skipped),
    }
