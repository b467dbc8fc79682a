"""Draw the transfer matrices of a study in a store as one SVG picture, for the docs.

python tools/matrix_picture.py OUT STUDY FILE.svg
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

from crossgraft.analysis.results import load_findings
from crossgraft.report.section import Picture, Table
from crossgraft.report.sections import matrices
from crossgraft.runs.store import Store

WIDTH, HEIGHT, LEFT, TOP, GAP = 26, 14, 120, 90, 20
STYLE = ".o{stroke:#333}.n{font-size:8px;font-weight:bold;text-anchor:middle}.r{text-anchor:end}"


def drawn(table: Table, top: int) -> tuple[list[str], int]:
    model, targets = str(table.rows[0][0]), table.titles[1:]
    lines = [f'<text x="4" y="{top + 16}" font-weight="bold" font-size="13">{escape(model)}</text>']
    for place, target in enumerate(targets):
        x = LEFT + WIDTH * place + WIDTH // 2 + 4
        lines.append(f'<text transform="translate({x},{top + TOP - 6}) rotate(-60)">{escape(_short(target))}</text>')
    for row, (_, label, *cells) in enumerate(table.rows):
        y = top + TOP + HEIGHT * row
        lines.append(f'<text class="r" x="{LEFT - 6}" y="{y + 10}">{escape(_short(str(label)))}</text>')
        for place, cell in enumerate(cells):
            assert isinstance(cell, Picture)
            x = LEFT + WIDTH * place
            colour = _hex(cell.style.removeprefix("background: ")) if cell.style else "#eee"
            own = ' class="o"' if "own" in cell.tone.split() else ""
            lines.append(f'<path d="M{x} {y}h{WIDTH - 1}v{HEIGHT - 1}h-{WIDTH - 1}z" fill="{colour}"{own}/>')
            if "clear" in cell.tone.split():
                lines.append(f'<text class="n" x="{x + WIDTH // 2}" y="{y + 10}">{_whole(cell.text.strip("*"))}</text>')
    return lines, TOP + HEIGHT * len(table.rows) + GAP


def _short(label: str) -> str:
    return label.replace("almanac/", "")


def _hex(colour: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour.removeprefix("rgb(").removesuffix(")").split(","))


def _whole(text: str) -> str:
    """Whole points; what would read as zero and is not keeps its decimals."""
    try:
        value = float(text)
    except ValueError:
        return text
    return text if abs(value) < 0.5 else f"{value:+.0f}"


def main(out: str, study: str, file: str) -> None:
    findings = load_findings(Store(out), study)
    tables = [table for section in matrices.sections(findings) for table in section.tables]
    body: list[str] = []
    top = 0
    for table in tables:
        lines, height = drawn(table, top)
        body += lines
        top += height
    width = LEFT + WIDTH * max(len(table.titles) - 1 for table in tables) + 60
    Path(file).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" font-family="sans-serif" font-size="10">'
        f'<style>{STYLE}</style><path d="M0 0H{width}V{top}H0z" fill="white"/>{"".join(body)}</svg>\n',
        "utf-8",
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
