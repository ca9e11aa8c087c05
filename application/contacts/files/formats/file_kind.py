"""The kind of a file by its first bytes: text, a workbook, or no list at all."""

import codecs
from enum import Enum, auto

from application.contacts.files.formats.text_decoder import wide_codec
from application.contacts.files.unreadable import UnreadableFile

HEAD_BYTES = 4096
"""Bytes that are enough to recognise a kind."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00")
_CONTROL_SHARE = 0.05  # More control characters than that are no text.
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b\0")

_SAVE_AS_CSV = "Open it in the program that made it and save the list as CSV or .xlsx."
_BINARY = (
    (b"%PDF", f"This is a PDF document. {_SAVE_AS_CSV}"),
    (b"PAR1", f"This is a Parquet file. {_SAVE_AS_CSV}"),
    (b"SQLite format 3\0", f"This is a SQLite database. {_SAVE_AS_CSV}"),
    (b"{\\rtf", f"This is an RTF document. {_SAVE_AS_CSV}"),
    (b"\x1f\x8b", "This is a gzip archive: unpack it and upload the file inside."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7z archive: unpack it and upload the file."),
    (b"Rar!", "This is a RAR archive: unpack it and upload the file inside."),
    (b"\x89PNG", "This is a picture (PNG). Upload the list as CSV or .xlsx."),
    (b"\xff\xd8\xff", "This is a picture (JPEG). Upload the list as CSV or .xlsx."),
    (b"GIF8", "This is a picture (GIF). Upload the list as CSV or .xlsx."),
)
_HTML = (
    "This is a web page (HTML), even if its name ends in .xls: some programs export"
    " tables in that way. Open it in a spreadsheet program and save it as .xlsx or CSV."
)
_VCARD = (
    "This is a vCard file of contacts. Import it into your address book and export the"
    " contacts from there as CSV."
)
_XML = (
    "This is an XML file. If it is a spreadsheet (XML Spreadsheet 2003), open it in a"
    " spreadsheet program and save it as .xlsx or CSV."
)
_MARKUP = (
    (b"BEGIN:VCARD", _VCARD),
    (b"<!DOCTYPE HTML", _HTML),
    (b"<HTML", _HTML),
    (b"<TABLE", _HTML),
    (b"<HEAD", _HTML),
    (b"<BODY", _HTML),
    (b"<META", _HTML),
    (b"<STYLE", _HTML),
    (b"<DIV", _HTML),
    (b"<!--", _HTML),
    (b"<?XML", _XML),
    (b"MIME-VERSION:", _HTML),
)


class FileKind(Enum):
    TEXT = auto()
    WORKBOOK = auto()


def kind_of(head: bytes) -> FileKind:
    """Recognise a file by its first HEAD_BYTES, or all bytes if it is shorter.

    Raises:
        UnreadableFile: it is something else; the message says what, and what to do.
    """
    if head.startswith((_ZIP, _OLE, *_BIFF)):
        return FileKind.WORKBOOK
    codec = wide_codec(head)
    plain = head.removeprefix(codecs.BOM_UTF8)
    if codec:
        plain = head.decode(codec, "ignore").encode()
    for signature, message in _BINARY:
        if head.startswith(signature) or plain.startswith(signature):
            raise UnreadableFile(message)
    start = plain.lstrip().upper()
    for signature, message in _MARKUP:
        if start.startswith(signature):
            raise UnreadableFile(message)
    if _is_json(start):
        message = "This is a JSON file. Save the list as CSV or .xlsx."
        raise UnreadableFile(message)
    controls = 0 if codec else sum(byte in _CONTROLS for byte in head)
    if controls > len(head) * _CONTROL_SHARE:
        message = (
            "This is not a text file, and not a workbook that is known here (.xlsx,"
            " .xls, .ods). Save the list as CSV or .xlsx."
        )
        raise UnreadableFile(message)
    return FileKind.TEXT


def _is_json(start: bytes) -> bool:
    compact = b"".join(start[:200].split())
    return compact.startswith((b'[{"', b'{"'))
