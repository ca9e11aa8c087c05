"""Columns beside the phone number that say how, or whether, a row is called.

The label of a number may be that of a fax; a number may have its country code in a
column of its own; a row may be marked as not to be called. A row is left out rather
than called wrongly.
"""

import re
from collections.abc import Callable, Sequence

from phonenumbers import country_code_for_region, region_code_for_country_code

from application.contacts.files.column_names import ColumnRole, column_key
from application.contacts.files.columns import FAX, Columns
from application.contacts.files.contact_values import COUNTRY, Attributes
from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import Phone, PhoneReader
from domain.wording import counted, noun

_LABELS = ("label", "type")
_VALUE = re.compile(r"(?:value|number)\Z")

_CALLING_CODES = frozenset(
    map(
        column_key,
        (
            *("phone country code", "country calling code", "calling code"),
            *("dial code", "dialing code", "dialling code", "country dial code"),
            *("isd code", "phone code", "country phone code", "mobile country code"),
            *("ländervorwahl", "landesvorwahl", "indicatif pays"),
            *("prefijo internacional", "prefisso internazionale", "ddi"),
        ),
    )
)
_CALLING_CODE = re.compile(r"(?:\+|00)?([1-9][0-9]{0,2})")

_DO_NOT_CALL = frozenset(
    map(
        column_key,
        (
            *("do not call", "dnc", "do not phone", "do not contact", "no calls"),
            *("phone opt out", "call opt out", "opted out of calls"),
            *("nicht anrufen", "keine anrufe", "ne pas appeler", "no llamar"),
            *("não ligar", "non chiamare", "niet bellen", "nie dzwonić"),
        ),
    )
)
_NO = frozenset(
    {
        *("no", "n", "false", "f", "0", "off", "none", "null", "n/a", "-", "0.0"),
        *("nein", "falsch", "non", "faux", "não", "nee", "nie", "unchecked"),
    }
)

type RegionReader = Callable[[str], PhoneReader]
"""Returns the reader of cells whose numbers without `+` belong to a region."""


class RowChecks:
    """Applies these columns to the rows of one file."""

    def __init__(self, columns: Columns, reader_of: RegionReader) -> None:
        self._names, self._reader_of = columns.names, reader_of
        keys = [column_key(name) for name in columns.names]
        phone = keys[columns.roles.index(ColumnRole.PHONE)]
        stem = _VALUE.sub("", phone)
        self._label = next(
            (at for at, key in enumerate(keys) if key in _labels(stem)), None
        )
        self._code = next(
            (at for at, key in enumerate(keys) if key in _CALLING_CODES), None
        )
        self._country = columns.at(ColumnRole.COUNTRY)
        self._do_not_call = [
            at
            for at, key in enumerate(keys)
            if key in _DO_NOT_CALL and columns.roles[at] is ColumnRole.VARIABLE
        ]
        self._readers: dict[str, PhoneReader | None] = {}
        self._foreign = 0
        self._first_foreign: tuple[int, str, str] | None = None

    @property
    def applies(self) -> bool:
        """Return whether the file has any of these columns."""
        found = (self._label, self._code, self._country)
        return bool(self._do_not_call) or any(at is not None for at in found)

    def read(
        self, cells: Sequence[str], written: str, read_phone: PhoneReader
    ) -> Phone | InvalidPhone:
        """Read a phone cell; `read_phone` reads it without a calling code."""
        if self._label is not None and FAX in cells[self._label].lower():
            label = cells[self._label].strip()[:50]
            return InvalidPhone(f'The number is labelled "{label}" and not called.')
        at = self._country if self._code is None else self._code
        code = None if at is None else calling_code(cells[at])
        if code is None or "+" in written:
            return read_phone(written)
        if code not in self._readers:
            region = region_code_for_country_code(int(code))
            known = len(region) == 2 and region != "ZZ"  # noqa: PLR2004 - ISO 3166-1
            self._readers[code] = self._reader_of(region) if known else None
        read = self._readers[code]
        if read is None:
            return InvalidPhone(f'"{code}" is not the calling code of a country.')
        return read(written)

    def fault(self, cells: Sequence[str]) -> str | None:
        """Return why a row with a valid number is not called, None if it is."""
        for at in self._do_not_call:
            mark = cells[at].strip()
            if mark and mark.lower() not in _NO:
                return (
                    f'"{self._names[at]}" is "{mark[:50]}", so the row is left out: map'
                    " the column to IGNORED if it means something else."
                )
        return None

    def compare(self, row: int, written: str, phone: str, found: Attributes) -> None:
        """Note an accepted row whose country differs from that of its number."""
        country = found.get(COUNTRY)
        if country is None or "+" in written:
            return
        code = country_code_for_region(country)
        if code and not phone.startswith(f"+{code}"):
            self._foreign += 1
            self._first_foreign = self._first_foreign or (row, country, phone)

    @property
    def warning(self) -> str | None:
        """What the user should know about countries; None if there is nothing."""
        if self._first_foreign is None:
            return None
        row, country, phone = self._first_foreign
        numbers = counted(self._foreign, "number")
        return (
            f"{numbers} without a country code {noun(self._foreign, 'was', 'were')}"
            f" read as of another country than the row names, first in row {row}:"
            f" {phone}, but the country is {country}. Write + and the country code, or"
            " other people will be called."
        )


def calling_code(text: str) -> str | None:
    """Return the digits of a calling code such as +49; None for any other text."""
    found = _CALLING_CODE.fullmatch(text.strip())
    return found[1] if found else None


def _labels(stem: str) -> set[str]:
    return {f"{stem}{label}" for label in _LABELS}
