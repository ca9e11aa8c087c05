"""Skipped rows of a contact file: how much of them is kept, and when to refuse a file.

A short line of rubbish costs some 200 bytes of database, a hundred times its own size.
The text of the first rejects is enough to repair a file, so only theirs is kept; the
others are counted by reason. A file that is mostly rejects is refused while it arrives.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import orjson

from application.contacts.files.contact_rows import SkippedRow
from application.contacts.files.unreadable import UnreadableFile
from domain.values import SkipReason

KEPT_REJECTS = 100_000
"""Rejects of one file whose text is kept."""

KEPT_BYTES = 64 << 20
"""Bytes of text, as JSON, that are kept of one file's rejects together."""

KEPT_CHARACTERS = 4_000
"""Characters that are kept of one reject's cells; each cell counts one more."""

MALFORMED_ROWS = 1_000
UNFIT_ROWS = 100_000
"""A file is judged each time that it has so many more malformed, or unfit, rows."""

MOST_UNFIT_PERCENT = 90

_UNFIT = frozenset(SkipReason) - {
    SkipReason.DUPLICATE_IN_FILE,
    SkipReason.DUPLICATE_IN_CAMPAIGN,
    SkipReason.ERASED,
}
"""Reasons that make a row useless by itself, whatever other rows hold."""

_NUMBER_AT_THE_END = re.compile(r"[\d+().\s/-]+\Z")


class RejectTally:
    """Counts one file's skipped rows; decides what is kept of each."""

    def __init__(self) -> None:
        self.skipped = 0
        self._kept = self._kept_bytes = 0
        self._not_kept: Counter[SkipReason] = Counter()
        self._malformed = self._unfit = 0
        self._first_malformed: SkippedRow | None = None
        self._first_unfit: SkippedRow | None = None

    @property
    def not_kept(self) -> Mapping[SkipReason, int]:
        """Rows whose text is not kept, by reason."""
        return self._not_kept

    def add(self, row: SkippedRow, accepted: int) -> SkippedRow | None:
        """Count a row; return what to keep of it, or None once enough is kept.

        `accepted` is the number of rows accepted so far.

        Raises:
            UnreadableFile: more than MOST_UNFIT_PERCENT of the rows so far are
                malformed, or unfit to be called.
        """
        self.skipped += 1
        self._judge(row, accepted + self.skipped)
        if self._kept < KEPT_REJECTS and self._kept_bytes < KEPT_BYTES:
            row = shortened(row)
            self._kept += 1
            self._kept_bytes += len(orjson.dumps(row.cells))
            return row
        self._not_kept[row.reason] += 1
        return None

    def _judge(self, row: SkippedRow, rows: int) -> None:
        if row.reason is SkipReason.MALFORMED_ROW:
            self._malformed += 1
            self._first_malformed = self._first_malformed or row
            if _mostly(self._malformed, MALFORMED_ROWS, rows):
                raise UnreadableFile(
                    f"{self._malformed:,} of the first {rows:,} rows do not fit the"
                    f" header{_example(self._first_malformed)}. This looks like"
                    " another kind of file, or one with several separators. Save it"
                    " as CSV with the same columns in each row, and upload it again."
                )
        if row.reason in _UNFIT:
            self._unfit += 1
            self._first_unfit = self._first_unfit or row
            if _mostly(self._unfit, UNFIT_ROWS, rows):
                raise UnreadableFile(
                    f"{self._unfit:,} of the first {rows:,} rows cannot be called"
                    f"{_example(self._first_unfit)}. This looks like the wrong phone"
                    " column or the wrong default region. Correct that, or delete"
                    " these rows, and upload the file again."
                )


def _mostly(count: int, step: int, rows: int) -> bool:
    return count % step == 0 and count * 100 > rows * MOST_UNFIT_PERCENT


def _example(row: SkippedRow | None) -> str:
    return f" (for example row {row.row}: {row.message.rstrip('.')})" if row else ""


def shortened(row: SkippedRow) -> SkippedRow:
    """Cut the cells to KEPT_CHARACTERS, with a note in the message.

    A phone number at the cut is omitted, because an erasure could not find part of one.
    """
    room, cells = KEPT_CHARACTERS, []
    for cell in row.cells:
        room -= len(cell) + 1
        if room < 0:
            part = cell[: max(len(cell) + 1 + room, 0)]
            cells.append(_NUMBER_AT_THE_END.sub("", part))
            break
        cells.append(cell)
    else:
        return row
    note = f"Only the first {KEPT_CHARACTERS:,} characters of the row are kept."
    return replace(row, cells=tuple(cells), message=f"{row.message} {note}".strip())
