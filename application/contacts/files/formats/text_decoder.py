"""Decoding of a contact file: bytes to text, whatever the chunks.

A byte order mark decides (UTF-8, UTF-16 or UTF-32), or NUL bytes in every second place
(UTF-16). Otherwise the
file is UTF-8 until a byte contradicts it. If it does so within 1 MiB after the first
byte outside ASCII, the rest of the file is first written to a temporary file, and the
whole of it decides:

* Most lines with other than ASCII bytes are valid UTF-8: the file is UTF-8.
* Otherwise it is in the code page in which these lines read best.

Bytes that do not fit the encoding become UNDECODABLE, as do lines of UTF-8 in a file in
a code page: a reader can reject such lines instead of garbling them.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from application.contacts.files.formats.code_pages import CodePage, guess_code_page
from application.contacts.files.formats.spool import temporary_file

UNDECODABLE = "\udcff"
"""Stands for bytes that cannot be decoded; no text contains a lone surrogate."""

HEAD_BYTES = 4096
"""Bytes from which a byte order mark and UTF-16 are recognised."""

HELD_BACK_BYTES = 1024 * 1024
"""Bytes after the first one outside ASCII that are held back to decide on UTF-8."""

SAMPLE_BYTES = 64 * 1024
"""Bytes of lines from which a code page is guessed."""

_PIECE = 256 << 10
_UTF_32 = "utf-32"
_NUL_SHARE = 0.2  # Of the units of UTF-16 without a byte order mark.
_SHOWN = 40  # Characters of a sample in a warning.
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_ODD_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
_ODD_CELL = re.compile(r"[^\x00-\x7f]")


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNDECODABLE, error.end


_MARK = "autolynx_mark_undecodable"
codecs.register_error(_MARK, _mark_undecodable)


class TextDecoder:
    """Decodes one file: pass its bytes to `feed` in order, then call `finish`."""

    def __init__(self) -> None:
        self.encoding = "UTF-8"
        """Name of the encoding for people, once it has been decided."""
        self.warnings: list[str] = []
        """What the user should know about the encoding; complete after `finish`."""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = bytearray()
        self._started = False
        self._rest: BinaryIO | None = None

    def feed(self, chunk: bytes) -> str:
        """Return the text that can be decoded so far."""
        if self._rest is not None:
            self._rest.write(chunk)
            return ""
        if self._decoder is not None:
            return self._decoder.decode(chunk)
        self._held += chunk
        if not self._started and len(self._held) < HEAD_BYTES:
            return ""
        return self._undecided(final=False)

    def finish(self) -> Iterator[str]:
        """Yield the rest of the text, in pieces."""
        if self._decoder is None and self._rest is None:
            yield self._undecided(final=True)
        if self._decoder is not None:
            yield self._decoder.decode(b"", final=True)
        elif self._rest is not None:
            yield from self._decoded_rest(self._rest)

    def close(self) -> None:
        """Delete the temporary file, if there is one."""
        if self._rest is not None:
            self._rest.close()

    def _undecided(self, *, final: bool) -> str:
        """Decode what is ASCII or decides on an encoding; hold back the rest."""
        if not self._started:
            self._started = True
            self._decide_by_head()
        if self._decoder is not None:
            return self._decoder.decode(self._released())
        odd = _NOT_ASCII.search(self._held)
        if odd is None and final:
            return self._released().decode("ascii")
        plain = self._take_lines(odd.start() if odd else len(self._held))
        if odd is None:
            return plain
        if len(self._held) < HELD_BACK_BYTES and not final:
            return plain
        if _is_utf_8(self._held[:HELD_BACK_BYTES], final=final):
            self._decoder = _decoder("utf-8")
            return plain + self._decoder.decode(self._released())
        self._rest = temporary_file()
        self._rest.write(self._released())
        return plain

    def _take_lines(self, end: int) -> str:
        """Decode the lines that are complete at `end`, all of ASCII.

        The line that `end` is in decides on the encoding as a whole: it is held back,
        unless it is longer than HELD_BACK_BYTES.
        """
        start = (
            max(self._held.rfind(b"\n", 0, end), self._held.rfind(b"\r", 0, end)) + 1
        )
        taken = end if end - start > HELD_BACK_BYTES else start
        text = self._held[:taken].decode("ascii")
        del self._held[:taken]
        return text

    def _decide_by_head(self) -> None:
        if codec := wide_codec(bytes(self._held[:HEAD_BYTES])):
            self.encoding = "UTF-32" if codec == _UTF_32 else "UTF-16"
            self._decoder = _decoder(codec)
        elif self._held.startswith(codecs.BOM_UTF8):
            self._decoder = _decoder("utf-8-sig")

    def _decoded_rest(self, rest: BinaryIO) -> Iterator[str]:
        utf_8_lines, other_lines, sample = _survey(rest)
        if utf_8_lines >= other_lines:
            self.warnings.append(
                f"{other_lines:,} of the lines with letters outside ASCII are not UTF-8"
                " as the others are: their rows were skipped as malformed. Save the"
                " whole file as UTF-8 to include them."
            )
            yield from _pieces(rest, "utf-8")
            return
        page = guess_code_page(sample)
        self.encoding = page.name
        self.warnings.append(_guess_warning(page, sample))
        if page.is_multibyte or not utf_8_lines:
            yield from _pieces(rest, page.codec)
            return
        self.warnings.append(
            f"{utf_8_lines:,} of the lines with letters outside ASCII are UTF-8"
            " instead: their rows were skipped as malformed."
        )
        for piece in _whole_lines(rest):
            yield _by_line(piece, page.codec)

    def _released(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)(_MARK)


def _is_utf_8(sample: bytes | bytearray, *, final: bool = True) -> bool:
    whole = final and len(sample) < HELD_BACK_BYTES
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, whole)
    except UnicodeDecodeError:
        return False
    return True


def wide_codec(head: bytes) -> str | None:
    """Return the codec if this is UTF-16 or, with a byte order mark, UTF-32.

    Separators, digits and line ends are ASCII in every language, so one byte of the
    units is often NUL, and the other one seldom is.
    """
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _UTF_32
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[::2].count(0), head[1::2].count(0)
    many = len(head) // 2 * _NUL_SHARE
    if odd > many and even < odd * _NUL_SHARE:
        return "utf-16-le"
    if even > many and odd < even * _NUL_SHARE:
        return "utf-16-be"
    return None


def _survey(rest: BinaryIO) -> tuple[int, int, list[bytes]]:
    """Count lines with bytes outside ASCII: valid UTF-8, and others with a sample."""
    utf_8_lines, size, sample = 0, 0, dict[bytes, None]()
    other_lines = 0
    for piece in _whole_lines(rest):
        for line in _ODD_LINE.findall(piece):
            if _is_utf_8(line):
                utf_8_lines += 1
                continue
            other_lines += 1
            if size < SAMPLE_BYTES and line[:1000] not in sample:
                sample[line[:1000]] = None
                size += len(line[:1000])
    return utf_8_lines, other_lines, list(sample)


def _pieces(rest: BinaryIO, codec: str) -> Iterator[str]:
    rest.seek(0)
    decoder = _decoder(codec)
    while piece := rest.read(_PIECE):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _whole_lines(rest: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes in pieces that end with a line, if lines are not huge."""
    rest.seek(0)
    held = b""
    while piece := rest.read(_PIECE):
        held += piece
        end = max(held.rfind(b"\n"), held.rfind(b"\r")) + 1 or len(held)
        yield held[:end]
        held = held[end:]
    yield held


def _by_line(piece: bytes, codec: str) -> str:
    """Decode text in a code page; mark its lines of UTF-8 as undecodable."""
    text, begin = [], 0
    for line in _ODD_LINE.finditer(piece):
        text.append(piece[begin : line.start()].decode("ascii"))
        is_utf_8 = _is_utf_8(line[0])
        text.append(
            line[0].decode() + UNDECODABLE if is_utf_8 else line[0].decode(codec, _MARK)
        )
        begin = line.end()
    return "".join((*text, piece[begin:].decode("ascii")))


def _guess_warning(page: CodePage, sample: list[bytes]) -> str:
    text = sample[0].decode(page.codec, "replace")
    cells = [cell for cell in re.split('[,;\t|"]', text) if _ODD_CELL.search(cell)]
    shown = (cells[0] if cells else text).strip()[:_SHOWN]
    return (
        f"The file is not UTF-8. Its encoding was guessed as {page.name}, in which it"
        f' reads, for example, "{shown}". If that is wrong, save the file as UTF-8 and'
        " upload it again."
    )
