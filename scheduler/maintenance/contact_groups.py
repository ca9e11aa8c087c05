"""Work on groups of contacts: grouping, and withholding what never rings.

Contacts without a group get one, and so do those whose group was determined by an
earlier version of the data about places. The work is not paced, does at most `MOST`
contacts in one pass, and may stop at any point.
"""

import logging
from collections.abc import Callable, Sequence

from application.calls.group_withholding import GroupMember
from application.contacts.contact_grouping import UngroupedContact
from application.places.version import places_version
from domain.dial_view import Snapshot
from domain.gate.permit import Never
from projections.contacts.closed_groups import ungrouped, waiting_of_groups
from projections.contacts.outdated_groups import outdated_groups
from projections.tables.checkpoint import position_of
from storage.database import Pool
from storage.process.places_progress import PlacesProgress

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
        progress: PlacesProgress,
    ) -> None:
        self._pool, self._group, self._withhold = pool, group, withhold
        self._progress = progress
        self._regrouped: str | None = None

    def run(self, seen: Snapshot) -> bool:
        """Do one pass; return whether there may be more to do."""
        regrouped = self._regroup()
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
        return grouped + withheld > 0 or regrouped

    def _regroup(self) -> bool:
        """Determine the next groups by the present data; return if there may be more.

        A process that dies in between continues with the same rows.
        """
        version = places_version()
        if self._regrouped == version:
            return False
        with self._pool.connection() as conn:
            progress = self._progress.of(version, position_of(conn))
            if progress.is_complete:
                self._regrouped = version
                return False
            contacts, progress = outdated_groups(conn, progress, MOST)
        changed = self._group(contacts)
        self._progress.keep(version, progress)
        if changed:
            log.info("%s contacts have other places than at their import", changed)
        return True
