"""Write the table of North American area codes: `python tools/freeze_area_codes.py`.

libphonenumber knows the time zones of prefixes and their places in words, but not which
area codes serve the same area, and one of its zones is wrong. The table unites the
codes of each overlay family and corrects the rest. It is frozen data, so that a new
release of the library changes nothing before somebody has looked at the difference.
Sources: the families and the codes in service are those of the North American
Numbering Plan Administrator's reports.
"""

from collections.abc import Iterator
from pathlib import Path

from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

from application.places.subdivisions import SUBDIVISIONS

FILE = Path(__file__).parent.parent / "application/places/data/area_codes.toml"

FAMILIES = """
205/659 256/938 480/602/623 870/327 209/350 213/323/738 310/424 408/669 415/628 510/341
530/837 559/357 619/858 707/369 714/657 760/442 805/820 818/747 840/909 916/279
303/720/983 970/748 203/475 860/959 202/771 305/786/645 321/407/689 561/728 754/954
813/656 850/448 904/324 404/470/678/943/770 706/762 208/986 217/447 309/861 312/872/773
618/730 630/331 708/464 815/779 847/224 317/463 812/930 270/364 318/457 240/301/227
410/443/667 339/781 351/978 508/774 617/857 248/947 313/679 320 507/924 601/769 662/471
314/557 573/235 816/975 402/531 702/725 201/551 609/640 732/848 862/973
212/646/332/917/347/718/929 363/516 518/838 315/680 631/934 716/624 845/329 336/743
704/980 910/472 919/984 234/330 419/567 436/440 513/283 614/380 740/220 937/326 405/572
539/918 458/541 503/971 215/267/445 223/717 272/570 412/724/878 484/610/835 582/814
803/839 843/854 864/821 423/729 615/629 210/726 214/469/972/945 281/346/713/832/621
430/903 512/737 682/817 385/801 540/826 571/703 757/948 804/686 360/564 304/681 274/920
353/608 534/715 204/431/584 226/519/548/382 236/250/604/672/778/257 249/705/683
263/438/514/450/354/579 289/905/365/742/416/437/647/942 306/639/474 343/613/753
367/418/581 368/403/587/780/825 468/819/873 428/506 782/902
"""
"""Codes that serve the same area: an owner may have a number of any of them."""

_SASKATCHEWAN = SUBDIVISIONS["CA-SK"].time_zones
_NEWFOUNDLAND = SUBDIVISIONS["CA-NL"].time_zones
CORRECTED_ZONES = {
    "689": ("America/New_York",),
    **dict.fromkeys(("306", "474", "639"), _SASKATCHEWAN),
    **dict.fromkeys(("709", "879"), _NEWFOUNDLAND),
    "867": tuple(
        zone
        for place in ("CA-NT", "CA-NU", "CA-YT")
        for zone in SUBDIVISIONS[place].time_zones
    ),
    "907": SUBDIVISIONS["US-AK"].time_zones,
}
"""Codes that libphonenumber places in a wrong zone, such as 689 (Orlando) in Chicago.

Of those in Saskatchewan it has a zone with daylight saving time, of Yukon the time
until 2020, of Labrador that of Puerto Rico, and of Alaska that of Hawaii.
"""

ELSEWHERE = frozenset({"800", "833", "844", "855", "866", "877", "888", "900", "911"})
"""Codes that belong to no area."""

COUNTRIES = frozenset({"CA", "US"})


def codes() -> Iterator[str]:
    """Yield the area codes that the library knows: numbers of others are not valid."""
    known = {key[1:4] for key in TIMEZONE_DATA if key.startswith("1") and len(key) >= 4}  # noqa: PLR2004 - 1 and an area code
    yield from sorted(known - ELSEWHERE)


def zones_of(code: str) -> set[str]:
    """Return the zones of all prefixes of a code."""
    if code in CORRECTED_ZONES:
        return set(CORRECTED_ZONES[code])
    prefix = f"1{code}"
    return {
        zone
        for key, zones in TIMEZONE_DATA.items()
        if key.startswith(prefix)
        for zone in zones
    }


def places_of(code: str) -> set[str]:
    """Return the states and provinces that the library names for a code."""
    names = {
        part: place
        for place, own in SUBDIVISIONS.items()
        if place[:2] in COUNTRIES
        for part in (own.name, place[3:])
    }
    prefix = f"1{code}"
    described = (
        texts["en"]
        for key, texts in GEOCODE_DATA.items()
        if key.startswith(prefix) and "en" in texts
    )
    parts = {text.rpartition(", ")[2] for text in described}
    names["Washington D.C."] = "US-DC"
    return {names[part] for part in parts if part in names}


def main() -> None:
    """Write the file."""
    family = {
        code: text.split("/") for text in FAMILIES.split() for code in text.split("/")
    }
    lines = ["# Area codes of North America, with the codes that overlay them united."]
    for code in codes():
        members = family.get(code, [code])
        places = sorted(set().union(*map(places_of, members)))
        zones = sorted(set().union(*map(zones_of, members)))
        if places and zones:
            lines.append(
                f"{code} = {{ places = {_list(places)}, zones = {_list(zones)} }}"
            )
    FILE.write_text("\n".join([*lines, ""]), "utf-8")


def _list(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


if __name__ == "__main__":
    main()
