"""The group of a contact, from its number and the values of its row.

A file has few combinations of leading digits and stated places, so each combination is
resolved once.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from phonenumbers.tzdata import TIMEZONE_DATA

from application.contacts.files.contact_values import (
    CONSENT_AT,
    COUNTRY,
    POSTAL_CODE,
    SUBDIVISION,
    TIME_ZONE,
)
from application.places.resolver import (
    NORTH_AMERICA,
    InvalidPostalCode,
    StatedPlace,
    resolve,
)
from domain.gate.groups import ContactGroup
from domain.gate.places import Places

PLACE_VALUES = (TIME_ZONE, COUNTRY, SUBDIVISION, POSTAL_CODE)
"""The names of the values that state a place, in the order of `StatedPlace`."""


AREA_CODE = 5
"""Characters of a North American number with its area code: +1 and three digits."""

FEWEST = 8
"""Leading characters that distinguish countries which share a code, elsewhere.

Such are +44 1534 (Jersey) and +39 06 698 (Vatican City).
"""


MOST_KNOWN = 65_536

type _Key = str | tuple[str | bool | None, ...]

_known: dict[_Key, ContactGroup] = {}


def group_of(phone: str, values: Mapping[str, str] | None) -> ContactGroup:
    """Return the group of an E.164 number; `values` are its row's, as understood."""
    digits = decisive_digits(phone)
    key: _Key = digits
    if values:
        places = (values.get(name) for name in PLACE_VALUES)
        key = (digits, bool(values.get(CONSENT_AT)), *places)
    group = _known.get(key)
    if group is None:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        group = _known[key] = _resolved(phone, values or {})
    return group


def _resolved(phone: str, values: Mapping[str, str]) -> ContactGroup:
    stated = StatedPlace(*map(values.get, PLACE_VALUES))
    return ContactGroup(places_of(phone, stated), bool(values.get(CONSENT_AT)))


def places_of(phone: str, stated: StatedPlace) -> Places:
    """Return the places of a number, without a postal code that does not exist."""
    try:
        return resolve(phone, stated)
    except InvalidPostalCode:  # The row was accepted before codes were checked.
        return resolve(phone, replace(stated, postal_code=None))


def decisive_digits(phone: str) -> str:
    """Return the beginning of an E.164 number on which its places depend."""
    if phone.startswith(NORTH_AMERICA):
        return phone[:AREA_CODE]
    return phone[: max(FEWEST, 1 + _longest(phone[1:3]))]


@cache
def _longest(start: str) -> int:
    """Return the most digits by which libphonenumber distinguishes time zones."""
    known = (len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(start))
    return max(known, default=0)
