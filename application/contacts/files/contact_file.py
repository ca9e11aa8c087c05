"""A contact file, read as it arrives: each row is accepted or skipped with a reason.

The result does not depend on where the file is cut into chunks. `formats` turns bytes
into records (text and workbooks), `table_start` finds the header, `contact_rows` reads
the rows, `findings` is what was understood of the file as a whole.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, Protocol, Self

from application.contacts.files.columns import Columns, Overrides
from application.contacts.files.contact_rows import Row, RowReader
from application.contacts.files.findings import Findings, NumberCount, region_warning
from application.contacts.files.formats.csv_records import LineCutter, RecordCutter
from application.contacts.files.formats.file_kind import HEAD_BYTES, FileKind, kind_of
from application.contacts.files.formats.spool import temporary_file
from application.contacts.files.formats.text_decoder import TextDecoder
from application.contacts.files.missing_values import MissingCount
from application.contacts.files.row_checks import RowChecks
from application.contacts.files.sheets import Sheets
from application.contacts.files.spreadsheet_text import may_be_protected
from application.contacts.files.table_start import HeadLines, find_table
from application.contacts.files.unreadable import UnreadableFile
from application.contacts.phone_numbers import phone_reader


class OpenSheet(Protocol):
    """A sheet of a workbook, as CSV in UTF-8 with commas."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know about the choice of the sheet."""

    @property
    def sheets(self) -> Sheets | None:
        """The workbook's sheets; None until the first piece was read."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield the sheet's CSV in pieces.

        Raises UnreadableFile if the workbook turns out to be damaged or too large.
        """


type OpenWorkbook = Callable[[BinaryIO, str | None], AbstractContextManager[OpenSheet]]
"""Opens a sheet of the workbook in a file: the named one, or the first with rows.

Raises UnreadableFile if there is no such sheet, or the file cannot be read.
"""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is to be read.

    Numbers without `+` are read in `default_region`. `any_kind` accepts premium-rate,
    shared-cost, pager, satellite and universal access numbers too. `overrides` are the
    roles of columns that the user chose, `sheet` the workbook's sheet.
    """

    default_region: str
    any_kind: bool = False
    overrides: Overrides | None = None
    sheet: str | None = None


class ContactFile:
    """Reads one file: pass its bytes to `feed` in order, then iterate `finish`.

    Both raise UnreadableFile, after which the object must not be used. It is a context
    manager, because it may hold a temporary file.
    """

    def __init__(
        self, options: ReadOptions, open_workbook: OpenWorkbook | None = None
    ) -> None:
        """Without `open_workbook`, workbooks are refused."""
        self._options, self._open_workbook = options, open_workbook
        self._kind: FileKind | None = None
        self._start = bytearray()
        self._workbook: BinaryIO | None = None
        self._text = TextDecoder()
        self._table = _Table(options)
        self._warnings: list[str] = []
        self._sheets: Sheets | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()
        if self._workbook is not None:
            self._workbook.close()

    def feed(self, chunk: bytes) -> list[Row]:
        """Return the rows that are complete with this chunk."""
        if self._kind is None:
            self._start += chunk
            if len(self._start) < HEAD_BYTES:
                return []
            chunk = self._recognise()
        if self._workbook is not None:
            self._workbook.write(chunk)
            return []
        return self._table.read(self._text.feed(chunk), final=False)

    def finish(self) -> Iterator[list[Row]]:
        """Yield the last rows, in batches."""
        try:
            yield from self._last_rows()
        except UnreadableFile as error:
            error.sheets = self._sheets
            raise

    def findings(self) -> Findings:
        """Return what was understood of the file, once it has been read."""
        return replace(self._table.findings(self._warnings), sheets=self._sheets)

    def _last_rows(self) -> Iterator[list[Row]]:
        if self._kind is None:
            yield self.feed(self._recognise())
        if self._workbook is not None:
            yield from self._sheet_rows(self._workbook)
        else:
            for text in self._text.finish():
                yield self._table.read(text, final=False)
            self._warnings += self._text.warnings
        yield self._table.read("", final=True)
        self._table.check_end()

    def _recognise(self) -> bytes:
        """Decide on the file's kind; return the bytes that were held back for it."""
        start = bytes(self._start)
        self._kind, self._start = kind_of(start[:HEAD_BYTES]), bytearray()
        if self._kind is FileKind.WORKBOOK:
            if self._open_workbook is None:
                raise UnreadableFile("This is a workbook: save it as CSV.")
            self._workbook = temporary_file()
        return start

    def _sheet_rows(self, workbook: BinaryIO) -> Iterator[list[Row]]:
        assert self._open_workbook is not None
        workbook.seek(0)
        self._table.delimiter = ","
        decoder = TextDecoder()
        with self._open_workbook(workbook, self._options.sheet) as sheet:
            for piece in sheet:
                self._sheets = sheet.sheets
                yield self._table.read(decoder.feed(piece), final=False)
            for text in decoder.finish():
                yield self._table.read(text, final=False)
            self._warnings += sheet.warnings


