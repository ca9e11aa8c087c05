"""The time zones to which a phone number may belong."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import NumberParseException, timezone

UNKNOWN = "Etc/Unknown"
"""What the library returns for a number without a place, such as a satellite phone."""


@lru_cache(maxsize=10_000)
def zones_of(phone: str) -> tuple[str, ...]:
    """Return the IANA zones of an E.164 number, sorted; empty if none is known.

    They come from the prefix, by the tables of `phonenumbers` (libphonenumber's
    time zone mapping), so that a mobile number may have several.
    """
    try:
        number = phonenumbers.parse(phone)
    except NumberParseException:
        return ()
    found = timezone.time_zones_for_number(number)
    return tuple(sorted(zone for zone in found if _is_known(zone)))


def _is_known(zone: str) -> bool:
    """Return whether this computer's time zone data contain the zone."""
    if zone == UNKNOWN:
        return False
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
