"""A table with a row per item, from a file or from memory → its columns as arrays.

Taken are CSV (also compressed) and Parquet files, pandas and polars frames, pyarrow tables, and mappings of names to arrays.
Labels are coded as numbers, so that a million rows cost no million strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from crossgraft.analysis.external.named import check_columns, named_columns
from crossgraft.core import Floats
from crossgraft.errors import DataError, SpecError, shown
from crossgraft.safety.opening import open_bytes, open_plain

pa.enable_signal_handlers(False)  # Arrow's own handler, set while it reads CSV, loses an interruption now and then

Codes = npt.NDArray[np.int64]
EMPTY = ("", "NA", "NaN", "nan")  # how R and pandas write a missing value
_TRUTH = {"true": 1.0, "false": 0.0}
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class OutcomeColumns:
    """Where a table has what. Two columns are joined by a slash where a task and its language stand apart."""

    model: str = "model"
    treatment: str = "treatment"
    source: str = "source"
    variant: str = "variant"
    seed: str = "seed"
    target: str = "target"
    item: str = "item"
    group: str = "group"
    score: str = "score"
    chance: str = "chance"

    @classmethod
    def parse(cls, named: Iterable[str], header: Sequence[str]) -> Self:
        """From texts such as ``score=acc_norm``; what is not named has the field's own name."""
        columns = cls()
        for field, name in named_columns(named, [field.name for field in fields(cls)]):
            check_columns(field, _parts(name, header), header)
            columns = replace(columns, **{field: name})
        return columns

    def present(self, header: Sequence[str]) -> dict[str, list[str]]:
        """The fields that the table has, each with its one or two columns."""
        named = {field.name: _parts(getattr(self, field.name), header) for field in fields(self)}
        return {field: parts for field, parts in named.items() if set(parts) <= set(header)}


