"""A CSV of scores → a transfer matrix: a line a cell, or a column a target, or the table that the paper's authors released.

Scores are shares from 0 to 1. A line a cell has the columns ``model``, ``source``, ``target``, ``score`` and ``base``; those of
other names are named (``source=train_task/train_language`` puts two columns together). A column a target has a name such as
``xnli/sw``. Without a column ``base`` the lines whose source is empty, or "base", are the base.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

from crossgraft.analysis.external.named import check_columns, named_columns
from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.core import Labels, Point, Treatment
from crossgraft.errors import CrossgraftError, DataError, SpecError, shown
from crossgraft.safety.opening import open_plain
from crossgraft.transfer.matrix import Gap, TransferMatrix

Line = tuple[int, Mapping[str, str]]

_MOST = 1e15  # of any number in a table: more would not be exact
_MOST_SEEDS = 10_000
_LONGEST_NAME, _LONGEST_MESSAGE = 60, 500  # characters; a column may have a name of thousands
_MOST_SD = 1_000.0  # percentage points; changes lie between -100 and 100


@dataclass(frozen=True)
class Columns:
    """Where a table has what: names of columns, two of them joined by a slash where a task and its language stand apart."""

    model: str = "model"
    source: str = "source"
    target: str = "target"
    score: str = "score"
    base: str = "base"
    seed: str = "seed"
    change: str = "change"  # percentage points
    sd: str = "sd"  # of the change between seeds
    seeds: str = "seeds"  # how many a line is the mean of
    items: str = "n"  # how many items a score is from; or a number, which then holds for all
    billions: str = "billions"
    family: str = "family"
    regime: str = "regime"  # checked where it is there

    @classmethod
    def parse(cls, named: Iterable[str], header: Sequence[str]) -> Self:
        """From texts such as ``score=acc_norm``; what is not named is as in the released table if it is that one."""
        columns = cls(**RELEASED) if set(_names(RELEASED.values())) <= set(header) else cls()
        for field, name in named_columns(named, [field.name for field in fields(cls)]):
            if not (field == "items" and name.isdecimal()):
                check_columns(field, [*_names([name])], header)
            columns = replace(columns, **{field: name})
        return columns


RELEASED = {  # kdymkiewicz/Donors-and-Recipients, results/transfer_results.csv, and its headline score
    "model": "model_name",
    "source": "fine_tuned_dataset/fine_tuned_language",
    "target": "eval_dataset/eval_language",
    "score": "score_norm_mean",
    "base": "score_norm_base_mean",
    "change": "delta_score_norm_mean",
    "sd": "delta_score_norm_std",
    "seeds": "n_seeds",
    "billions": "model_size",
}


def read_table(path: Path, named: Iterable[str] = ()) -> TransferMatrix:
    """The matrix of a table; ``named`` are texts FIELD=COLUMN."""
    header, lines = _lines(path)
    columns = Columns.parse(named, header)
    for field, name in (("model", columns.model), ("source", columns.source)):
        _require(path, header, field, name)
    long = all(part in header for part in _names([columns.target]))
    wide = [] if long else [name for name in header if _is_point(name)]
    if not long and not wide:
        _require(path, header, "target", columns.target)
    try:
        entries = list(_long(lines, columns, header, path) if long else _wide(lines, columns, wide))
        rows, gaps = _with_base(entries, path)
        return matrix_of_scores(rows, columns.score, gaps, _labels(lines, columns))
    except CrossgraftError as error:
        raise DataError(f"{path}: {str(error)[:_LONGEST_MESSAGE]}") from error


def _lines(path: Path) -> tuple[list[str], list[Line]]:
    try:
        with open_plain(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            header = list(reader.fieldnames or ())
            lines: list[Line] = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected a table of comma-separated values in UTF-8; {error}") from error
    if not lines:
        raise DataError(f"{path}: expected a header and a line a score; there is {'no line' if header else 'nothing'}")
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(f"{path}: the column {shown(twice[0])} is there twice; rename one")
    short = next((number for number, row in lines if None in row or None in row.values()), None)
    if short:
        raise DataError(f"{path}, line {short}: expected {len(header)} values, as in the header; it has more or fewer")
    return header, lines


def _require(path: Path, header: Sequence[str], field: str, name: str) -> None:
    for part in _names([name]):
        if part not in header:
            if len(header) == 1:
                raise DataError(f"{path}: expected columns with commas between them; it has one, {shown(header[0])}")
            more = ", or columns called task/language, such as xnli/sw" if field == "target" else ""
            raise DataError(
                f"{path}: expected a column {part!r}{more}; it has {', '.join(name[:_LONGEST_NAME] for name in header[:12])}: name the right one with {field}=COLUMN"
            )


@dataclass(frozen=True)
class _Entry:
    """A score as it stands in the table; without a source it is the base's."""

    line: int
    model: str
    source: Point | None
    target: Point
    score: float | None
    base: float | None = None
    change: float | None = None
    sd: float | None = None
    seeds: int = 1
    seed: int | None = None
    items: int = 0


def _long(lines: Sequence[Line], columns: Columns, header: Sequence[str], path: Path) -> Iterator[_Entry]:
    _require(path, header, "score", columns.score)
    for number, row in lines:
        source, target = _source(row, columns, number), _point(row, columns.target, number)
        _same_regime(row, columns, source, target, number)
        seed = _whole(row, columns.seed, number)
        yield _Entry(
            number,
            _model(row, columns, number),
            source,
            target,
            _score(row, columns.score, number),
            _score(row, columns.base, number),
            _number(row, columns.change, number),
            _number(row, columns.sd, number, least=0, most=_MOST_SD),
            _whole(row, columns.seeds, number, least=1, most=_MOST_SEEDS) or 1,
            seed,
            _items(row, columns, number),
        )


