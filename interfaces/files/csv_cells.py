"""CSV without formulas, so that spreadsheets do not execute cells."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PHONE = re.compile(r"\+[0-9]{6,15}")


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as CSV text (RFC 4180), with harmless cells."""
    text = StringIO()
    csv.writer(text).writerows([harmless(str(cell)) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str) -> str:
    """Quote a cell that a spreadsheet would execute; phone numbers stay unchanged."""
    if cell.startswith(_FORMULA) and not _PHONE.fullmatch(cell):
        return f"'{cell}"
    return cell
