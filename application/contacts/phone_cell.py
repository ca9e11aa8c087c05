"""The text of a phone cell: one phone number, perhaps with an extension, nothing else.

Only the way in which the number is written is checked here; `phone_numbers` decides
whether such a number exists. A cell is never searched for a number: whatever is not
part of one makes the whole cell invalid, because a guess would call somebody else.

Which signs introduce an extension follows libphonenumber, except those that may also
separate two numbers (a single comma or semicolon) and `~`.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LONGEST_CELL = 250
"""In characters; libphonenumber reads no more either."""

LONGEST_EXTENSION = 10
"""In digits: what the provider dials at most."""

_SHOWN = 50  # Characters of a cell in a message.
_SHORTEST_NUMBER = 7  # Digits; only used to choose the message for two numbers.

# Soft hyphen, joiners, zero-width, bidirectional and variation marks, byte order mark.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff]"
)
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# Dashes that Unicode does not class as such, and two it does that mean "from ... to".
_MORE_DASHES = "\u02d7\u2043\u2212\u30fc"
_NO_DASHES = "\u301c\u3030"

_SPREADSHEET_TEXT = re.compile(r"""'\s*(?P<plain>.*)|=\s*"(?P<formula>[^"]*)"\s*""")
# Lead forms of Facebook export numbers as `p:+1...`.
_LABEL = re.compile(
    r"""(?: phone[ ]number | tel(?:ephone|efon|\u00e9fono|efono)?
        | (?:cell|mobile)?[ ]?phone | ph
        | mobile? | mob | cell | handy | m\u00f3vil | movil | celular
        | portable )
        (?: [ ]?[.:]{1,2}[ ]* | [ ]+ )
        | (?: tel | whatsapp | p ): [ ]*""",
    re.IGNORECASE | re.VERBOSE,
)
_EXTENSION = re.compile(
    r"""(?: ;ext=(?P<rfc>[0-9]+)
        | [ ,]* (?: e?xt(?:ensi(?:o\u0301?|\u00f3))?n? | \u0434\u043e\u0431 | anexo )
          [:.]? [ -]* (?P<named>[0-9]+) \#? \)?
        | [ ,]* (?: [x\#] | int ) [:.]? [ -]* (?P<signed>[0-9]{1,9}) \#? \)?
        | [ ]* ,{2,} [ ]* (?P<paused>[0-9]{1,9}) \#? ) \Z""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(r"[ ()./-]*\+?[ ()./-]*[0-9][0-9 ()./-]*")
_STRAY = re.compile(r"[^0-9 ()./+-]+(?:[ ./-]+[^0-9 ()./+-]+)*")

_EXPONENT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)? ?e ?[+-]?[0-9]+", re.IGNORECASE)
# A few decimals, an integer part as long as a number, or one digit before the point;
# +1.2025550142 is how domain registries write numbers.
_FRACTION = re.compile(
    r"""[+-]? [0-9]+ [.,] [0-9]{1,2}
        | [+-]? [0-9]{7,} [.,] [0-9]+
        | -? [0-9] [.,] [0-9]+
        | .* [0-9)] [ ]? [.,] 0""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"""(?:19|20)[0-9]{2} ([-/.]) (?:0[1-9]|1[0-2]) \1 (?:0[1-9]|[12][0-9]|3[01])
        | (?:0?[1-9]|[12][0-9]|3[01]) ([-/.]) (?:0?[1-9]|[12][0-9]|3[01]) \2
          (?:19|20)[0-9]{2}""",
    re.VERBOSE,
)
_MASK = re.compile(r"[x*_?\u2022\u2026#]{2}|[0-9][x*?\u2022]\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PhoneText:
    """A cell's number in ASCII digits, with `+` before them where the cell has one.

    `extension` is ASCII digits. `before_slashes` are the number's beginnings up to each
    slash: where one of them is a whole number, the cell holds two (030 1234567/68).
    """

    number: str
    extension: str | None = None
    before_slashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvalidPhone:
    """Why a cell is not taken; the message says what is wrong and what to do."""

    message: str


def read_cell(cell: str) -> PhoneText | InvalidPhone:
    """Take a cell apart, or say why it is not a phone number and nothing else."""
    if len(cell) > LONGEST_CELL:
        return _invalid(cell, f"has more than {LONGEST_CELL} characters", "one number")
    text = _unwrapped(_in_ascii(cell))
    if fault := _altered(text):
        return InvalidPhone(fault)
    label = _LABEL.match(text)
    written = text[label.end() :] if label else text
    found = _EXTENSION.search(written)
    number = written[: found.start()] if found else written
    extension = next(filter(None, found.groups()), None) if found else None
    if not _NUMBER.fullmatch(number):
        return InvalidPhone(_stray(text))
    if extension and len(extension) > LONGEST_EXTENSION:
        most = f"the extension, of at most {LONGEST_EXTENSION} digits"
        return _invalid(text, "has a longer extension than can be dialled", most)
    digits = _digits(number)
    if digits.startswith("+0"):
        return _invalid(text, "has + before a 0", "+ and the country code")
    return PhoneText(digits, extension, _before_slashes(number))


def invalid(cell: str, fault: str, remedy: str) -> InvalidPhone:
    """Return a message that quotes the cell: '"..." {fault}: {remedy}.'"""
    return InvalidPhone(f'"{_shown(cell)}" {fault}: {remedy}.')


def is_date(text: str) -> bool:
    """Say whether this is a date in digits, which may look like a short number."""
    return _DATE.fullmatch(text) is not None


def _invalid(cell: str, fault: str, wanted: str) -> InvalidPhone:
    return invalid(cell, fault, f"write {wanted}")


def _shown(text: str) -> str:
    return " ".join(text[:_SHOWN].split())


def _digits(number: str) -> str:
    return re.sub(r"[^0-9+]", "", number)


def _before_slashes(number: str) -> tuple[str, ...]:
    parts = number.split("/")
    return tuple(_digits("".join(parts[:end])) for end in range(1, len(parts)))


def _in_ascii(cell: str) -> str:
    """Write digits, dashes, spaces and full-width forms in ASCII; trim the ends."""
    visible = _INVISIBLE.sub("", cell)
    return "".join(map(_ascii, visible)).strip()


@lru_cache(maxsize=4_096)
def _ascii(character: str) -> str:
    if character.isascii() and character != "\t":
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isspace() and character not in _LINE_BREAKS:
        return " "
    if character in _MORE_DASHES or (
        unicodedata.category(character) == "Pd" and character not in _NO_DASHES
    ):
        return "-"
    if "\uff01" <= character <= "\uff5e":  # Full-width ASCII.
        return chr(ord(character) - 0xFEE0)
    return character


def _unwrapped(text: str) -> str:
    """Take away what makes a spreadsheet show the cell as text."""
    found = _SPREADSHEET_TEXT.fullmatch(text)
    return text if found is None else (found["plain"] or found["formula"] or "").strip()


def _altered(text: str) -> str | None:
    """Say whether a spreadsheet or a program made another value of the number."""
    again = "format the column as text and export the file again"
    if _EXPONENT.fullmatch(text):
        return f'A spreadsheet shortened this number to "{_shown(text)}": {again}.'
    if _FRACTION.fullmatch(text):
        return f'"{_shown(text)}" is a decimal number: {again}.'
    if is_date(text):
        which = "check which column holds the phone numbers"
        return invalid(text, "is a date", which).message
    return None


def _stray(text: str) -> str:
    """Say what else stands in a cell that is not a number."""
    shown = _shown(text)
    if not any(character.isdecimal() for character in text):
        return f'"{shown}" holds no phone number.'
    if _MASK.search(text):
        return f'"{shown}" hides some of the digits: write the whole number.'
    groups = re.split(r"[^0-9 ()./+-]+", text)
    if sum(len(_digits(group)) >= _SHORTEST_NUMBER for group in groups) > 1:
        return f'"{shown}" holds more than one number: leave one in each row.'
    if any(character in _LINE_BREAKS for character in text):
        return f'"{shown}" has a line break in it: write the number in one line.'
    stray = _STRAY.search(text)
    if stray is None:
        return f'"{shown}" has a misplaced +: write one + before the country code.'
    return (
        f'"{shown}" has "{stray[0].strip()}" beside the number: leave only the number'
        ' (and an extension, such as "ext. 5").'
    )
