"""Subscriptions to the changes of campaigns and contacts."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import batched
from uuid import UUID

import strawberry

from domain.errors import NotFound
from interfaces.graphql.context import Context, Info
from interfaces.graphql.permissions import EVERYBODY, subscription
from interfaces.graphql.push.broadcaster import Changed, Subscriber
from interfaces.graphql.push.contact_updates import CONTACTS_A_FRAME, ContactUpdate
from interfaces.graphql.push.shared_frames import Frames
from interfaces.graphql.types.campaigns.progress import CampaignProgress
from interfaces.graphql.types.contacts.contacts import Contact
from interfaces.graphql.types.paging import as_uuid
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignProgress as ProgressRow
from projections.contacts.contact_row import ContactRow
from projections.tables.checkpoint import position_of

QUIET_SECONDS = 60.0


@strawberry.type
class Changes:
    """Subscriptions to campaigns and contacts."""

    @subscription(EVERYBODY)
    async def campaign_progress(
        self, info: Info, campaign_id: strawberry.ID
    ) -> AsyncGenerator[CampaignProgress, None]:
        """Yield one campaign's counters at once and after each change."""
        id_, context = as_uuid("campaign", campaign_id), info.context
        with context.backend.broadcaster.subscribed(id_) as subscriber:
            sent = await _progress(context, id_)
            yield _shown(sent)
            async for _ in changes_of(subscriber):
                row = await _progress(context, id_)
                if _differs(row, sent):
                    sent = row
                    yield _shown(row)

    @subscription(EVERYBODY, "The progress of each campaign that changes.")
    async def campaigns_progress(
        self, info: Info
    ) -> AsyncGenerator[CampaignProgress, None]:
        """Yield the counters of all campaigns at once, then of each changed one."""
        context, sent = info.context, dict[UUID, ProgressRow]()
        with context.backend.broadcaster.subscribed() as subscriber:
            async for changed in _at_once_and_on_changes(subscriber):
                rows = await context.backend.read(campaign_board.progress_of, changed)
                for row in rows:
                    if _differs(row, sent.get(row.campaign_id)):
                        sent[row.campaign_id] = row
                        yield _shown(row)

    @subscription(EVERYBODY, "Contacts of this campaign whose status changed.")
    async def contact_updates(
        self, info: Info, campaign_id: strawberry.ID
    ) -> AsyncGenerator[list[Contact], None]:
        """Yield changed contacts, at most CONTACTS_A_FRAME per frame."""
        id_, context = as_uuid("campaign", campaign_id), info.context
        with context.backend.broadcaster.subscribed(id_) as subscriber:
            position = await context.backend.read(position_of)
            async for _ in changes_of(subscriber):
                update = await context.backend.contact_updates.since(id_, position)
                async for frame in _frames(context, update):
                    yield frame
                position = update.position


async def _progress(context: Context, campaign_id: UUID) -> ProgressRow:
    """Read the counters; requests of the same moment share one statement."""
    row = await context.backend.progress.load(campaign_id)
    if row is None:
        raise NotFound("campaign", campaign_id)
    return row


@lru_cache(maxsize=256)
def _shown(row: ProgressRow) -> CampaignProgress:
    """Return one object per row, so that all subscriptions share its frames."""
    return CampaignProgress.of(row)


def _differs(row: ProgressRow, sent: ProgressRow | None) -> bool:
    return sent is None or replace(row, position=sent.position) != sent


async def _at_once_and_on_changes(subscriber: Subscriber) -> AsyncIterator[Changed]:
    yield None
    async for changed in changes_of(subscriber):
        yield changed


async def changes_of(subscriber: Subscriber) -> AsyncIterator[Changed]:
    """Yield each change; the socket is closed when the member's access ends."""
    while True:
        has_changed, changed = await subscriber.wait(QUIET_SECONDS)
        if has_changed:
            yield changed


class ContactFrame(list[Contact]):
    """Contacts of one frame; equal frames of an update share what is resolved."""

    def __init__(self, rows: Iterable[ContactRow], frames: Frames) -> None:
        super().__init__(map(Contact.of, rows))
        self.frames = frames


async def _frames(
    context: Context, update: ContactUpdate
) -> AsyncIterator[list[Contact]]:
    if update.rows is not None:
        if update.rows:
            yield ContactFrame(update.rows, update.frames)
        return
    for some in batched(update.ids, CONTACTS_A_FRAME):
        rows = await context.backend.contact_updates.rows.of(some)
        yield [Contact.of(row) for row in rows.values()]
