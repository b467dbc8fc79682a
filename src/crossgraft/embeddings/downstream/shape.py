"""How many texts a task has, and how long they are: what a forecast needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextShape:
    """The texts of a task on a pair of languages, and their words in all.

    ``asked`` are of the source: topics or, in classification, training and dev texts. ``answers`` are of the target: documents
    or test texts.
    """

    asked: int
    answers: int
    asked_words: int
    answers_words: int
