"""Work on groups of contacts: grouping those without, withholding what never rings.

It is not paced, does at most `MOST` contacts in one pass, and may stop at any point.
"""

import logging
from collections.abc import Callable, Sequence

from application.calls.group_withholding import GroupMember
from application.contacts.contact_grouping import UngroupedContact
from domain.dial_view import Snapshot
from domain.gate.permit import Never
from projections.contacts.closed_groups import ungrouped, waiting_of_groups
from storage.database import Pool

MOST = 1_000
"""Contacts that one pass groups, and that it withholds."""

log = logging.getLogger(__name__)


class ContactGroups:
    """Runs one pass after another; both functions return how many they stored."""

    def __init__(
        self,
        pool: Pool,
        *,
        group: Callable[[Sequence[UngroupedContact]], int],
        withhold: Callable[[Sequence[GroupMember]], int],
    ) -> None:
        self._pool, self._group, self._withhold = pool, group, withhold

    def run(self, seen: Snapshot) -> bool:
        """Do one pass; return whether there may be more to do."""
        never = [
            (view.id, group.group_id)
            for view in seen.campaigns
            for group in view.groups
            if isinstance(group.decision, Never)
        ]
        with self._pool.connection() as conn:
            without = ungrouped(conn, MOST)
            members = waiting_of_groups(conn, never, MOST) if never else []
        grouped = self._group(without)
        withheld = self._withhold(members)
        if grouped:
            log.info("the places of %s contacts were determined", grouped)
        if withheld:
            log.info("%s contacts that may never be called were withheld", withheld)
        return grouped + withheld > 0
