"""The almanac: facts and arithmetic in twelve languages, generated from CLDR and num2words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Literal

from crossgraft.adapters.tasks import TASKS, Item, Split
from crossgraft.errors import SpecError, did_you_mean
from crossgraft.identity import content_id
from crossgraft.study import Input, Origin

LANGUAGES = ("en", "de", "fr", "es", "tr", "id", "ru", "ar", "ja", "ko", "th", "bn")


@TASKS.register
@dataclass(frozen=True)
class Almanac:
    """``about`` is one of the almanac's tasks, or "sham": the items of all of them with answers drawn at
    random, a source that teaches nothing but the format.

    ``format`` is how answers look: the text of the option, or its letter after a list of the options.
    """

    about: Literal["sums", "calendar", "currency", "tongue", "largest", "sham"]
    languages: tuple[str, ...] = LANGUAGES
    format: Literal["text", "letter"] = "text"
    metric: Literal["accuracy", "accuracy-per-token", "accuracy-per-char", "accuracy-per-byte"] = "accuracy"
    translated: Literal["human", "machine", "no", "unknown"] = "human"

    def __post_init__(self) -> None:
        for language in self.languages:
            if language not in LANGUAGES:
                raise SpecError(
                    f"the almanac has no language {language!r}{did_you_mean(language, LANGUAGES)}", ("languages",)
                )

    @property
    def is_sham(self) -> bool:
        return self.about == "sham"

    def input(self, language: str, split: Split, origin: Origin) -> Input:  # noqa: ARG002 - it has no file
        """What the libraries make of it today stands for the file it has not."""
        name = f"{self.about}/{language}/{split}/{self.format}"
        return Input("value", f"almanac:{name}", f"language {language!r}, {split} split", content(name))

    def identity(self, language: str) -> Mapping[str, Any]:
        return {"kind": "almanac", "language": language}

    def items(self, language: str, split: Split, origin: Origin) -> tuple[Item, ...]:  # noqa: ARG002
        from crossgraft.adapters.almanac.items import items

        return items(self.about, language, split, self.format)

    def notes(self) -> Iterator[str]:
        """Says so when the libraries make other items than those the results in the docs are from.

        The same versions make the same items (a test holds that), so they are not made to be compared.
        """
        known = json.loads(files("crossgraft.adapters.almanac").joinpath("content.json").read_text("utf-8"))
        if versions() == known["versions"]:
            return
        names = [f"{self.about}/{language}/test/{self.format}" for language in self.languages]
        changed = [name for name in names if content(name) != known["content"][name]]
        if changed:
            yield (
                f"almanac: {len(changed)} of {len(names)} item sets (such as {changed[0]}) differ from those of "
                f"{known['versions']}: results are not comparable with published ones"
            )


def versions() -> str:
    """The libraries the names come from."""
    return ", ".join(f"{package} {version(package)}" for package in ("babel", "num2words"))


@cache
def content(name: str) -> str:
    """The content hash of an item set."""
    from crossgraft.adapters.almanac.items import items

    about, language, split, form = name.split("/")
    told = [
        {"id": item.id, "prompt": item.prompt, "options": item.options, "gold": item.gold}
        for item in items(about, language, split, form)
    ]
    return content_id(items=told)
