"""The encodings of contact files, found from their first bytes or later ones."""

import pytest

from application.contacts.files.contact_rows import AcceptedRow, SkippedRow
from domain.values import SkipReason
from tests.application.contacts.files.reading import (
    BOB,
    HEADER,
    MIB,
    accepted,
    read,
    results,
)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_every_encoding_is_read(encoding: str) -> None:
    text = f"{HEADER}José Ñandú,Café €,4155552671\n"
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    row = accepted(mark + text.encode(encoding))
    assert (row.name, row.business_name) == ("José Ñandú", "Café €")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_without_its_byte_order_mark(encoding: str) -> None:
    text = f"{HEADER}José,Ромашка,4155552671\n"
    row = accepted(text.encode(encoding))
    assert (row.name, row.business_name) == ("José", "Ромашка")


def test_a_late_windows_1252_byte_is_read_where_all_before_was_ascii() -> None:
    row = f"Ann,{'x' * 1000},x\n"
    many = row * (2 * MIB // len(row))
    rows = read((HEADER + many + "José,,4155552671\n").encode("cp1252"), 1000)
    last = rows[-1]
    assert isinstance(last, AcceptedRow)
    assert last.name == "José"


@pytest.mark.parametrize("chunk", [7, MIB])
@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "name", ["O\u2019Brien", "\u201cThe Pub\u201d \u2013 Cork", "L\u2019Oréal", "João"]
)
def test_a_code_page_is_guessed_from_whole_lines(
    name: str, encoding: str, chunk: int
) -> None:
    """An apostrophe is recognised by the letters before it, which are plain ASCII."""
    [row] = read(f"{HEADER}{name},,4155552671\n".encode(encoding), chunk)
    assert isinstance(row, AcceptedRow)
    assert row.name == name


@pytest.mark.parametrize("count", [1, 3000])
def test_rows_in_another_encoding_than_utf_8_are_malformed(count: int) -> None:
    """Whether the other bytes come within the first MiB or after it."""
    many = "".join(f"José,{'x' * 400},x\n" for _ in range(count))
    content = (HEADER + many).encode() + b"Jos\xe9,,4155552671\n" + BOB.encode()
    *_, jose, bob = read(content)
    assert isinstance(jose, SkippedRow)
    assert (jose.row, jose.reason) == (count + 2, SkipReason.MALFORMED_ROW)
    assert jose.cells == ("Jos\N{REPLACEMENT CHARACTER}", "", "4155552671")
    assert "UTF-8" in jose.message
    assert results([bob]) == [(count + 3, "Bob")]


def test_rows_of_utf_8_in_a_file_in_a_code_page_are_malformed() -> None:
    names = [b"Jos\xe9", b"Zo\xeb", "José".encode(), b"Ren\xe9e"]
    rows = b"".join(
        name + f",,41555526{n:02}\n".encode() for n, name in enumerate(names)
    )
    found = read(HEADER.encode() + rows)
    assert results(found) == [
        (2, "José"),
        (3, "Zoë"),
        (4, "MALFORMED_ROW"),
        (5, "Renée"),
    ]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b"\xef\xbb\xbf" + HEADER.encode() + b"Jos\xe9,,1\n", 2),
        (b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\x00", 2),
        (b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\x00\xd8\x0a\x00", 2),
    ],
)
def test_a_row_that_cannot_be_decoded_is_malformed(content: bytes, row: int) -> None:
    assert results(read(content)) == [(row, "MALFORMED_ROW")]
