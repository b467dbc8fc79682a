"""A base that guesses: said as soon as it has been evaluated, before hours of training on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossgraft.analysis.first.floor import is_above_chance
from crossgraft.analysis.wording import listed
from crossgraft.core import Record
from crossgraft.transfer.pairing import chance


def guessing(records: Sequence[Record], metrics: Mapping[str, str], *, chat: bool) -> str:
    """A sentence where a base is at chance on more than half of its targets with options; else nothing.

    ``metrics`` by task.
    """
    asked = [record for record in records if record.answers.kind == "choice"]
    low = [str(record.target) for record in asked if not _knows(record, metrics[record.target.task])]
    if 2 * len(low) <= len(asked):
        return ""
    template = (
        "without the chat template (chat = false)" if chat else "with the chat template, if it has one (chat = true)"
    )
    return (
        f"the base is at chance on {len(low)} of {len(asked)} targets with options ({listed(low)}): no loss can be seen there, and "
        f"a gain may be no more than the format. Look at the prompts with 'crossgraft preview', and try it {template}"
    )


def _knows(record: Record, metric: str) -> bool:
    score = next(score for score in record.scores if score.metric == metric)
    return is_above_chance(score.value, chance(record.answers) or 0.0, score.n)
