"""``compare``: two studies, or two versions of one, side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossgraft.cli.options import AS_JSON, OUT, study_of
from crossgraft.cli.printing import echo, print_table
from crossgraft.errors import SpecError, StoreError
from crossgraft.safety.files import why

if TYPE_CHECKING:
    from crossgraft.analysis.comparison.compare import Comparison
    from crossgraft.analysis.comparison.matching import Side
    from crossgraft.report.section import Section


@click.command(short_help="Compare two studies, or two versions of one.")
@click.argument("a")
@click.argument("b")
@OUT
@click.option(
    "--out-b", type=click.Path(path_type=Path), help="The folder that holds the results of B.  [default: OUT]"
)
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME", help="Where tables have what, as in `read`; repeatable."
)
@click.option(
    "--to", type=click.Path(path_type=Path), help="Write the tables as CSV and LaTeX into this folder as well."
)
@AS_JSON
def compare(
    a: str, b: str, out: Path, out_b: Path | None, columns: tuple[str, ...], to: Path | None, as_json: bool
) -> None:
    """Say what changed from A to B beyond noise: cells, scores of the base, means by regime.

    A and B are each a spec file, the name of a study in the store, or a table of items or scores as `read` takes them. Cells are matched
    by model, treatment and target, and paired by item where both have the items; two versions of one study lie in two stores
    (--out and --out-b). Every difference is tested, with a false discovery rate of 5 % over all of them.
    """
    from crossgraft.analysis.comparison.compare import compare as compared
    from crossgraft.report.comparison import sections_of

    first, second = _sides(a, b, out, out_b or out, columns)
    comparison = compared(first, second)
    sections = sections_of(comparison)
    files = _write(sections, to) if to else []
    if as_json:
        echo(json.dumps(_as_json(comparison, sections, files), indent=1))
    else:
        _print(comparison, sections, files)


def _sides(a: str, b: str, out: Path, out_b: Path, columns: tuple[str, ...]) -> tuple[Side, Side]:
    first, second = _side(a, out, columns), _side(b, out_b, columns)
    if first.name != second.name:
        return first, second
    if first.recorded and second.recorded and out.resolve() == out_b.resolve():
        raise SpecError(
            f"expected two studies; A and B are both {first.name!r} in {out}: name another, or its other store with --out-b"
        )
    return _placed(first, a, out), _placed(second, b, out_b)


def _placed(side: Side, text: str, out: Path) -> Side:
    """With its store, or its file, beside its name, where both sides have one name."""
    return replace(side, name=f"{side.name} ({out if side.recorded else text})")


def _side(text: str, out: Path, columns: tuple[str, ...]) -> Side:
    from crossgraft.analysis.comparison.matching import Side
    from crossgraft.analysis.external.outcomes import read_matrix
    from crossgraft.analysis.results import load_matrix, require_study
    from crossgraft.runs.campaign import title
    from crossgraft.runs.storage.store import Store

    if Path(text).suffix.lower() in (".csv", ".tsv", ".parquet"):
        return Side(Path(text).stem, read_matrix(Path(text), columns), recorded=False)
    name = title(study_of(Path(text), (), None)) if text.endswith(".toml") else text
    store = Store(out)
    name = require_study(store, name).name
    return Side(name, load_matrix(store, name))


def _write(sections: tuple[Section, ...], folder: Path) -> list[Path]:
    from crossgraft.report.csv import tables_csv
    from crossgraft.report.latex.tables import tables_latex

    files = {**tables_csv(sections), **tables_latex(sections)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise StoreError(f"cannot write the tables: {why(error)}; --to names another folder") from error
    return [folder / name for name in files]


def _as_json(comparison: Comparison, sections: tuple[Section, ...], files: list[Path]) -> dict[str, Any]:
    from crossgraft.analysis.comparison.sentences import sentences
    from crossgraft.report.section import files as tables_by_name

    tables = {
        name: [record for table in tables for record in table.records()]
        for name, tables in tables_by_name(sections).items()
    }
    return {
        "a": comparison.a.name,
        "b": comparison.b.name,
        "sentences": sentences(comparison),
        **tables,
        "files": [str(file) for file in files],
    }


def _print(comparison: Comparison, sections: tuple[Section, ...], files: list[Path]) -> None:
    from crossgraft.analysis.comparison.sentences import sentences
    from crossgraft.report.section import short

    echo("\n".join(sentences(comparison)))
    for section in sections:
        for table in section.tables:
            if table.rows:
                echo(f"\n{section.title}", bold=True)
                print_table(table.titles, (tuple(map(short, row)) for row in table.shown))
                if table.left_out:
                    echo(f"{table.left_out} more rows: --to FOLDER writes all of them")
    if files:
        echo(f"\nwrote {', '.join(map(str, files))}")
