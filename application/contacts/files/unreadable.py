"""Refusals of a whole contact file."""

from application.contacts.files.sheets import Sheets
from application.errors import Failure


class UnreadableFile(Failure):
    """The whole file is refused; the message says why and what to do.

    `sheets` are those of a workbook whose sheet was refused.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.sheets: Sheets | None = None


class MappingNeeded(UnreadableFile):
    """The file's phone column is not known: the user must choose it.

    `columns` are the file's, and `rows` its first five rows that are not empty.
    """

    def __init__(
        self, message: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
    ) -> None:
        super().__init__(message)
        self.columns, self.rows = columns, rows
