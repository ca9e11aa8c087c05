"""Contact files for benchmarks: mostly US numbers, some foreign, some invalid."""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random

HEADER = ("name", "business_name", "phone", "plan", "city", "renewal", "note")

# Existing area codes: libphonenumber accepts the numbers as valid.
AREAS = (201, 202, 212, 303, 312, 404, 415, 503, 512, 602, 617, 702, 713, 801, 919)
ABROAD = ("+44 20 7946 {:04}", "+49 30 90{:06}", "+33 1 70 18 {:04}", "+4420794{:05}")
INVALID = ("n/a", "", "12345", "555-01{:02}", "call later")


def write_people(path: Path, rows: int, seed: int = 1) -> Path:
    """Write a file with 9 % foreign, 3 % invalid and 2 % repeated numbers."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_people(rows, Random(seed)))
    return path


def _people(rows: int, random: Random) -> Iterator[tuple[str, ...]]:
    phone = ""
    for row in range(rows):
        if random.random() > 0.02:
            phone = _phone(row, random)
        name, company = f"Person {row}", f"Company {row % 5000}, Inc."
        plan, city = random.choice(("gold", "silver")), f"City {row % 900}"
        yield (
            name,
            company,
            phone,
            plan,
            city,
            f"2027-{row % 12 + 1:02}-01",
            "likes tea",
        )


def _phone(row: int, random: Random) -> str:
    chance = random.random()
    if chance < 0.03:
        return random.choice(INVALID).format(row % 100)
    if chance < 0.12:
        return random.choice(ABROAD).format(row % 9999)
    area, line = AREAS[row % len(AREAS)], row // len(AREAS)
    exchange, last = 200 + line // 10_000, line % 10_000
    form = random.choice(("({}) {}-{:04}", "{}-{}-{:04}", "+1{}{}{:04}", "{}{}{:04}"))
    return form.format(area, exchange, last)
