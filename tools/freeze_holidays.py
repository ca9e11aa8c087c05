"""Write the holiday lists of the calling rules: `python tools/freeze_holidays.py`.

The lists are frozen data: they are reviewed when they change, and what is called does
not depend on the installed release of the library. A holiday that is observed on
another day closes both days.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import holidays

FOLDER = Path(__file__).parent.parent / "application/calling_rules/data/holidays"
YEARS = range(2026, 2038)

LISTS: Mapping[str, tuple[tuple[str, str | None], ...]] = {
    "US-federal": (("US", None),),
    "US-LA": (("US", "LA"),),
    "US-PA": (("US", "PA"),),
    "US-UT": (("US", "UT"),),
    "CA-national": (("CA", None),),
    "GB-national": tuple(("GB", part) for part in ("ENG", "NIR", "SCT", "WLS")),
    "FR-national": (("FR", None),),
    "ES-national": (("ES", None),),
    "DE-national": (("DE", None),),
    "IT-national": (("IT", None),),
    "IN-national": (("IN", None),),
    "AU-national": (("AU", None),),
    "BR-national": (("BR", None),),
}
"""By list the countries, and their parts, whose holidays are united."""

EVES = {"IT-holiday-eves": "IT-national"}
"""Lists of the days before the holidays of another list."""


def days_of(parts: Iterable[tuple[str, str | None]]) -> dict[date, str]:
    """Return the holidays of all parts with their names in English, where known."""
    days: dict[date, str] = {}
    for country, part in parts:
        found = holidays.country_holidays(
            country, subdiv=part, years=YEARS, language="en_US"
        )
        days |= {day: name for day, name in found.items() if day.year in YEARS}
    return dict(sorted(days.items()))


def write(name: str, days: Mapping[date, str]) -> None:
    """Write one list."""
    lines = [f"{day} = {_quoted(label)}" for day, label in days.items()]
    text = "\n".join([f"# {name}: days of other hours.", "[days]", *lines, ""])
    (FOLDER / f"{name}.toml").write_text(text, "utf-8")


def _quoted(label: str) -> str:
    return '"' + label.replace("\\", "").replace('"', "'") + '"'


def main() -> None:
    """Write all lists."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {name: days_of(parts) for name, parts in LISTS.items()}
    for name, of in EVES.items():
        eves = {day - timedelta(days=1): label for day, label in found[of].items()}
        found[name] = {day: f"Eve of {label}" for day, label in eves.items()}
    for name, days in found.items():
        write(name, days)


if __name__ == "__main__":
    main()
