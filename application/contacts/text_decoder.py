"""Decoding of a contact file: bytes to text, whatever the chunks.

A byte order mark decides. Without one, the file is UTF-8 if it is valid UTF-8, else
Windows-1252. ASCII is the same in both, so the decision is made at the first other
byte: from there up to 1 MiB is held back. If all of that is valid UTF-8, the file
counts as UTF-8; an invalid byte further on makes it undecodable, because rows that were
already returned cannot be read again.
"""

import codecs
import re

HELD_BACK_BYTES = 1024 * 1024
"""Bytes from which the decision between UTF-8 and Windows-1252 is made."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]")


class TextDecoder:
    """Decodes one file, chunk by chunk."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = bytearray()
        self._started = False

    def decode(self, chunk: bytes, *, final: bool) -> str:
        """Return the text that can be decoded so far; `final` ends the file.

        Raises UnicodeDecodeError if a byte does not fit the encoding decided on.
        """
        if self._decoder is None:
            self._held += chunk
            if not self._started:
                self._start(final=final)
        if self._decoder is not None:
            return self._decoder.decode(self._released() or chunk, final)
        return self._decode_undecided(final=final) if self._started else ""

    def _start(self, *, final: bool) -> None:
        self._started = final or len(self._held) >= len(codecs.BOM_UTF8)
        if not self._started:
            return
        if self._held.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._decoder = _decoder("utf-16")
        elif self._held.startswith(codecs.BOM_UTF8):
            self._decoder = _decoder("utf-8-sig")

    def _decode_undecided(self, *, final: bool) -> str:
        other = _NOT_ASCII.search(self._held)
        if other is None:
            return self._released().decode("ascii")
        plain = self._held[: other.start()].decode("ascii")
        del self._held[: other.start()]
        if len(self._held) < HELD_BACK_BYTES and not final:
            return plain
        self._decoder = _decoder(
            _encoding_of(self._held[:HELD_BACK_BYTES], final=final)
        )
        return plain + self._decoder.decode(self._released(), final)

    def _released(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)()


def _encoding_of(sample: bytes | bytearray, *, final: bool) -> str:
    whole = final and len(sample) < HELD_BACK_BYTES
    try:
        _decoder("utf-8").decode(sample, whole)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
