"""A contact file with invented persons and fictional numbers.

In North America, 555-0100 to 555-0199 are reserved for fiction in each area code.
"""

import csv
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import phonenumbers

MOST = 20_000
HEADER = ("name", "business_name", "phone", "plan")
FIRST_NAMES = """
    Ada Bela Carmen Dara Edgar Farah Gil Hana Ines Jonas Kira Luca Mara Nils Odile
    Pavel Rosa Sami Tess Umar Vera Wim Ximena Yara Zoe
"""
LAST_NAMES = """
    Abbott Brandt Castellanos Dubois Eriksen Fontaine Grant Hoshi Ibarra Jensen Kaya
    Lindqvist Moreau Novak Okafor Petrov Quist Rossi Sato Torres Ueda Varga Weiss
"""
BUSINESS = (
    "Bakery",
    "Books, Maps & Prints",
    "Cycles",
    "Dental",
    "Florist",
    "Hardware",
    'Studio "North"',
)
PLANS = ("starter", "team", "business")
SPELLINGS = ("+1 {0} 555 {1}", "({0}) 555-{1}", "{0}-555-{1}", "+1{0}555{1}")


def write_sample(path: Path, contacts: int) -> list[str]:
    """Write `contacts` valid rows and a few invalid ones; return the valid numbers."""
    rows = list(islice(_rows(), contacts))
    bad = list(_bad_rows(rows))
    gap = max(contacts // (len(bad) + 1), 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number, (row, _) in enumerate(rows, start=1):
            writer.writerow(row)
            if number % gap == 0 and bad:
                writer.writerow(bad.pop(0))
        writer.writerows(bad)
    return [phone for _, phone in rows]


def _rows() -> Iterator[tuple[tuple[str, ...], str]]:
    firsts, lasts = FIRST_NAMES.split(), LAST_NAMES.split()
    for index, (area, line) in enumerate(_numbers()):
        first, last = firsts[index % len(firsts)], lasts[index % len(lasts)]
        business = f"{last} {BUSINESS[index % len(BUSINESS)]}"
        written = SPELLINGS[index % len(SPELLINGS)].format(area, line)
        plan = PLANS[index % len(PLANS)]
        yield (f"{first} {last}", business, written, plan), f"+1{area}555{line}"


def _numbers() -> Iterator[tuple[int, str]]:
    for line in range(100, 200):
        for area in area_codes():
            yield area, f"{line:04}"


@cache
def area_codes() -> list[int]:
    """Return the area codes of the United States that an upload accepts."""
    return [code for code in range(200, 1000) if _is_callable(code)]


def _is_callable(code: int) -> bool:
    """Return whether a fictional number of this area may be called: 900 may not."""
    number = phonenumbers.parse(f"+1{code}5550100")
    is_premium = (
        phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.PREMIUM_RATE
    )
    return phonenumbers.region_code_for_number(number) == "US" and not is_premium


def _bad_rows(good: list[tuple[tuple[str, ...], str]]) -> Iterator[tuple[str, ...]]:
    """What real files have too: the report names each with its reason."""
    yield ("Una Vance", "Vance Tiles", "555-0142", "team")
    yield ("", "Nobody & Sons", "+1 202 555 0199", "starter")
    yield ("Theo Brandt", "Brandt Cycles", "", "starter")
    yield ("Ada Abbott again", "Abbott Bakery", good[0][1], "team")
    yield ("Long A. Row", "Too long", "+1 202 555 0198", "team", "one", "cell more")
