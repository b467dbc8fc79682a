r"""Text for TeX: escaped, with stretches in other scripts than Latin in ``\inscript``; and the preamble that gives each script a font."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from crossgraft.report.scripts import CJK, LATIN, region, right_to_left, script, stretches
from crossgraft.safety.escaping import in_latex

# The families that are looked for, in this order; {} is the script.
_USUAL = ("Noto Serif {}", "Noto Sans {}", "FreeSerif")
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "Cyrillic": ("CMU Serif", "Noto Serif", "FreeSerif", "DejaVu Serif"),
    "Greek": ("CMU Serif", "Noto Serif", "FreeSerif", "DejaVu Serif"),
    "Arabic": ("Noto Naskh Arabic", "Amiri", "Noto Sans Arabic", "DejaVu Sans"),
    "Hebrew": (*_USUAL, "DejaVu Sans"),
    "Armenian": (*_USUAL, "DejaVu Serif"),
    "Georgian": (*_USUAL, "DejaVu Serif"),
    "Symbols": ("Noto Sans Symbols 2", "Noto Sans Math", "DejaVu Sans"),
}
_HAN = {
    "SC": ("Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "FandolSong"),
    "JP": ("Noto Serif CJK JP", "Noto Sans CJK JP", "Source Han Serif", "IPAexMincho", "HaranoAjiMincho"),
    "KR": ("Noto Serif CJK KR", "Noto Sans CJK KR", "Source Han Serif K", "UnBatang"),
}
_SHAPED = {"Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Kannada", "Malayalam", "Gujarati", "Gurmukhi", "Sinhala", "Thai",
           "Lao", "Khmer", "Tibetan", "Georgian", "Armenian", "Ethiopic"}  # fmt: skip
_FOR_SCRIPTS = r"""\usepackage{iftex}
\ifPDFTeX  % has no such fonts: Cyrillic and Greek need T2A and LGR of fontenc; for other scripts take XeLaTeX or LuaLaTeX
  \providecommand{\inscript}[2]{#2}
  \providecommand{\fontforscript}[3]{}
  \providecommand{\righttoleft}[1]{#1}
\else
  \usepackage{fontspec}
  \makeatletter
  \providecommand{\fontforscript}[3]{% script, features, families: the first that is installed
    \@for\crossgraftfamily:=#3\do{\@ifundefined{fontfor#1}{\IfFontExistsTF{\crossgraftfamily}{%
      \expandafter\newfontfamily\csname fontfor#1\expandafter\endcsname\expandafter{\crossgraftfamily}[#2]}{}}{}}%
    \@ifundefined{fontfor#1}{\PackageWarning{crossgraft}{none of the fonts #3 is installed: names in #1 are not printed}}{}}
  \makeatother
  \DeclareRobustCommand{\inscript}[2]{{\ifcsname fontfor#1\endcsname\csname fontfor#1\endcsname\fi #2}}
  \ifXeTeX
    \TeXXeTstate=1
    \DeclareRobustCommand{\righttoleft}[1]{\beginR #1\endR}
  \else
    \DeclareRobustCommand{\righttoleft}[1]{{\textdir TRT #1}}
  \fi
\fi
"""


def in_tex(text: str) -> str:
    r"""The text in one cell of a table or one label of a figure.

    >>> print(in_tex("50% Русский"))
    50\% \inscript{Cyrillic}{Русский}
    """
    return "".join(_in_script(*stretch) for stretch in stretches(in_latex(unicodedata.normalize("NFC", text))))


def _in_script(name: str, escaped: str) -> str:
    if name == LATIN:
        return escaped
    inside = rf"\inscript{{{name}}}{{{escaped}}}"
    return rf"\righttoleft{{{inside}}}" if right_to_left(escaped) else inside


def scripts_of(texts: Iterable[str]) -> dict[str, str]:
    """The scripts other than Latin that texts have, with the letters of each."""
    letters = sorted(set().union(*texts))
    names = sorted({script(letter) for letter in letters} - {LATIN})
    return {name: "".join(letter for letter in letters if script(letter) == name) for name in names}


def fonts_for_scripts(scripts: Mapping[str, str]) -> str:
    """The part of a preamble that finds fonts for these scripts; empty where all is Latin."""
    if not scripts:
        return ""
    return _FOR_SCRIPTS + "".join(_font(name, letters) for name, letters in scripts.items())


def engine_sentence(scripts: Mapping[str, str]) -> str:
    """What TeX has to be, where not all is Latin."""
    return f"Names have letters of {' and '.join(scripts)}: compile with XeLaTeX or LuaLaTeX." if scripts else ""


def _font(name: str, letters: str) -> str:
    families = _HAN[region(letters)] if name == CJK else _FAMILIES.get(name, _USUAL)
    features = f"Script={name}" if name in _SHAPED else ""
    return rf"\fontforscript{{{name}}}{{{features}}}{{{','.join(family.format(name) for family in families)}}}" + "\n"
