"""Rows as CSV that a spreadsheet opens and does not run."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PHONE = re.compile(r"\+[0-9]{6,15}")


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    text = StringIO()
    csv.writer(text).writerows([harmless(str(cell)) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str) -> str:
    """Keep spreadsheets from running the cell, and telephone numbers as they are."""
    if cell.startswith(_FORMULA) and not _PHONE.fullmatch(cell):
        return f"'{cell}"
    return cell
