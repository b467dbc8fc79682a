"""Every figure as SVG, PDF and PNG, and as PGF where a TeX system can measure its text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from matplotlib import rc_context
from matplotlib.backends.backend_pgf import LatexError

from crossgraft.analysis.findings import Findings
from crossgraft.report.figures import harm, matrix, regimes, roles
from crossgraft.report.figures.fonts import fonts_for
from crossgraft.report.figures.style import Columns, Drawing, Style, shown
from crossgraft.report.latex.text import engine_sentence, fonts_for_scripts, in_tex, scripts_of
from crossgraft.safety.files import safe_name

_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
_TEX = ("lualatex", "xelatex", "pdflatex")
_NO_TEX = "No TeX system is installed: figures are not written as PGF."
_ONLY_LATIN = "Names have letters of {scripts}: for PGF install LuaLaTeX or XeLaTeX."

_FAILED = "{tex} failed ({error}): figures are not written as PGF; does it compile an empty document?"


@dataclass(frozen=True)
class Written:
    """The files, and in sentences what could not be done."""

    files: tuple[Path, ...]
    sentences: tuple[str, ...]


def write_figures(findings: Findings, folder: Path, columns: Columns = 2) -> Written:
    labels = [shown(label) for label in _labels(findings)]
    fonts = fonts_for(labels)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = tuple(_write(findings, folder, Style(columns, fonts.families)))
    pgf = _write_pgf(findings, folder, Style(columns, fonts.families, in_tex), scripts_of(map(in_tex, labels)))
    return Written((*drawn, *pgf.files), (*fonts.sentences, *pgf.sentences))


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


def _write_pgf(findings: Findings, folder: Path, style: Style, scripts: Mapping[str, str]) -> Written:
    """With the fonts of the document that they are read into; ``preamble.tex`` is what that document needs."""
    tex = next(filter(which, _TEX), None)
    if tex is None:
        return Written((), (_NO_TEX,))
    if scripts and tex == "pdflatex":
        return Written((), (_ONLY_LATIN.format(scripts=" and ".join(scripts)),))
    fonts = fonts_for_scripts(scripts)
    preamble = folder / "preamble.tex"
    preamble.write_text(f"% What the figures need.\n\\usepackage{{pgf}}\n{fonts}", "utf-8")
    files = [preamble]
    try:
        with rc_context({**style.settings, "pgf.texsystem": tex, "pgf.rcfonts": False, "pgf.preamble": fonts}):
            for drawing in _drawings(findings, style):
                files.append(folder / f"{safe_name(drawing.name)}.pgf")
                drawing.figure.savefig(files[-1])
    except LatexError as error:
        return Written((), (_FAILED.format(tex=tex, error=str(error).partition(" while processing")[0]),))
    return Written(tuple(files), (engine_sentence(scripts),) if scripts else ())
