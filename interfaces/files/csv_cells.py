"""CSV without formulas, so that spreadsheets do not execute cells."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from application.contacts.files.spreadsheet_text import protected


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as CSV text (RFC 4180), with harmless cells."""
    text = StringIO()
    csv.writer(text).writerows([protected(str(cell)) for cell in row] for row in rows)
    return text.getvalue()
