"""The pages of the documentation, which lie in the package (in a checkout beside it), and the sections of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import crossgraft
from crossgraft.errors import SpecError

_PACKAGE = Path(crossgraft.__file__).parent
_HEADING = re.compile(r"(#+) (.*)")


def pages() -> dict[str, Path]:
    """By name, without the ending of the file."""
    folder = next(filter(Path.is_dir, (_PACKAGE / "docs", _PACKAGE.parents[1] / "docs")), None)
    if folder is None:
        raise SpecError(
            f"expected the documentation in {_PACKAGE / 'docs'}; nothing is there: install crossgraft again"
        )
    return {page.stem: page for page in sorted(folder.glob("*.md"))}


def passage(name: str) -> str:
    """A page, or one of its sections: ``statistics``, ``reading-a-report#checks``."""
    page, _, anchor = name.partition("#")
    known = pages()
    file = known.get(page.removesuffix(".md"))
    if file is None:
        raise SpecError(f"no page of the documentation is called {page!r}; expected one of {', '.join(known)}")
    text = file.read_text("utf-8")
    return _section(text, anchor, file.stem) if anchor else text


def _section(text: str, anchor: str, page: str) -> str:
    """From its heading to the next one of its level or above."""
    lines = text.splitlines()
    headings = list(_headings(lines))
    for number, (start, level, slug) in enumerate(headings):
        if slug == anchor:
            end = next((line for line, other, _ in headings[number + 1 :] if other <= level), len(lines))
            return "\n".join(lines[start:end]).rstrip()
    raise SpecError(
        f"the page {page!r} has no section {anchor!r}; expected one of {', '.join(slug for *_, slug in headings)}"
    )


def _headings(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Line, level, and the name that links use; a comment in a block of code is none."""
    code = False
    for number, line in enumerate(lines):
        code ^= line.startswith("```")
        if (heading := _HEADING.fullmatch(line)) and not code:
            yield number, len(heading[1]), re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading[2]).strip().lower())
