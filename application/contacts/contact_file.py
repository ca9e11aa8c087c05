"""A contact file, read as it arrives: each row is accepted or skipped with a reason.

The result does not depend on where the file is cut into chunks. `text_decoder` decodes,
`csv_records` cuts lines and records, `contact_rows` reads the header and the rows.
"""

from application.contacts.contact_rows import (
    Row,
    RowReader,
    UnreadableFile,
    find_header,
)
from application.contacts.csv_records import LineCutter, RecordCutter
from application.contacts.phone_numbers import phone_reader
from application.contacts.text_decoder import TextDecoder


class ContactFile:
    """Reads one file: pass its bytes to `feed` in order, then call `finish`.

    Both raise UnreadableFile, after which the object must not be used.
    """

    def __init__(self, default_region: str, *, any_kind: bool = False) -> None:
        """Read numbers without `+` in that region.

        `any_kind` accepts premium-rate, shared-cost, pager, satellite and universal
        access numbers too.
        """
        self._text = TextDecoder()
        self._lines = LineCutter()
        self._header: list[str] = []
        self._records: RecordCutter | None = None
        self._rows: RowReader | None = None
        self._read_phone = phone_reader(default_region, any_kind=any_kind)

    @property
    def columns(self) -> tuple[str, ...]:
        """The header's names, trimmed, once it has been read; until then nothing."""
        return self._rows.columns if self._rows else ()

    def feed(self, chunk: bytes) -> list[Row]:
        """Return the rows that are complete with this chunk."""
        return self._read(chunk, final=False)

    def finish(self) -> list[Row]:
        """Return the last rows."""
        rows = self._read(b"", final=True)
        if self._rows is None:
            raise UnreadableFile("The file is empty: it has no header row.")
        if self._rows.count == 0:
            raise UnreadableFile("The file has a header but no row below it.")
        return rows

    def _read(self, chunk: bytes, *, final: bool) -> list[Row]:
        lines = self._lines.cut(self._decoded(chunk, final=final), final=final)
        if self._rows is None:
            self._header += lines
            lines = self._read_header(final=final)
        if self._rows is None or self._records is None or not (lines or final):
            return []
        return self._rows.judge(self._records.cut(lines, final=final))

    def _decoded(self, chunk: bytes, *, final: bool) -> str:
        try:
            return self._text.decode(chunk, final=final)
        except UnicodeDecodeError as error:
            seen = self._rows.number if self._rows else 0
            raise UnreadableFile(
                f"The file cannot be decoded as {error.encoding} somewhere after row"
                f" {seen}. Save it as UTF-8 (or Windows-1252) throughout."
            ) from error

    def _read_header(self, *, final: bool) -> list[str]:
        """Read the header if it is complete; return the lines below it."""
        found = find_header(self._header, final=final)
        if found is None:
            return []
        self._rows = RowReader(found.cells, self._read_phone)
        self._records = RecordCutter(found.delimiter)
        below, self._header = self._header[found.height :], []
        return below
