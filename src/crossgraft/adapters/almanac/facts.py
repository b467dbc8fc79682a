"""What the almanac knows: numbers, months and weekdays, currencies and official languages of countries.

A fact is language-independent; its names are looked up in CLDR (through Babel) and num2words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

from crossgraft.errors import MissingExtra
from crossgraft.identity import item_hash

try:
    from babel import Locale
    from babel.languages import get_official_languages
    from babel.numbers import get_territory_currencies
    from num2words import num2words
except ImportError as error:
    raise MissingExtra("the almanac", "almanac") from error

LANGUAGES = ("en", "de", "fr", "es", "tr", "id", "ru", "ar", "ja", "ko", "th", "bn")

Name = tuple[Literal["number", "month", "weekday", "territory", "currency", "language"], str]

_ADDENDS = 18  # 0 … 17
_LARGEST = 500  # triples of numbers below 100
_WRONG = 3
_DECLINED_MONTHS = ("ru",)  # their names inside a date are in the genitive; CLDR has the nominative apart
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})


@dataclass(frozen=True)
class Question:
    """A question about a fact: what is asked, with which names, what is right and what is not.

    ``group`` keeps on one side of the split what must not be on both: the same fact asked two ways,
    and countries of one currency or language, which share a question ("Where is the euro used?").
    """

    id: str
    group: str
    asks: Literal["sums", "months", "weekdays", "currency", "currency_user", "tongue", "tongue_user", "largest"]
    slots: Mapping[str, Name]
    answer: Name
    wrong: tuple[Name, ...]  # what stands beside the answer


@cache
def names(language: str) -> Mapping[Name, str]:
    """Every name the almanac uses, in one language."""
    locale = Locale.parse(language)
    found: dict[Name, str] = {("number", str(n)): num2words(n, lang=language) for n in range(100)}
    months = locale.months["stand-alone" if language in _DECLINED_MONTHS else "format"]["wide"]
    found |= {("month", str(n)): name for n, name in months.items()}
    found |= {("weekday", str(n)): name for n, name in locale.days["format"]["wide"].items()}
    found |= {("territory", code): str(locale.territories[code]) for code in _territories()}
    found |= {("currency", code): str(locale.currencies[code]) for code in set(currencies().values())}
    tongues = {code for codes in official_languages().values() for code in codes}
    found |= {("language", code): str(locale.languages[code]) for code in tongues}
    return found


@cache
def _territories() -> tuple[str, ...]:
    return tuple(sorted({*currencies(), *official_languages()}))


def _everywhere(kind: Literal["territories", "currencies", "languages"]) -> set[str]:
    """Codes that CLDR names in all our languages."""
    return set.intersection(*(set(getattr(Locale.parse(language), kind)) for language in LANGUAGES))


@cache
def currencies() -> Mapping[str, str]:
    """Country → its currency, for countries that have exactly one."""
    known = _everywhere("currencies")
    found = {}
    for code in _countries():
        used = get_territory_currencies(code)
        if len(used) == 1 and used[0] in known:
            found[code] = used[0]
    return found


@cache
def official_languages() -> Mapping[str, tuple[str, ...]]:
    """Country → its official languages, the most spoken first."""
    known = _everywhere("languages")
    found = {}
    for code in _countries():
        tongues = dict.fromkeys(tag.partition("_")[0] for tag in get_official_languages(code, de_facto=True))
        if tongues and all(tongue in known for tongue in tongues):
            found[code] = tuple(tongues)
    return found


@cache
def _countries() -> tuple[str, ...]:
    return tuple(
        sorted(
            code
            for code in _everywhere("territories")
            if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
        )
    )


def _drawn(values: list[Name], key: str) -> tuple[Name, ...]:
    """Three of the values, at random, seeded by the question."""
    return tuple(sorted(values, key=lambda value: item_hash(f"{key} {value[0]} {value[1]}", 0))[:_WRONG])


@cache
def questions(about: str) -> tuple[Question, ...]:
    """Every question of a task, the same in all languages."""
    makers = {
        "sums": _sums,
        "calendar": lambda: [*_cycle("months", "month", 12, 1), *_cycle("weekdays", "weekday", 7, 0)],
        "currency": _currency,
        "tongue": _tongue,
        "largest": _largest,
    }
    return tuple(makers[about]())


TASKS = ("sums", "calendar", "currency", "tongue", "largest")


def _sums() -> list[Question]:
    found = []
    for a, b in product(range(_ADDENDS), repeat=2):
        key = f"sums-{a}-{b}"
        near: list[Name] = [("number", str(n)) for n in range(max(0, a + b - 6), a + b + 7) if n != a + b]
        slots: dict[str, Name] = {"a": ("number", str(a)), "b": ("number", str(b))}
        found.append(Question(key, key, "sums", slots, ("number", str(a + b)), _drawn(near, key)))
    return found


def _cycle(
    asks: Literal["months", "weekdays"], kind: Literal["month", "weekday"], length: int, first: int
) -> list[Question]:
    """So many steps after one of them comes another."""
    found = []
    for start, steps in product(range(length), range(1, length)):
        key = f"{asks}-{start + first}-{steps}"
        end = (start + steps) % length
        others: list[Name] = [(kind, str(n + first)) for n in range(length) if n != end]
        slots: dict[str, Name] = {"x": (kind, str(start + first)), "n": ("number", str(steps))}
        found.append(Question(key, key, asks, slots, (kind, str(end + first)), _drawn(others, key)))
    return found


def _currency() -> list[Question]:
    found = []
    for country, used in currencies().items():
        key, back, group = f"currency-{country}", f"currency-user-{country}", f"currency {used}"
        place: Name = ("territory", country)
        money: Name = ("currency", used)
        other_money: list[Name] = [("currency", one) for one in sorted(set(currencies().values()) - {used})]
        other_places: list[Name] = [("territory", one) for one, its in currencies().items() if its != used]
        found.append(Question(key, group, "currency", {"x": place}, money, _drawn(other_money, key)))
        found.append(Question(back, group, "currency_user", {"y": money}, place, _drawn(other_places, back)))
    return found


def _tongue() -> list[Question]:
    found = []
    spoken = sorted({tongues[0] for tongues in official_languages().values()})
    for country, tongues in official_languages().items():
        key, back, group = f"tongue-{country}", f"tongue-user-{country}", f"tongue {tongues[0]}"
        place: Name = ("territory", country)
        tongue: Name = ("language", tongues[0])
        others: list[Name] = [("language", one) for one in spoken if one not in tongues]
        elsewhere: list[Name] = [
            ("territory", one) for one, its in official_languages().items() if tongues[0] not in its
        ]
        found.append(Question(key, group, "tongue", {"x": place}, tongue, _drawn(others, key)))
        found.append(Question(back, group, "tongue_user", {"y": tongue}, place, _drawn(elsewhere, back)))
    return found


def _largest() -> list[Question]:
    """Triples of different numbers below 100, drawn by hash: each set of three once."""
    found: dict[frozenset[int], Question] = {}
    draw = 0
    while len(found) < _LARGEST:
        a, b, c = (item_hash(f"largest {draw} {place}", 0) % 100 for place in range(3))
        draw += 1
        if len({a, b, c}) < 3:
            continue
        key = "largest-" + "-".join(map(str, (a, b, c)))
        slots: dict[str, Name] = {name: ("number", str(n)) for name, n in zip("abc", (a, b, c), strict=True)}
        others: list[Name] = [("number", str(n)) for n in (a, b, c) if n != max(a, b, c)]
        found.setdefault(
            frozenset((a, b, c)),
            Question(key, key, "largest", slots, ("number", str(max(a, b, c))), _drawn(others, key)),
        )
    return list(found.values())
