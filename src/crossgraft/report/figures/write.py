"""Every figure as SVG, PDF and PNG, and as PGF where a TeX system can measure its text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from matplotlib import rc_context

from crossgraft.analysis.findings import Findings
from crossgraft.report.figures import harm, matrix, regimes, roles
from crossgraft.report.figures.fonts import fonts_for
from crossgraft.report.figures.style import Columns, Drawing, Style, shown
from crossgraft.safety.escaping import in_latex
from crossgraft.safety.files import safe_name

_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
_TEX = ("lualatex", "xelatex", "pdflatex")
_NO_TEX = "No TeX system is installed: figures are not written as PGF."


@dataclass(frozen=True)
class Written:
    """The files, and in sentences what could not be done."""

    files: tuple[Path, ...]
    sentences: tuple[str, ...]


def write_figures(findings: Findings, folder: Path, columns: Columns = 2) -> Written:
    fonts = fonts_for(shown(label) for label in _labels(findings))
    style = Style(columns, fonts.families)
    folder.mkdir(parents=True, exist_ok=True)
    files = list(_write(findings, folder, style))
    tex = next(filter(which, _TEX), None)
    if tex:
        files += _write_pgf(findings, folder, Style(columns, fonts.families, _in_tex), tex)
    return Written(tuple(files), tuple(filter(None, (fonts.sentence, "" if tex else _NO_TEX))))


def _labels(findings: Findings) -> Iterator[str]:
    for row, target in findings.matrix.cells:
        yield from (row.model, row.label, str(target))


def _drawings(findings: Findings, style: Style) -> Iterator[Drawing]:
    for module in (matrix, roles, harm, regimes):
        yield from module.drawings(findings, style)


def _write(findings: Findings, folder: Path, style: Style) -> Iterator[Path]:
    with rc_context(style.settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # said in a sentence
        for drawing in _drawings(findings, style):
            for kind, metadata in _UNDATED.items():
                file = folder / f"{safe_name(drawing.name)}.{kind}"
                drawing.figure.savefig(file, metadata=metadata)
                yield file


def _in_tex(text: str) -> str:
    return in_latex(shown(text))


def _write_pgf(findings: Findings, folder: Path, style: Style, tex: str) -> Iterator[Path]:
    """With the fonts of the document that they are read into."""
    with rc_context({**style.settings, "pgf.texsystem": tex, "pgf.rcfonts": False}):
        for drawing in _drawings(findings, style):
            file = folder / f"{safe_name(drawing.name)}.pgf"
            drawing.figure.savefig(file)
            yield file