def _wide(lines: Sequence[Line], columns: Columns, targets: Sequence[str]) -> Iterator[_Entry]:
    for number, row in lines:
        source = _source(row, columns, number)
        seed = _whole(row, columns.seed, number)
        for name in targets:
            score = _score(row, name, number)
            yield _Entry(
                number,
                _model(row, columns, number),
                source,
                Point.parse(name),
                score,
                seed=seed,
                items=_items(row, columns, number),
            )


def _with_base(entries: Sequence[_Entry], path: Path) -> tuple[list[ScoreRow], list[Gap]]:
    """Every treatment's score beside its base: of the same line, of the same seed, or else the only one there is."""
    bases: dict[tuple[str, Point, int | None], float] = {}
    for entry in entries:
        if entry.source is None and entry.score is not None:
            if (entry.model, entry.target, entry.seed) in bases:
                raise DataError(f"line {entry.line}: a second base of {entry.model} on {entry.target}; remove one")
            bases[entry.model, entry.target, entry.seed] = entry.score
    rows, gaps = [], []
    for entry in entries:
        if entry.source is None:
            continue
        base = entry.base
        if base is None:
            base = bases.get((entry.model, entry.target, entry.seed), bases.get((entry.model, entry.target, None)))
        missing = "no score" if entry.score is None else "no base to compare with" if base is None else ""
        if entry.score is None or base is None:
            treatment = Treatment(entry.model, str(entry.source), "trained", entry.source, (), entry.seed)
            gaps.append(Gap(treatment, entry.target, "missing", f"{missing} in {path.name}"))
            continue
        rows.append(
            ScoreRow(
                entry.line,
                entry.model,
                entry.source,
                entry.target,
                base,
                entry.score,
                entry.change,
                entry.sd,
                entry.seeds,
                entry.seed,
                entry.items,
            )
        )
    if not rows:
        raise DataError(
            "expected the scores of the base, in a column (base=COLUMN) or in lines whose source is empty; the table has neither"
        )
    return rows, gaps


def _source(row: Mapping[str, str], columns: Columns, line: int) -> Point | None:
    text = _text(row, columns.source)
    return None if text.strip("/ ") in ("", "base") else _point(row, columns.source, line)


def _point(row: Mapping[str, str], name: str, line: int) -> Point:
    try:
        return Point.parse(_text(row, name))
    except SpecError as error:
        raise DataError(f"line {line}, {name}: {error}") from error


def _text(row: Mapping[str, str], name: str) -> str:
    return "/".join(row[part].strip() for part in _names([name]))


def _score(row: Mapping[str, str], name: str, line: int) -> float | None:
    value = _number(row, name, line)
    if value is not None and not 0 <= value <= 1:
        raise DataError(
            f"line {line}, {name}: expected a share from 0 to 1; got {value:g}: divide percentages by 100, and keep scores that are no shares out"
        )
    return value


def _number(
    row: Mapping[str, str], name: str, line: int, *, least: float = -_MOST, most: float = _MOST
) -> float | None:
    """A number, or nothing where the column or the value is not there."""
    text = (row.get(name) or "").strip()
    if text.lower() in ("", "nan", "na"):
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:  # also where it is not a number
        more = "" if least == -_MOST and most == _MOST else f" from {least:g} to {most:g}"
        raise DataError(f"line {line}, {name}: expected a number{more}; got {shown(text)}")
    return value


def _whole(row: Mapping[str, str], name: str, line: int, *, least: float = -_MOST, most: float = _MOST) -> int | None:
    value = _number(row, name, line, least=least, most=most)
    if value is not None and value != int(value):
        raise DataError(f"line {line}, {name}: expected a whole number; got {value:g}")
    return None if value is None else int(value)


def _items(row: Mapping[str, str], columns: Columns, line: int) -> int:
    """As the column says, or the same number for all lines; 0 where it is not known."""
    if columns.items.isdecimal() and columns.items not in row:
        return int(columns.items)
    return _whole(row, columns.items, line, least=1) or 0


def _model(row: Mapping[str, str], columns: Columns, line: int) -> str:
    name = row[columns.model].strip()
    if not name:
        raise DataError(f"line {line}, {columns.model}: expected the name of a model; it is empty")
    return name


def _same_regime(row: Mapping[str, str], columns: Columns, source: Point | None, target: Point, line: int) -> None:
    stated = (row.get(columns.regime) or "").strip()
    if stated and source and stated != source.regime(target):
        raise DataError(
            f"line {line}: {source} on {target} is {source.regime(target)}; the table calls it {shown(stated)}: one of the three is wrong"
        )


def _labels(lines: Sequence[Line], columns: Columns) -> Labels:
    sizes = {row[columns.model].strip(): _number(row, columns.billions, number, least=0) for number, row in lines}
    families = {row[columns.model].strip(): _family(row, columns) for _, row in lines}
    return Labels(
        family={model: family for model, family in families.items() if family},
        billions={model: size for model, size in sizes.items() if size is not None},
    )


def _family(row: Mapping[str, str], columns: Columns) -> str:
    """As its column says; the released table has none, but its models are called by it (``Llama-3.2-1B-Instruct``)."""
    if columns.family in row or columns.model != RELEASED["model"]:
        return (row.get(columns.family) or "").strip()
    return re.match("[A-Za-z]*", row[columns.model].strip())[0]  # type: ignore[index]  # it always matches


def _is_point(name: str) -> bool:
    try:
        Point.parse(name)
    except SpecError:
        return False
    return True


def _names(columns: Iterable[str]) -> list[str]:
    return [part for name in columns for part in name.split("/")]