class _Table:
    """Reads the text of a table: first its start, then its rows."""

    def __init__(self, options: ReadOptions) -> None:
        self.delimiter: str | None = None
        """The separator, if it is known before the file is read."""
        self._options = options
        self._read_phone = phone_reader(
            options.default_region, any_kind=options.any_kind
        )
        self._lines, self._head = LineCutter(), HeadLines()
        self._columns = Columns((), ())
        self._records: RecordCutter | None = None
        self._rows: RowReader | None = None
        self._records_above = 0
        self._checks: RowChecks | None = None
        self._numbers, self._missing = NumberCount(), MissingCount()

    def read(self, text: str, *, final: bool) -> list[Row]:
        """Return the rows that are complete with this text."""
        lines = self._lines.cut(text, final=final)
        if self._rows is None:
            found = self._head.add(lines, final=final)
            if found is None:
                return []
            lines = self._read_start(found)
        if self._rows is None or self._records is None or not (lines or final):
            return []
        if not self._rows.unprotect:
            self._rows.unprotect = may_be_protected("".join(lines))
        records = self._records.cut(lines, final=final)
        while self._records_above and next(records, None) is not None:
            self._records_above -= 1
        rows = self._rows.judge(records)
        if final:
            rows += self._rows.finish()
        self._numbers.add(rows)
        self._missing.add(rows)
        return rows

    def check_end(self) -> None:
        """Raise UnreadableFile if the file had no row."""
        if self._rows is None:
            raise UnreadableFile("The file is empty: it has no header row.")
        if self._rows.count == 0:
            raise UnreadableFile("The file has a header but no row below it.")

    def findings(self, warnings: list[str]) -> Findings:
        assert self._rows is not None
        region = region_warning(self._options.default_region, self._rows.national)
        checks = self._checks.warning if self._checks else None
        others = [self._rows.footers.warning, region, checks]
        return Findings(
            columns=self._columns.names,
            roles=self._columns.roles,
            countries=self._numbers.by_country(),
            kinds=self._numbers.by_kind(),
            missing=self._missing.found(),
            warnings=(*self._columns.notes, *warnings, *filter(None, others)),
        )

    def _read_start(self, lines: list[str]) -> list[str]:
        """Find the header; return all lines but a `sep=` line."""
        start = find_table(
            lines,
            overrides=self._options.overrides or {},
            read_phone=self._read_phone,
            delimiter=self.delimiter,
        )
        self._columns, self._records_above = start.columns, start.header_row
        self._missing = MissingCount(start.columns.roles)
        self._records = RecordCutter(start.delimiter, skip_space=start.skip_space)
        self._checks = RowChecks(
            start.columns, partial(phone_reader, any_kind=self._options.any_kind)
        )
        self._rows = RowReader(
            start.columns,
            self._read_phone,
            header_row=start.header_row,
            own_columns=start.own_columns,
            delimiter=start.delimiter,
            checks=self._checks if self._checks.applies else None,
        )
        return lines[start.skipped_lines :]
