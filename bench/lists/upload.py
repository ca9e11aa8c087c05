"""Upload of a contact file; baseline: a loop of csv.reader and phonenumbers."""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import phonenumbers

from bench.support.contact_files import write_people
from bench.support.figures import Figure, medians
from bench.support.installation import Installation, Server

ROWS = 200_000


def measure(server: Server) -> Iterator[Figure]:
    """Measure rows per second from the request to the report."""
    file = write_people(server.folder / "people.csv", ROWS)
    with server.installation() as installation:
        value, baseline = medians(
            partial(_upload, installation, file), partial(_bare_loop, file)
        )
    yield Figure(
        name="upload",
        value=value,
        unit="rows/s",
        baseline=baseline,
        target=2.0,
        details=f"{ROWS:,} rows received, checked and staged over HTTP; a bare loop of"
        " csv.reader and phonenumbers",
    )


def _upload(installation: Installation, file: Path) -> float:
    start = perf_counter()
    report = installation.upload(file)["report"]
    assert report["accepted"] + report["skippedCount"] == ROWS
    return ROWS / (perf_counter() - start)


def _bare_loop(file: Path) -> float:
    start = perf_counter()
    with file.open(newline="") as opened:
        rows = csv.reader(opened)
        next(rows)
        for _, _, phone, *_ in rows:
            _checked(phone)
    return ROWS / (perf_counter() - start)


def _checked(phone: str) -> str | None:
    try:
        number = phonenumbers.parse(phone, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
