"""The writer version: the highest migration that this version of AutoLynx knows."""

from functools import cache
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"

TOO_OLD = "LX002"
"""SQLSTATE of a write that the database refuses because the writer is too old."""

SETTING = "autolynx.writer"
"""Session setting with the writer version; see 0014_writer_fence.sql."""


def number_of(file: Path) -> int:
    """Return the number of a migration, with which its file name begins."""
    return int(file.name.split("_")[0])


@cache
def writer_version() -> int:
    """Return the number of the highest migration that this version contains."""
    return max(number_of(file) for file in MIGRATIONS.glob("[0-9]*.sql"))
