"""How far the groups of contacts were determined again by present data about places."""

from dataclasses import dataclass
from typing import LiteralString

from storage.database import Pool

_BEGIN: LiteralString = """
    insert into places_version (version, since) values (%(version)s, %(position)s)
    on conflict (version) do nothing
"""
_STATE: LiteralString = """
    select since, seen_list, seen_row, is_complete from places_version
    where version = %(version)s
"""
_SEEN: LiteralString = """
    update places_version set seen_list = %(list)s, seen_row = %(row)s,
        is_complete = %(complete)s where version = %(version)s
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """The rows that were read for a version of the data.

    `since`: lists that were imported later have groups of this version anyway.
    `seen_list` is the position of the import of the list that was read last, and
    `seen_row` the number of its last row that was read, -1 once it is finished.
    """

    since: int
    seen_list: int = 0
    seen_row: int = -1
    is_complete: bool = False


class PlacesProgress:
    """Stores the progress by version, so that another process continues there."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def of(self, version: str, position: int) -> Progress:
        """Return the progress; begin a new version at this position of the log."""
        with self._pool.connection() as conn:
            conn.execute(_BEGIN, {"version": version, "position": position})
            row = conn.execute(_STATE, {"version": version}).fetchone()
        assert row is not None
        return Progress(*row)

    def keep(self, version: str, progress: Progress) -> None:
        """Store how far the lists were read for a version."""
        values = {
            "version": version,
            "list": progress.seen_list,
            "row": progress.seen_row,
            "complete": progress.is_complete,
        }
        with self._pool.connection() as conn:
            conn.execute(_SEEN, values)