def _parts(name: str, header: Sequence[str]) -> list[str]:
    return [name] if name in header else name.split("/")


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of labels: for each row the number of its value, or -1 where it is empty."""

    codes: Codes
    values: tuple[str, ...]

    def __getitem__(self, code: int) -> str:
        return self.values[code] if code >= 0 else ""

    @property
    def numbers(self) -> Iterable[int]:
        """The numbers that occur, -1 among them."""
        return (int(code) for code in np.unique(self.codes))

    def row(self, code: int) -> int:
        """The first row with this value, counted from 1."""
        return int(np.argmax(self.codes == code)) + 1


def header_of(table: Any) -> list[str]:
    """The names of the columns."""
    if isinstance(table, Path):
        return _header_of_file(table)
    if isinstance(table, Mapping):
        return [name for name in table if isinstance(name, str)]
    names = table.columns if _is_frame(table) else _arrow(table).column_names
    return [name for name in names if isinstance(name, str)]


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() in _PARQUET


def columns_of(table: object, named: Iterable[str]) -> tuple[pa.Table, dict[str, list[str]], OutcomeColumns]:
    """The columns that matter, as named, which field is in which, and how the fields are called."""
    header = header_of(table)
    columns = OutcomeColumns.parse(named, header)
    present = columns.present(header)
    for field in ("item", "model", "target", "score"):
        if field not in present:
            _missing(field, getattr(columns, field), header)
    for field in ("score", "chance"):
        if len(present.get(field, ())) > 1:
            raise SpecError(f"{field}={getattr(columns, field)}: expected one column of numbers")
    if not {"treatment", "source"} & set(present):
        _missing("treatment", columns.treatment, header, " or 'source'")
    wanted = list(dict.fromkeys(part for parts in present.values() for part in parts))
    twice = [name for name in wanted if header.count(name) > 1]
    if twice:
        raise DataError(f"the column {twice[0]!r} is there twice; rename one")
    found = _read(table, wanted)
    if not found.num_rows:
        raise DataError(f"expected a row per item under the header {', '.join(header[:12])}; there is no row")
    return found, present, columns


def _missing(field: str, name: str, header: Sequence[str], other: str = "") -> None:
    two = ", or task and language with target=TASK/LANGUAGE" if field == "target" else ""
    raise DataError(
        f"expected a column {name!r}{other}; the table has {', '.join(map(str, header[:12])) or 'none'}: "
        f"name the right one with {field}=COLUMN{two}"
    )


def _header_of_file(path: Path) -> list[str]:
    try:
        if is_parquet(path):
            with open_plain(path) as stream:
                return list(pq.read_schema(stream).names)
        with open_bytes(path) as stream, pyarrow.csv.open_csv(stream, parse_options=_CSV) as reader:
            return list(reader.schema.names)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise _unreadable(path, error) from error


_CSV = pyarrow.csv.ParseOptions(newlines_in_values=True)


def _read(table: object, wanted: list[str]) -> pa.Table:
    if not isinstance(table, Path):
        return _in_memory(table, wanted)
    text = pa.dictionary(pa.int32(), pa.string())  # "007" is an item, not the number 7
    convert = pyarrow.csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, text))
    try:
        if is_parquet(table):
            with open_plain(table) as stream:
                return pq.read_table(stream, columns=wanted)
        with open_bytes(table) as stream:
            return pyarrow.csv.read_csv(stream, parse_options=_CSV, convert_options=convert)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise _unreadable(table, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    kind = "a Parquet file" if is_parquet(path) else "comma-separated values in UTF-8 with a header"
    return DataError(f"expected {kind}; {str(error).splitlines()[0]}")


def _is_frame(table: Any) -> bool:
    """Of pandas or polars, without importing either."""
    return hasattr(table, "columns") and hasattr(table, "to_numpy")


def _in_memory(table: Any, wanted: list[str]) -> pa.Table:
    """Only the columns that matter: others may hold what Arrow cannot."""
    try:
        if isinstance(table, Mapping):
            return pa.table({name: _array(table[name]) for name in wanted})
        return pa.table(table[wanted]) if _is_frame(table) else _arrow(table).select(wanted)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"expected columns of one type and one length each; {str(error).splitlines()[0]}") from error


def _array(column: Any) -> pa.Array:
    return column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column)


def _arrow(table: Any) -> pa.Table:
    if isinstance(table, pa.Table):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        return pa.table(table)
    raise DataError(
        "expected a pandas or polars frame, a pyarrow table, a mapping of names to arrays, or the path of a CSV or Parquet file; "
        f"got {type(table).__name__}"
    )


def labels(table: pa.Table, parts: Sequence[str], *, empty: Sequence[str] = EMPTY) -> Coded:
    """The labels of one column, or of two joined by a slash."""
    coded = [_coded(table[name], name, empty) for name in parts]
    if len(coded) == 1:
        return coded[0]
    both = together(*(one.codes for one in coded))
    firsts = np.unique(both, return_index=True)[1]
    words = ["/".join(one[int(one.codes[row])] for one in coded) for row in firsts]
    return _renumbered(both, words, ("/", *empty))


def _coded(column: pa.ChunkedArray, name: str, empty: Sequence[str]) -> Coded:
    try:
        if not pa.types.is_dictionary(column.type):
            column = pc.dictionary_encode(pc.cast(column, pa.string()))
        column = column.unify_dictionaries()
        values = pc.cast(column.chunk(0).dictionary, pa.string()).to_pylist()
    except (pa.ArrowException, NotImplementedError) as error:
        raise DataError(f"column {name!r}: expected text or numbers; got {column.type}") from error
    codes = [pc.fill_null(pc.cast(chunk.indices, pa.int64()), -1).to_numpy() for chunk in column.chunks]
    return _renumbered(np.concatenate(codes), values, empty)


def _renumbered(codes: Codes, values: Sequence[str | None], empty: Sequence[str]) -> Coded:
    """One number per different value, blanks at its ends removed."""
    numbers = dict.fromkeys(empty, -1)
    found: list[str] = []
    for value in values:
        word = (value or "").strip()
        if word not in numbers:
            numbers[word] = len(found)
            found.append(word)
    new = np.array([*(numbers[(value or "").strip()] for value in values), -1], dtype=np.int64)
    return Coded(new[codes], tuple(found))


def together(*codes: Codes) -> Codes:
    """One number for each different combination."""
    key = np.zeros(len(codes[0]), dtype=np.int64)
    for code in codes:
        key = np.unique(key * (code.max() + 2) + code + 1, return_inverse=True)[1].astype(np.int64)
    return key


def shares(table: pa.Table, name: str) -> Floats:
    """Numbers from 0 to 1, or true and false; NaN where the field is empty."""
    column = table[name]
    if pa.types.is_boolean(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    else:
        coded = _coded(column, name, EMPTY)
        values = np.array([*(_number(one, name, coded, code) for code, one in enumerate(coded.values)), np.nan])
        values = values[coded.codes]
    wrong = ~np.isnan(values) & ~((values >= 0) & (values <= 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"row {row + 1}, {name}: expected a score from 0 to 1; got {values[row]:g}: divide percentages by 100, and keep scores "
            "that are no shares out"
        )
    return values


def _number(text: str, name: str, coded: Coded, code: int) -> float:
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    try:
        return float(text)
    except ValueError:
        raise DataError(f"row {coded.row(code)}, {name}: expected a number from 0 to 1; got {shown(text)}") from None
