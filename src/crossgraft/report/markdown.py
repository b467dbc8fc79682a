"""The same page as Markdown, for a repository, an issue or a mail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crossgraft.analysis.findings import Findings
from crossgraft.report import bli, roles, second, training, view
from crossgraft.report.view import About

_BESIDE = ("where", "how sure", "worst elsewhere (pp)", "harmed")


def markdown(findings: Findings, about: About) -> str:
    return "\n".join(_lines(findings, about)) + "\n"


def _lines(findings: Findings, about: About) -> Iterator[str]:
    for part in (_first, _matrices, _regimes, _harm, _roles_and_variance, _recipes, _words, _trust):
        yield from part(findings)
    versions = ", ".join(f"{name} {number}" for name, number in about.versions.items())
    yield ""
    yield f"Written {about.written} by {versions}." if versions else ""


def _first(findings: Findings) -> Iterator[str]:
    """The sentences and the first table."""
    yield f"# {_plain(findings.study) or 'Study'}"
    yield ""
    for sentence in findings.sentences:
        yield f"- {_plain(sentence)}"
    yield from _section("What helped, what harmed, what is typical")
    header = ["mean change of", "", "pp", "measured", "n", ""]
    rows = ([one.what, one.name, one.change, one.measured, one.n, one.verdict] for one in view.first_rows(findings))
    yield from _table(header, rows)
    yield from _section("What each treatment did")
    yield from _table(["model", "treatment", "gain (pp)", *_BESIDE], map(_summary, view.summaries(findings)))
    if controls := list(view.controls(findings)):
        yield from _section("Controls: sources that teach a format at most")
        yield from _table(["model", "control", "change (pp)", *_BESIDE], map(_summary, controls))


def _summary(one: view.SummaryView) -> list[str]:
    change = f"{one.gain} ({one.gain_n})" if one.gain_n else one.gain
    return [one.model, one.treatment, change, one.gain_is, one.sure, one.worst, one.harmed]


def _matrices(findings: Findings) -> Iterator[str]:
    for matrix in view.matrices(findings):
        yield from _section(f"Change on every target, {_plain(matrix.model)} (pp)")
        yield from _table(
            ["", *matrix.columns],
            ([label, *(f"**{one.text}**" if one.clear else one.text for one in cells)] for label, cells in matrix.rows),
        )
        yield ""
        yield "Bold: the interval excludes zero. Intervals and n are in `cells.csv`."


def _regimes(findings: Findings) -> Iterator[str]:
    if contrasts := list(view.contrasts(findings)):
        yield from _section("On the source's task against off it")
        yield from _table(
            ["over", "difference (pp)", "with new items and seeds", "with new models", "with new tasks"],
            ([one.over, one.mean, *one.levels] for one in contrasts),
        )
    yield from _section("Means by what source and target share")
    yield from _table(
        [
            "model",
            "regime",
            "meaning",
            "mean (pp)",
            "median",
            "above zero",
            "gain more than 1",
            "lose 1 or more",
            "from",
        ],
        (
            [one.model, one.regime, one.words, one.mean, one.median, one.positive, one.gained, one.harmed, one.n]
            for one in view.regimes(findings)
        ),
    )


def _harm(findings: Findings) -> Iterator[str]:
    """Gain and harm, and what is left of both without the sham and the base's luck."""
    if harms := list(view.treatment_harm(findings)):
        yield from _section("Gain and harm")
        yield from _table(
            [
                "model",
                "treatment",
                "same task elsewhere (pp)",
                "other tasks (pp)",
                "lose 1 or more",
                "mean loss",
                "worst tenth",
            ],
            ([one.model, one.name, one.gain, one.off, one.harmed, one.mass, one.tail] for one in harms),
        )
    if shams := list(view.shams(findings)):
        yield from _section("Against the sham")
        yield from _table(
            ["model", "treatment", "on", "more than the sham (pp)", "sham"],
            ([one.model, one.name, one.where, one.difference, one.sham] for one in shams),
        )
    if luck := list(view.luck(findings)):
        yield from _section("Without the base's luck")
        yield from _table(
            [
                "model",
                "mean change (pp)",
                "above zero, as it is",
                "expected",
                "variance between targets",
                "without luck",
            ],
            ([one.model, one.uplift, one.raw_positive, one.positive, one.share, one.corrected] for one in luck),
        )


def _roles_and_variance(findings: Findings) -> Iterator[str]:
    for table in (*roles.tables(findings), *second.tables(findings)):
        yield from _section(table.title)
        if table.rows:
            yield from _table(table.header, table.rows)
            yield ""
        yield _plain(table.remark)
    yield from _listed("Who gives, who takes", [*roles.structure(findings), *second.sentences(findings)])


def _recipes(findings: Findings) -> Iterator[str]:
    if axes := list(view.axes(findings)):
        yield from _section("What the axes of the recipe do")
        yield from _table(
            ["model", "axis", "compared", "on", "difference (pp)", "from", ""],
            ([one.model, one.axis, one.compared, one.outcome, one.difference, one.n, one.verdict] for one in axes),
        )
    if lines := training.shown(findings):
        yield from _section("Training")
        header = ["model", "treatment", "seed", "steps", "tokens", "loss, first step", "last", "kept epoch"]
        told = ([x.model, x.treatment, x.seed, x.steps, x.tokens, x.first, x.last, x.kept] for x in lines)
        yield from _table(header, told)


def _words(findings: Findings) -> Iterator[str]:
    """Ranked words over language pairs."""
    for section in bli.sections(findings):
        for part in section.tables:
            yield from _section(f"{_plain(section.task)}: {part.title}")
            yield from _table(part.header, part.rows)
        yield ""
        yield _plain(section.method)


def _trust(findings: Findings) -> Iterator[str]:
    """What is missing, failed, moved, or wants a look."""
    yield from _listed(
        "What is missing", [f"{row}: {reason} ({count} targets)" for row, reason, count in view.gaps(findings)]
    )
    yield from _listed("What failed", findings.failures)
    yield from _listed(
        "The control, measured again",
        [f"{what}: {moved} targets moved; largest: {most}" for what, moved, most in view.checks(findings)],
    )
    yield from _listed(
        "Can the numbers be trusted",
        [
            f"{one.model}, {one.name}: {one.saw}{'' if one.fine else ' (look into this)'}"
            for one in view.looked_at(findings)
        ],
    )
    yield from _listed("Notes", [*findings.notes, findings.method])


def _section(title: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from _section(title)
        yield from (f"- {_plain(line)}" for line in lines)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(map(_plain, header))} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_plain, row))} |"


def _plain(text: str) -> str:
    """A text from the data cannot break out of its table cell, or become HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
