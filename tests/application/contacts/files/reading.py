"""Reads contact files given as text or bytes, whole or in pieces."""

from collections.abc import Iterable
from itertools import chain, pairwise

import pytest

from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow, Row, SkippedRow
from application.contacts.files.unreadable import UnreadableFile

HEADER = "name,business_name,phone\n"
ANN = "Ann,Acme,(415) 555-2671\n"
BOB = "Bob,,+14155552672\n"
MIB = 1 << 20


def read(content: bytes | str, *cuts: int, region: str = "US") -> list[Row]:
    """Read a file that arrives in pieces, cut at the byte offsets `cuts`."""
    data = content.encode() if isinstance(content, str) else content
    rows: list[Row] = []
    with ContactFile(ReadOptions(region)) as file:
        for begin, end in pairwise([0, *cuts, len(data)]):
            rows += file.feed(data[begin:end])
        return [*rows, *chain.from_iterable(file.finish())]


def results(rows: Iterable[Row]) -> list[tuple[int, str]]:
    """Return the number of each row, with its name or the reason of the skip."""
    return [
        (row.row, row.name if isinstance(row, AcceptedRow) else row.reason)
        for row in rows
    ]


def accepted(content: bytes | str) -> AcceptedRow:
    """Return the only row of a file, which must be accepted."""
    (row,) = read(content)
    assert isinstance(row, AcceptedRow)
    return row


def skipped(content: bytes | str) -> SkippedRow:
    """Return the only row of a file, which must be skipped."""
    (row,) = read(content)
    assert isinstance(row, SkippedRow)
    return row


def refusal(content: bytes | str, *cuts: int) -> str:
    """Return the message with which the whole file is refused."""
    with pytest.raises(UnreadableFile) as refused:
        read(content, *cuts)
    return refused.value.message
