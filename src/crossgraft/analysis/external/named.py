"""``FIELD=COLUMN``: how the user says which column of a table holds what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crossgraft.errors import SpecError, did_you_mean


def named_columns(named: Iterable[str], fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The field and the column of each text such as ``score=acc_norm``."""
    for text in named:
        field, equals, column = text.partition("=")
        if not (field and equals and column):
            raise SpecError(f"expected FIELD=COLUMN, such as score=acc_norm; got {text!r}")
        if field not in fields:
            raise SpecError(f"the table has no field {field!r}{did_you_mean(field, fields)}")
        yield field, column


def check_columns(field: str, columns: Sequence[str], header: Sequence[str]) -> None:
    """All of them are in the header."""
    for column in columns:
        if column not in header:
            raise SpecError(
                f"{field}={'/'.join(columns)}: the table has no column {column!r}{did_you_mean(column, header)}"
            )
