"""Reads the contacts that changed, once for all subscriptions that wait for them."""

from asyncio import gather
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from interfaces.graphql.merged_reads import MergedReads
from interfaces.graphql.push.shared_frames import Frames
from projections.contacts import contact_log
from projections.contacts.contact_row import ContactRow
from projections.contacts.moved_contacts import MovedContacts, Since, moved_contacts

CONTACTS_A_FRAME = 500
MOST_CAMPAIGNS = 200
"""Campaigns whose changes are read by one statement."""


@dataclass(frozen=True, slots=True, eq=False)
class ContactUpdate:
    """Contacts that changed, up to `position` of the log.

    `rows` is None if they are more than one frame has: then each subscription reads the
    rows of its own frames, so that they are never all in memory.
    """

    ids: list[UUID]
    position: int
    rows: list[ContactRow] | None
    frames: Frames = field(default_factory=Frames)


class Read(Protocol):
    """Runs a query of the read model in a thread."""

    def __call__[R](self, query: Callable[..., R], *args: Any) -> Awaitable[R]:
        """Return the result of the query."""


class ContactUpdates:
    """The updates of campaigns; `rows` reads contacts by id."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._updates = MergedReads(self._read_updates, MOST_CAMPAIGNS)
        self.rows = MergedReads(self._read_rows, CONTACTS_A_FRAME)

    async def since(self, campaign_id: UUID, position: int) -> ContactUpdate:
        """Return the contacts of the campaign that changed after this position."""
        since = Since(campaign_id, position)
        return (await self._updates.of([since]))[since]

    async def _read_updates(self, since: list[Since]) -> dict[Since, ContactUpdate]:
        moved = await self._read(moved_contacts, since)
        updates = await gather(*map(self._update, moved.values()))
        return dict(zip(moved, updates, strict=True))

    async def _update(self, moved: MovedContacts) -> ContactUpdate:
        if len(moved.ids) > CONTACTS_A_FRAME:
            return ContactUpdate(moved.ids, moved.position, None)
        rows = await self.rows.of(moved.ids)
        return ContactUpdate(moved.ids, moved.position, list(rows.values()))

    async def _read_rows(self, ids: list[UUID]) -> dict[UUID, ContactRow]:
        rows = await self._read(contact_log.of_ids, ids)
        return {row.id: row for row in rows}
