"""The writer number: which version of the stored form this process writes."""

from functools import cache
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"

TOO_OLD = "LX002"
"""SQLSTATE of a write that the database refuses because the writer is too old."""

SETTING = "autolynx.writer"
"""The session setting that states the writer number; see 0014_writer_fence.sql."""


def number_of(file: Path) -> int:
    return int(file.name.split("_")[0])


@cache
def writer_number() -> int:
    """Return the highest migration number that this version ships."""
    return max(number_of(file) for file in MIGRATIONS.glob("[0-9]*.sql"))
