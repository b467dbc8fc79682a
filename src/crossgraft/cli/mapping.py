"""The commands for those who only want a mapping: ``map``, ``bli``, ``translate``. No logic of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossgraft.cli.options import AS_JSON
from crossgraft.cli.printing import echo
from crossgraft.errors import SpecError

if TYPE_CHECKING:
    from crossgraft.embeddings.translation import Retrieval

FILE = click.Path(path_type=Path)
FOLDER = click.argument("folder", type=FILE)
RETRIEVAL = click.option(
    "--retrieval",
    type=click.Choice(["nn", "csls"]),
    default="nn",
    show_default=True,
    help="How translations are found.",
)


@click.command("map")
@click.argument("source", type=FILE)
@click.argument("target", type=FILE)
@click.option("--dictionary", type=FILE, help="Pairs of words, source TAB target; methods that need none take none.")
@click.option("--method", default="procrustes", show_default=True, help="Such as vecmap:unsupervised; see 'list'.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter of the method.")
@click.option("--normalise", default="", help="Steps, such as unit,center,unit.  [default: the method's own]")
@click.option("--top", type=click.IntRange(min=0), default=200_000, show_default=True, help="Words to read; 0: all.")
@click.option("--case", type=click.Choice(["keep", "lower"]), default="keep", show_default=True)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of methods that draw at random."
)
@click.option("--out", type=FILE, required=True, help="A new folder for the mapping.")
@click.option("--text", is_flag=True, help="Write source.vec and target.vec too, for other tools.")
def map_(source: Path, target: Path, out: Path, text: bool, **how: Any) -> None:
    """Map the word vectors of SOURCE and TARGET into one space.

    Any format of vectors will do. The folder that --out names gets both vocabularies in the shared space, the
    matrices, and a file that says how they were made; `bli` and `translate` read it.
    """
    from crossgraft.embeddings.fitting import Wanted, fit
    from crossgraft.embeddings.mapped import require_new, save

    require_new(out)
    mapped = fit(Wanted(source, target, **how))
    save(mapped, out, text=text)
    known = mapped.told["dictionary"]
    pairs = f" from {known['known']} of {known['pairs']} pairs" if known else ""
    echo(f"{mapped.told['method']}{pairs}: {len(mapped.source.words)} and {len(mapped.target.words)} words")
    for name, value in mapped.told["facts"].items():
        echo(f"  {name}: {value}")
    for note in mapped.told["notes"]:
        echo(f"note: {note}", err=True)
    echo(f"wrote {out}: 'crossgraft bli {out} TEST.tsv', 'crossgraft translate {out} WORD'")


@click.command()
@FOLDER
@click.argument("test", type=FILE)
@RETRIEVAL
@AS_JSON
def bli(folder: Path, test: Path, retrieval: Retrieval, as_json: bool) -> None:
    """Score the mapping in FOLDER on the dictionary TEST: bilingual lexicon induction.

    Every source word of TEST is a query, and every word of the target vocabulary is ranked for it.
    """
    from crossgraft.embeddings.mapped import load
    from crossgraft.embeddings.scoring import score

    found = score(load(folder), test, retrieval=retrieval)
    if as_json:
        told = {
            name: {"value": one.mean, "low": one.low, "high": one.high, "n": one.n}
            for name, one in found.levels.items()
        }
        echo(json.dumps(told, indent=1))
        return
    width = max(map(len, found.levels))
    for name, one in found.levels.items():
        echo(
            f"{name:<{width}}  {one.mean:.3f} [{one.low:.3f}, {one.high:.3f}]  n = {one.n:<5} "
            f" {found.conventions[name]}"
        )


@click.command()
@FOLDER
@click.argument("words", nargs=-1)
@click.option("-k", "count", type=click.IntRange(min=1), default=5, show_default=True, help="Translations a word.")
@RETRIEVAL
@click.option("--more", type=FILE, help="Vectors of more source words, mapped as the others were.")
@click.option("--all", "everything", is_flag=True, help="Translate the most frequent words of the source, as TSV.")
@click.option(
    "--top", type=click.IntRange(min=0), default=20_000, show_default=True, help="Of --all: so many words; 0: all."
)
@click.option("--mutual", is_flag=True, help="Of --all: only words that choose each other.")
@click.option("--out", type=FILE, help="Of --all: a file.  [default: print]")
@AS_JSON
def translate(folder: Path, words: tuple[str, ...], everything: bool, as_json: bool, **how: Any) -> None:
    """Translate WORDS with the mapping in FOLDER, or induce a whole dictionary with --all.

    The score is the cosine; with CSLS, twice the cosine less how crowded both words' neighbourhoods are.
    """
    if everything == bool(words):
        raise SpecError("expected words to translate, or --all")
    if everything:
        _induce(folder, how["top"], how["retrieval"], how["mutual"], how["out"])
        return
    _translate(folder, words, how["count"], how["retrieval"], how["more"], as_json=as_json)


def _induce(folder: Path, top: int, retrieval: Retrieval, mutual: bool, out: Path | None) -> None:
    from crossgraft.embeddings.mapped import load
    from crossgraft.embeddings.translation import induced

    found = induced(load(folder), words=top, retrieval=retrieval, mutual=mutual)
    lines: Iterator[str] = (f"{one.source}\t{one.target}\t{one.score:.4f}" for one in found)
    if out is None:
        _echo(lines)
        return
    with out.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)
    echo(f"wrote {out}")


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        echo(line)


def _translate(
    folder: Path, words: tuple[str, ...], count: int, retrieval: Retrieval, more: Path | None, *, as_json: bool
) -> None:
    from crossgraft.embeddings.mapped import load
    from crossgraft.embeddings.translation import look_up, spellings, translations

    mapped = load(folder)
    found, missing = look_up(mapped, words, more)
    for translated in translations(mapped, found, count, retrieval=retrieval):
        if as_json:
            told = [{"target": one.target, "score": round(one.score, 6)} for one in translated]
            echo(json.dumps({"source": translated[0].source, "translations": told}, ensure_ascii=False))
            continue
        echo(translated[0].source, bold=True)
        _echo(f"  {one.target}  {one.score:.3f}" for one in translated)
    for word in missing:
        near = ", ".join(spellings(word, mapped.source.words))
        echo(f"{word!r} is not in the vocabulary{f'; there is {near}' if near else ''}", err=True)
    if missing:
        raise click.exceptions.Exit(2)
