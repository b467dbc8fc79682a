"""Scores of answers that a model wrote, against the right ones. Several right answers: the best match counts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from crossgraft.core import Answers, Floats
from crossgraft.metrics.base import METRICS, Metric, mean_metric

SEPARATOR = "\x1f"  # between right answers in the column "references"
_ARTICLES = re.compile(r"\b(a|an|the)\b")
# Han, Kana, Thai, Lao, Myanmar and Khmer are written without spaces: each character is a token
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(f"[{_UNSPACED}]|[^\\W{_UNSPACED}]+")
_NUMBER = re.compile(r"[-−]?\d[\d.,٫٬\u202f\u00a0']*")
_LEAST_LETTERS = 12  # fewer do not tell a language


def normal(text: str, language: str = "") -> str:
    """NFKC, case-folded, without punctuation at words' ends and without doubled spaces; in English without articles.

    >>> normal("  The  Answer: BLUE. ", "en")
    'answer blue'
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    words = [_bare(word) for word in text.split()]
    text = " ".join(word for word in words if word)
    return " ".join(_ARTICLES.sub(" ", text).split()) if language.partition("-")[0] == "en" else text


def _bare(word: str) -> str:
    first, last = 0, len(word)
    while first < last and unicodedata.category(word[first])[0] == "P":
        first += 1
    while last > first and unicodedata.category(word[last - 1])[0] == "P":
        last -= 1
    return word[first:last]


def number(text: str) -> float | None:
    """The last number of a text, in whatever digits.

    Of a dot and a comma, the later one is the decimal sign; a lone one is, unless exactly three digits follow
    and at most three stand before it: "1,234" is taken as 1234.

    >>> number("it is 1.234,5"), number("1,234"), number("٣٫٥"), number("৪২"), number("none")
    (1234.5, 1234.0, 3.5, 42.0, None)
    """
    found = _NUMBER.findall(text)
    if not found:
        return None
    digits = "".join(str(unicodedata.digit(one)) if one.isdigit() else one for one in found[-1])
    digits = digits.replace("−", "-").replace("٫", ".").translate({ord(one): None for one in "٬\u202f\u00a0'"})
    return float(_decimal(digits.rstrip(".,")))


def _decimal(digits: str) -> str:
    dot, comma = digits.rfind("."), digits.rfind(",")
    if dot >= 0 and comma >= 0:
        thousands, mark = (".", ",") if comma > dot else (",", ".")
        return digits.replace(thousands, "").replace(mark, ".")
    mark = "." if dot >= 0 else ","
    parts = digits.split(mark)
    groups = len(parts) > 2 or (
        len(parts) == 2 and len(parts[1]) == 3 and 1 <= len(parts[0].lstrip("-")) <= 3 and parts[0] not in ("0", "-0")
    )
    return "".join(parts) if groups else ".".join(parts)


def _each(answers: Answers, value: Callable[[str, str, str], float]) -> Floats:
    """The best of ``value(answer, reference, language)`` over the references of each item."""
    columns = answers.columns
    return np.array(
        [
            max(value(answer, reference, language) for reference in references.split(SEPARATOR))
            for answer, references, language in zip(
                columns["answer"], columns["references"], columns["language"], strict=True
            )
        ]
    )


@mean_metric("exact-match", reads="generation")
def exact_match(answers: Answers) -> Floats:
    """The answer is one of the right ones, but for case, width, punctuation at words' ends, spaces (and English articles)."""
    return _each(answers, lambda answer, right, language: float(normal(answer, language) == normal(right, language)))


@mean_metric("number-match", reads="generation")
def number_match(answers: Answers) -> Floats:
    """The last number of the answer is that of a right one, in whatever digits."""
    return _each(answers, _same_number)


def _same_number(answer: str, right: str, _: str) -> float:
    ours, theirs = number(answer), number(right)
    return float(ours is not None and theirs is not None and abs(ours - theirs) <= 1e-6 * max(1.0, abs(theirs)))


@mean_metric("f1", reads="generation")
def f1(answers: Answers) -> Floats:
    """Overlap of tokens as in SQuAD: words, or characters where a script has no spaces."""
    return _each(answers, _overlap)


def _overlap(answer: str, right: str, language: str) -> float:
    ours, theirs = (Counter(_TOKEN.findall(normal(text, language))) for text in (answer, right))
    shared = sum((ours & theirs).values())
    if not shared:
        return float(not ours and not theirs)
    precision, recall = shared / sum(ours.values()), shared / sum(theirs.values())
    return 2 * precision * recall / (precision + recall)


@mean_metric("wrong-language", reads="generation", higher_is_better=False, module="py3langid")
def wrong_language(answers: Answers) -> Floats:
    """Share of the answers long enough to tell that are in another language than the item (by py3langid)."""
    columns = answers.columns
    found = [_is_other(text, language) for text, language in zip(columns["answer"], columns["language"], strict=True)]
    return np.array(found, dtype=np.float64)


def _is_other(text: str, language: str) -> float:
    """1 for another language, 0 for the same, NaN where the language cannot be identified."""
    expected = language.partition("-")[0]
    identifier = _identifier()
    if sum(one.isalpha() for one in text) < _LEAST_LETTERS or expected not in identifier.labels:
        return float("nan")
    return float(identifier.classify(text)[0] != expected)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)


@mean_metric("unparseable", reads="generation", higher_is_better=False)
def unparseable(answers: Answers) -> Floats:
    """Share of the answers that are empty, or that lack a number where every right answer is one."""
    columns = answers.columns
    found = []
    for answer, references in zip(columns["answer"], columns["references"], strict=True):
        wants_number = all(re.fullmatch(_NUMBER, one.strip()) for one in references.split(SEPARATOR))
        found.append(float(not answer.strip() or (wants_number and number(answer) is None)))
    return np.array(found)


# corpus measures: sufficient statistics of each item, summed, then scored, by sacrebleu


def _corpus(name: str, description: str, make: Callable[[str], Any]) -> Metric:
    def statistics(answers: Answers) -> Floats:
        columns = answers.columns
        language = str(columns["language"][0]) if len(columns["language"]) else ""
        references = _streams([str(reference) for reference in columns["references"]])
        return np.array(make(language)._extract_corpus_statistics(list(columns["answer"]), references), dtype=float)

    def aggregate(sums: Floats) -> Floats:
        scorer = make("")
        flat = sums.reshape(-1, sums.shape[-1])
        values = [scorer._compute_score_from_stats(row.tolist()).score / 100 for row in flat]
        return np.array(values).reshape(sums.shape[:-1])

    return METRICS.add(
        name, Metric(name, "generation", statistics, aggregate, description=description, module="sacrebleu")
    )


def _streams(references: Sequence[str]) -> list[list[str | None]]:
    """The first, second, … right answer of all items, as sacrebleu wants them."""
    split = [reference.split(SEPARATOR) for reference in references]
    return [[row[n] if n < len(row) else None for row in split] for n in range(max(map(len, split), default=0))]


def _chrf(_: str) -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()


_BLEU_TOKENS: Mapping[str, str] = MappingProxyType(
    {"zh": "zh", "ja": "char", "th": "char", "lo": "char", "km": "char", "my": "char"}
)


def _bleu(language: str) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(tokenize=_BLEU_TOKENS.get(language.partition("-")[0], "13a"), force=True)


chrf = _corpus("chrf", "chrF2 of sacrebleu over all items, as a share.", _chrf)
bleu = _corpus(
    "bleu", "BLEU of sacrebleu over all items, as a share; by character for Japanese, Thai and their like.", _bleu
)
