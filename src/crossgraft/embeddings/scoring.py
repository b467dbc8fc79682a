"""Scores of mapped spaces on one test dictionary, with intervals: what ``crossgraft bli`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crossgraft.core import Answers
from crossgraft.embeddings.lexicon import direction_note, read_lexicon
from crossgraft.embeddings.mapped import Mapped
from crossgraft.embeddings.queries import queries, rank_table
from crossgraft.embeddings.retrieval import penalty
from crossgraft.embeddings.space import unit
from crossgraft.embeddings.translation import Retrieval
from crossgraft.errors import DataError
from crossgraft.metrics import METRICS
from crossgraft.stats.levels import Level, share_level

FIRST = ("MAP", "P@1", "P@5", "P@10", "MRR", "coverage")  # then the other conventions


@dataclass(frozen=True)
class Scored:
    """The scores of a test dictionary by the name of their metric, and what each of them counts."""

    levels: dict[str, Level]
    conventions: dict[str, str]
    answers: Answers


def score(mapped: Mapped, test: Path, *, retrieval: Retrieval = "nn") -> Scored:
    """Rank the vocabulary for every source word of the test dictionary, and apply every metric of rankings."""
    lexicon = read_lexicon(test, case=mapped.told["case"])
    if not lexicon.pairs:
        raise DataError(f"{test}: the dictionary is empty")
    if note := direction_note(lexicon, mapped.source, mapped.target):
        raise DataError(f"{test}: {note}; swap them")
    if not len(lexicon.rows(mapped.source, mapped.target)):
        raise DataError(f"{test}: no entry has both its words in the vocabularies; is it of these languages?")
    off = penalty(retrieval, unit(mapped.source.vectors), unit(mapped.target.vectors))
    answers, _ = rank_table(queries(lexicon), mapped.source, mapped.target, penalty=off)
    metrics = [METRICS.get(name) for name in METRICS.names()]
    usable = {metric.name: metric for metric in metrics if metric.applies_to(answers) and metric.is_mean}
    names = [*(name for name in FIRST if name in usable), *(name for name in usable if name not in FIRST)]
    return Scored(
        {name: share_level(usable[name].statistics(answers)) for name in names},
        {name: usable[name].description for name in names},
        answers,
    )
