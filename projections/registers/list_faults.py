"""Why suppression lists hold numbers: lists that are too old or not complete."""

from collections.abc import Collection
from datetime import date

from domain.numbers.suppression_lists import Freshness, ListVersion
from domain.wording import counted
from storage.database import Conn
from storage.suppression.blocks import block_faults

AGAIN = "Import the list again"


def list_faults(conn: Conn, active: Collection[ListVersion], today: date) -> list[str]:
    """Return a sentence for each of the active lists whose numbers are not called.

    Such a list is older than its maximum age on the UTC date `today`, or rows of it
    are missing in the database.
    """
    missing = block_faults(conn, {one.version_id: one.blocks_digest for one in active})
    found = []
    for one in active:
        covered = ", ".join(one.covers) or "all prefixes"
        held = f"numbers of {covered} are not called. {AGAIN}."
        if fault := missing.get(one.version_id):
            found.append(f"The list {one.name} cannot be read ({fault}): {held}")
        elif one.freshness(today) is Freshness.STALE:
            most = counted(one.max_age_days or 0, "day")
            age = f"of {one.as_of}, at most {most} old"
            found.append(f"The list {one.name} is too old ({age}): {held}")
    return found
