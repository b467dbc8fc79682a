"""Draw the transfer matrices of a study in a store as one SVG picture, for the docs.

python tools/matrix_picture.py OUT STUDY FILE.svg
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

from crossgraft.analysis.results import load_matrix
from crossgraft.runs.storage.store import Store
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

WIDTH, HEIGHT, LEFT, TOP, GAP = 26, 14, 120, 90, 20
STYLE = ".o{stroke:#333}.n{font-size:8px;font-weight:bold;text-anchor:middle}.r{text-anchor:end}"
GAIN, LOSS = (31, 98, 168), (200, 90, 23)  # red, green, blue of the deepest shades
DEEPEST = 15.0  # percentage points


def drawn(matrix: TransferMatrix, model: str, top: int) -> tuple[list[str], int]:
    """The lines of one model's matrix, and its height."""
    rows = [row for row in matrix.rows if row.model == model]
    lines = [f'<text x="4" y="{top + 16}" font-weight="bold" font-size="13">{escape(model)}</text>']
    for place, target in enumerate(matrix.columns):
        x = LEFT + WIDTH * place + WIDTH // 2 + 4
        lines.append(f'<text transform="translate({x},{top + TOP - 6}) rotate(-60)">{escape(str(target))}</text>')
    for number, row in enumerate(rows):
        y = top + TOP + HEIGHT * number
        lines.append(f'<text class="r" x="{LEFT - 6}" y="{y + 10}">{escape(row.label)}</text>')
        for place, target in enumerate(matrix.columns):
            lines += square(matrix.cells.get((row, target)), LEFT + WIDTH * place, y)
    return lines, TOP + HEIGHT * len(rows) + GAP


def square(cell: ChangeCell | None, x: int, y: int) -> list[str]:
    """Outlined on the treatment's own source; with its number where the interval excludes zero."""
    colour = shade(cell.change.mean) if cell else "#eee"
    own = ' class="o"' if cell and cell.regime == "MT-ML" else ""
    lines = [f'<path d="M{x} {y}h{WIDTH - 1}v{HEIGHT - 1}h-{WIDTH - 1}z" fill="{colour}"{own}/>']
    if cell and (cell.change.low > 0 or cell.change.high < 0):
        lines.append(f'<text class="n" x="{x + WIDTH // 2}" y="{y + 10}">{whole(cell.change.mean)}</text>')
    return lines


def shade(change: float) -> str:
    depth = min(1.0, abs(change) / DEEPEST)
    parts = (round(255 + depth * (part - 255)) for part in (GAIN if change > 0 else LOSS))
    return "#" + "".join(f"{part:02x}" for part in parts)


def whole(change: float) -> str:
    """Whole points; what would read as zero and is not keeps a decimal."""
    return f"{change:+.1f}" if abs(change) < 0.5 else f"{change:+.0f}"


def main(out: str, study: str, file: str) -> None:
    matrix = load_matrix(Store(out), study)
    body: list[str] = []
    top = 0
    for model in dict.fromkeys(row.model for row in matrix.rows):
        lines, height = drawn(matrix, model, top)
        body += lines
        top += height
    width = LEFT + WIDTH * len(matrix.columns) + 60
    Path(file).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" font-family="sans-serif" font-size="10">'
        f'<style>{STYLE}</style><path d="M0 0H{width}V{top}H0z" fill="white"/>{"".join(body)}</svg>\n',
        "utf-8",
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
