"""The commands for those who only want a mapping: ``map``, ``bli``, ``translate``. No logic of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossgraft.cli.options import AS_JSON
from crossgraft.cli.printing import echo
from crossgraft.errors import SpecError

if TYPE_CHECKING:
    from crossgraft.embeddings.direct.mapped import Mapped
    from crossgraft.embeddings.direct.scoring import Scored
    from crossgraft.embeddings.direct.translation import Translation
    from crossgraft.embeddings.retrieval import Retrieval, Search
    from crossgraft.embeddings.spaces.space import Case

FILE = Path  # as it is: what cannot be is said in our words where it is used
WHERE = "FOLDER | SOURCE TARGET"


@dataclass(frozen=True)
class Retrieving:
    """How ``bli`` and ``translate`` were asked to find translations."""

    retrieval: Retrieval
    neighbours: int | None
    beta: float | None
    reverse: bool
    top: int | None
    case: Case | None

    @property
    def search(self) -> Search:
        from crossgraft.embeddings.retrieval import Search

        return Search.of(self.retrieval, self.neighbours, self.beta)

    def open(self, where: Sequence[Path]) -> Mapped:
        from crossgraft.embeddings.direct.mapped import opened

        return opened(where, top=self.top, case=self.case)


def retrieves(command: Callable[..., None]) -> Callable[..., None]:
    """The options of ``bli`` and ``translate``: which spaces, in which direction, how translations are found."""

    @wraps(command)
    def gathered(
        *,
        retrieval: Retrieval,
        neighbours: int | None,
        beta: float | None,
        reverse: bool,
        top: int | None,
        case: Case | None,
        **others: object,
    ) -> None:
        command(how=Retrieving(retrieval, neighbours, beta, reverse, top, case), **others)

    for option in (
        click.option("--case", type=click.Choice(["keep", "lower"]), help="Of files of vectors.  [default: keep]"),
        click.option(
            "--read",
            "top",
            type=click.IntRange(min=0),
            help="Words to read of files of vectors; 0: all.  [default: 200000]",
        ),
        click.option("--reverse", is_flag=True, help="From the target language into the source language."),
        click.option("--beta", type=float, help="Of inverted softmax: its inverse temperature.  [default: 30]"),
        click.option("--neighbours", type=click.IntRange(min=1), help="Of CSLS.  [default: 10]"),
        click.option(
            "--retrieval",
            type=click.Choice(["nn", "csls", "inverted-softmax"]),
            default="nn",
            show_default=True,
            help="How translations are found.",
        ),
    ):
        gathered = option(gathered)
    return gathered


@click.command("map", short_help="Map word vectors into one space.")
@click.argument("source", type=FILE)
@click.argument("target", type=FILE)
@click.option(
    "--dictionary",
    type=FILE,
    help="Pairs of words, source TAB target; or 'identical', 'numerals': the words, or numbers, that both vocabularies "
    "spell alike. Methods that need none take none.",
)
@click.option("--method", default="procrustes", show_default=True, help="Such as vecmap:unsupervised; see 'list'.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the method; KEY=V1,V2: the best by --validate.",
)
@click.option("--validate", type=FILE, help="Pairs of words that are not learnt from: their MAP chooses among --set.")
@click.option("--normalise", default="", help="Steps, such as unit,center,unit.  [default: the method's own]")
@click.option("--top", type=click.IntRange(min=0), default=200_000, show_default=True, help="Words to read; 0: all.")
@click.option("--case", type=click.Choice(["keep", "lower"]), default="keep", show_default=True)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of methods that draw at random."
)
@click.option("--out", type=FILE, required=True, help="A new folder for the mapping.")
@click.option("--text", is_flag=True, help="Write source.vec and target.vec too, for other tools.")
def map_(
    source: Path,
    target: Path,
    dictionary: Path | None,
    method: str,
    settings: tuple[str, ...],
    validate: Path | None,
    normalise: str,
    top: int,
    case: Case,
    seed: int,
    out: Path,
    text: bool,
) -> None:
    """Map the word vectors of SOURCE and TARGET into one space.

    Any format of vectors will do. The folder that --out names gets both vocabularies in the shared space, the
    matrices, and a file that says how they were made; `bli` and `translate` read it.
    """
    from crossgraft.embeddings.direct.fitting import MapRequest, fact_lines, fit_into, validation_lines

    request = MapRequest(source, target, method, dictionary, settings, normalise, top, case, seed, validate)
    mapped = fit_into(out, request, text=text)
    known = mapped.metadata["dictionary"]
    echo(
        f"{mapped.metadata['method']}{_learnt_from(known)}: {len(mapped.source.words)} and {len(mapped.target.words)} words"
    )
    for line in fact_lines(mapped.metadata["facts"]):
        echo(f"  {line}")
    _echo(validation_lines(mapped.metadata["validation"]))
    for note in mapped.metadata["notes"]:
        echo(f"note: {note}", err=True)
    echo(f"wrote {out}: 'crossgraft bli {out} TEST.tsv', 'crossgraft translate {out} WORD'")


def _learnt_from(known: dict[str, Any] | None) -> str:
    if not known:
        return ""
    if "alike" in known:
        return f" from {known['known']} {'words' if known['alike'] == 'identical' else 'numerals'} spelt alike"
    return f" from {known['known']} of {known['pairs']} pairs"


@click.command(short_help="Score a mapping on a test dictionary.")
@click.argument("where", type=FILE, nargs=-1, required=True, metavar=WHERE)
@click.argument("test", type=FILE)
@retrieves
@click.option("--train", type=FILE, help="The dictionary learnt from, as of 'map': strict scores leave its words out.")
@click.option("--words", is_flag=True, help="Print every query, with its rank and what was found, as TSV.")
@click.option("-k", "count", type=click.IntRange(min=1), help="Of --words: translations a query.  [default: 5]")
@AS_JSON
def bli(
    where: tuple[Path, ...],
    test: Path,
    how: Retrieving,
    train: Path | None,
    words: bool,
    count: int | None,
    as_json: bool,
) -> None:
    """Score a mapping on the dictionary TEST: bilingual lexicon induction.

    The mapping is a FOLDER that `map` wrote, or SOURCE TARGET, two files of vectors in one space, mapped by whichever
    tool. Every source word of TEST is a query, and every word of the target vocabulary is ranked for it. With --reverse
    target words are queries; TEST stays as it is, source TAB target.
    """
    from crossgraft.embeddings.direct.scoring import evaluate_bli

    if count and not words:
        raise SpecError("-k is of --words")
    if len(where) > 2:
        raise SpecError(f"expected FOLDER TEST, or SOURCE TARGET TEST; got {len(where) + 1} files")
    search = how.search
    scored = evaluate_bli(how.open(where), test, search, train=train, reverse=how.reverse, found=count or 5)
    for note in scored.notes:
        echo(f"note: {note}, which chose the parameters of this mapping: its scores are too high", err=True)
    if words:
        _print_queries(scored, as_json=as_json)
    elif as_json:
        _print_levels_as_json(scored)
    else:
        _print_levels(scored)


def _print_levels(scored: Scored) -> None:
    width = max(map(len, scored.levels))
    for name, level in scored.levels.items():
        echo(
            f"{name:<{width}}  {level.mean:.3f} [{level.low:.3f}, {level.high:.3f}]  n = {level.n:<5} "
            f" {scored.conventions[name]}"
        )


def _print_levels_as_json(scored: Scored) -> None:
    shown = {
        name: {"value": level.mean, "low": level.low, "high": level.high, "n": level.n}
        for name, level in scored.levels.items()
    }
    echo(json.dumps(shown, indent=1))


def _print_queries(scored: Scored, *, as_json: bool) -> None:
    if not as_json:
        echo("query\trank\tgold\tfound")
    for asked in scored.asked:
        if as_json:
            golds = [{"word": word, "rank": rank} for word, rank in asked.golds]
            best = [{"word": word, "score": round(score, 6)} for word, score in asked.found]
            shown = {"query": asked.word, "rank": asked.rank, "golds": golds, "found": best}
            echo(json.dumps(shown, ensure_ascii=False))
            continue
        golds_, best_ = (", ".join(word for word, _ in words) for words in (asked.golds, asked.found))
        echo(f"{asked.word}\t{'' if asked.rank is None else asked.rank}\t{golds_}\t{best_}")


@click.command(short_help="Translate words, or induce a dictionary.")
@click.argument("where", nargs=-1, required=True, metavar=f"{WHERE} [WORDS]...")
@click.option("-k", "count", type=click.IntRange(min=1), help="Translations a word.  [default: 5; 1 with --all]")
@retrieves
@click.option("--more", type=FILE, help="Vectors of more source words, mapped as the others were.")
@click.option("--all", "everything", is_flag=True, help="Translate the most frequent words of the source, as TSV.")
@click.option(
    "--top",
    "most",
    type=click.IntRange(min=0),
    help="With --all: translate the N most frequent words; 0: all.  [default: 20000]",
)
@click.option("--mutual", is_flag=True, help="Of --all: only words that choose each other.")
@click.option("--out", type=FILE, help="Of --all: a file.  [default: print]")
@AS_JSON
def translate(
    where: tuple[str, ...],
    count: int | None,
    how: Retrieving,
    more: Path | None,
    everything: bool,
    most: int | None,
    mutual: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Translate WORDS with a mapping, or induce a whole dictionary with --all.

    The mapping is a FOLDER that `map` wrote, or SOURCE TARGET, two files of vectors in one space, mapped by whichever
    tool. The score is the cosine; with CSLS, twice the cosine less how crowded both words' neighbourhoods are; with
    inverted softmax, the cosine less what the translation takes from all source words.
    """
    places, words = _places(where)
    if everything == bool(words):
        raise SpecError("expected words to translate, or --all")
    if everything:
        _refuse({"--more": more}, "of WORDS, not of --all")
    else:
        _refuse({"--top": most, "--mutual": mutual or None, "--out": out}, "of --all")
    search, mapped = how.search, how.open(places)
    mapped = mapped.reversed() if how.reverse else mapped
    if not everything:
        _translate(mapped, words, count or 5, search, more, as_json=as_json)
        return
    found = _induced(mapped, count or 1, search, 20_000 if most is None else most, mutual=mutual, as_json=as_json)
    if out is None:
        _echo(found)
    else:
        _write(found, out)


