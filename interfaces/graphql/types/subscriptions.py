"""What is sent by itself, as it changes."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from functools import lru_cache
from itertools import batched
from uuid import UUID

import strawberry

from domain.errors import NotFound
from interfaces.graphql.context import Context, Info
from interfaces.graphql.permissions import EVERYBODY, subscription
from interfaces.graphql.push.broadcaster import Changed, Ear
from interfaces.graphql.types.contacts import Contact
from interfaces.graphql.types.paging import as_uuid
from interfaces.graphql.types.progress import CampaignProgress
from projections import campaign_board, contact_log, tables
from projections import moved_contacts as changes
from projections.campaign_board import CampaignProgress as ProgressRow

CONTACTS_A_FRAME = 500
QUIET_SECONDS = 60.0


@strawberry.type
class Changes:
    @subscription(EVERYBODY)
    async def campaign_progress(
        self, info: Info, campaign_id: strawberry.ID
    ) -> AsyncGenerator[CampaignProgress, None]:
        id_, context = as_uuid("campaign", campaign_id), info.context
        with context.backend.hub.listening(id_) as ear:
            sent = await _progress(context, id_)
            yield _shown(sent)
            async for _ in changes_heard(ear):
                row = await _progress(context, id_)
                if _differs(row, sent):
                    sent = row
                    yield _shown(row)

    @subscription(EVERYBODY, "The progress of every campaign that changes, for a list.")
    async def campaigns_progress(
        self, info: Info
    ) -> AsyncGenerator[CampaignProgress, None]:
        context, sent = info.context, dict[UUID, ProgressRow]()
        with context.backend.hub.listening() as ear:
            async for changed in _at_once_and_on_changes(ear):
                rows = await context.backend.read(campaign_board.progress_of, changed)
                for row in rows:
                    if _differs(row, sent.get(row.campaign_id)):
                        sent[row.campaign_id] = row
                        yield _shown(row)

    @subscription(EVERYBODY, "Contacts of this campaign whose status changed.")
    async def contact_updates(
        self, info: Info, campaign_id: strawberry.ID
    ) -> AsyncGenerator[list[Contact], None]:
        id_, context = as_uuid("campaign", campaign_id), info.context
        with context.backend.hub.listening(id_) as ear:
            position = await context.backend.read(tables.position_of)
            async for _ in changes_heard(ear):
                until = await context.backend.read(tables.position_of)
                async for frame in _moved(context, id_, position, until):
                    yield frame
                position = until


async def _progress(context: Context, campaign_id: UUID) -> ProgressRow:
    """Read counters in one statement for all who ask in the same instant."""
    row = await context.backend.progress.load(campaign_id)
    if row is None:
        raise NotFound("campaign", campaign_id)
    return row


@lru_cache(maxsize=256)
def _shown(row: ProgressRow) -> CampaignProgress:
    """Show one counter once: all who watch it get the same frame."""
    return CampaignProgress.of(row)


def _differs(row: ProgressRow, sent: ProgressRow | None) -> bool:
    return sent is None or replace(row, position=sent.position) != sent


async def _at_once_and_on_changes(ear: Ear) -> AsyncIterator[Changed]:
    yield None
    async for changed in changes_heard(ear):
        yield changed


async def changes_heard(ear: Ear) -> AsyncIterator[Changed]:
    """Tell each change; the socket ends when the member's access does."""
    while True:
        heard, changed = await ear.heard(QUIET_SECONDS)
        if heard:
            yield changed


async def _moved(
    context: Context, campaign_id: UUID, after: int, until: int
) -> AsyncIterator[list[Contact]]:
    read = context.backend.read
    ids = await read(changes.contacts_moved, campaign_id, after=after, until=until)
    for some in batched(ids, CONTACTS_A_FRAME):
        rows = await read(contact_log.of_ids, some)
        yield [Contact.of(row) for row in rows]
