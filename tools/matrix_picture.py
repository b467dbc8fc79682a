"""Draw the transfer matrices of a study in a store as one SVG picture, for the docs.

python tools/matrix_picture.py OUT STUDY FILE.svg
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

from crossgraft.analysis.results import load_findings
from crossgraft.report.view import MatrixView, matrices
from crossgraft.store import Store

WIDTH, HEIGHT, LEFT, TOP, GAP = 30, 17, 120, 90, 20


def drawn(view: MatrixView, top: int) -> tuple[list[str], int]:
    lines = [f'<text x="4" y="{top + 16}" font-weight="bold" font-size="13">{escape(view.model)}</text>']
    for place, column in enumerate(view.columns):
        x = LEFT + WIDTH * place + WIDTH // 2 + 4
        y = top + TOP - 6
        lines.append(f'<text transform="translate({x},{y}) rotate(-60)">{escape(_short(column))}</text>')
    for row, (label, cells) in enumerate(view.rows):
        y = top + TOP + HEIGHT * row
        lines.append(f'<text x="{LEFT - 6}" y="{y + 12}" text-anchor="end">{escape(_short(label))}</text>')
        for place, cell in enumerate(cells):
            x = LEFT + WIDTH * place
            colour = "#eee" if cell.colour == "none" else cell.colour
            edge = ' stroke="#333"' if cell.own else ""
            weight = ' font-weight="bold"' if cell.clear else ' fill="#666"'
            lines.append(f'<rect x="{x}" y="{y}" width="{WIDTH - 1}" height="{HEIGHT - 1}" fill="{colour}"{edge}/>')
            lines.append(
                f'<text x="{x + WIDTH // 2}" y="{y + 12}" text-anchor="middle" font-size="8"{weight}>{_whole(cell.text)}'
                f"<title>{escape(cell.detail)}</title></text>"
            )
    return lines, TOP + HEIGHT * len(view.rows) + GAP


def _short(label: str) -> str:
    return label.replace("almanac/", "")


def _whole(text: str) -> str:
    """Whole points; what would read as zero and is not keeps its decimals."""
    try:
        value = float(text)
    except ValueError:
        return text
    return text if abs(value) < 0.5 else f"{value:+.0f}"


def main(out: str, study: str, file: str) -> None:
    views = list(matrices(load_findings(Store(out), study)))
    body: list[str] = []
    top = 0
    for view in views:
        lines, height = drawn(view, top)
        body += lines
        top += height
    width = LEFT + WIDTH * max(len(view.columns) for view in views) + 60
    Path(file).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" font-family="sans-serif" font-size="10">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(body)}</svg>\n',
        "utf-8",
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