def _places(where: Sequence[str]) -> tuple[list[Path], Sequence[str]]:
    """What is translated with, and the words: a file at the first place stands before another one."""
    size = 2 if Path(where[0]).is_file() else 1
    if len(where) < size:
        raise SpecError(f"expected the folder of a mapping, or two files of vectors; got {where[0]} alone")
    return [Path(place) for place in where[:size]], where[size:]


def _refuse(options: Mapping[str, object], belong: str) -> None:
    """An option that would be ignored is a mistake."""
    for name, value in options.items():
        if value is not None:
            raise SpecError(f"{name} is {belong}")


def _induced(mapped: Mapped, count: int, search: Search, most: int, *, mutual: bool, as_json: bool) -> Iterable[str]:
    """A line a pair, or as JSON a line a word."""
    from crossgraft.embeddings.direct.translation import induced

    for found in induced(mapped, count, search, words=most, mutual=mutual):
        if as_json:
            yield _as_json(found)
        else:
            yield from (f"{translation.source}\t{translation.target}\t{translation.score:.4f}" for translation in found)


def _write(lines: Iterable[str], out: Path) -> None:
    from crossgraft.embeddings.direct.outputs import new_file, writing

    with new_file(out) as stream:
        for line in lines:
            with writing(out):
                stream.write(f"{line}\n")
    echo(f"wrote {out}")


def _as_json(found: Sequence[Translation]) -> str:
    ranked = [{"target": translation.target, "score": round(translation.score, 6)} for translation in found]
    return json.dumps({"source": found[0].source, "translations": ranked}, ensure_ascii=False)


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        echo(line)


def _translate(
    mapped: Mapped, words: Sequence[str], count: int, search: Search, more: Path | None, *, as_json: bool
) -> None:
    from crossgraft.embeddings.direct.translation import look_up, spellings, translations

    space, missing = look_up(mapped, words, more)
    for translated in translations(mapped, space, count, search):
        if as_json:
            echo(_as_json(translated))
            continue
        echo(translated[0].source, bold=True)
        _echo(f"  {translation.target}  {translation.score:.3f}" for translation in translated)
    for word in missing:
        near = ", ".join(spellings(word, mapped.source.words))
        echo(f"{word!r} is not in the vocabulary{f'; there is {near}' if near else ''}", err=True)
    if missing:
        raise click.exceptions.Exit(2)
