"""Names of time zones that are links, such as US/Eastern, and the zones they name.

The IANA data keep former names as links. A row, or the data about phone numbers, may
have such a name; without its zone neither its country nor its agreement with the
number would be recognised.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_OWN_COUNTRY = {
    "Africa/Asmera": "Africa/Asmara",
    "Africa/Timbuktu": "Africa/Bamako",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Virgin": "America/St_Thomas",
    "Antarctica/South_Pole": "Antarctica/McMurdo",
    "Atlantic/Jan_Mayen": "Arctic/Longyearbyen",
    "Iceland": "Atlantic/Reykjavik",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
    "Pacific/Yap": "Pacific/Chuuk",
}
"""Links whose target in the IANA data is a zone of another country.

The IANA data merge zones whose clocks have agreed since 1970, also across borders.
"""

_OF_NO_PLACE = frozenset(
    {
        *("CET", "EET", "MET", "WET", "EST", "HST", "MST"),
        *("CST6CDT", "EST5EDT", "MST7MDT", "PST8PDT"),
    }
)
"""Names of clocks that several countries use; the data link some of them to one."""


def canonical(name: str) -> str:
    """Return the zone of an IANA name, by which tables list its country.

    A name that is no link, or names no place, is returned unchanged.
    """
    return _links().get(name, name)


@cache
def _links() -> dict[str, str]:
    """Return the links to zones of a country, without names that a country lists."""
    listed = {columns[2] for columns in table("zone.tab")}
    targets = dict(_zone_links()) | _OWN_COUNTRY
    return {
        name: target
        for name, target in targets.items()
        if target in listed and name not in listed and name not in _OF_NO_PLACE
    }


def _zone_links() -> Iterator[tuple[str, str]]:
    """Yield the names of all links and their zones; no link leads to another link."""
    for line in _text("tzdata.zi").splitlines():
        if line.startswith("L "):
            _, target, name = line.split()
            yield name, target


def table(name: str) -> list[list[str]]:
    """Return the lines of a table of the IANA data, split into columns."""
    lines = (line for line in _text(name).splitlines() if line)
    return [line.split("\t") for line in lines if not line.startswith("#")]


def _text(name: str) -> str:
    return (files("tzdata") / "zoneinfo" / name).read_text("utf-8")
