"""Passes changes of the read model from its feed to many subscribers in the event loop.

The first change of a campaign is passed on at once. Those that follow are merged into
one notification per BEAT_SECONDS, and the last one is always passed on. A slow
subscriber has no queue: it receives one merged change when it waits again.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

BEAT_SECONDS = 0.25

type Changed = frozenset[UUID] | None
"""Ids of the campaigns that changed; None if any campaign may have changed."""


class Subscriber:
    """Collects what changed since its owner last waited."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._campaigns: set[UUID] = set()
        self._any = False

    def notify(self, campaigns: Changed) -> None:
        """Wake the subscriber up; None means that any campaign may have changed."""
        self._any = self._any or campaigns is None
        self._campaigns.update(campaigns or ())
        self._event.set()

    async def wait(self, seconds: float) -> tuple[bool, Changed]:
        """Wait up to `seconds` for a change; return whether one came, and which."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False, frozenset()
        changed = None if self._any else frozenset(self._campaigns)
        self._event.clear()
        self._campaigns, self._any = set(), False
        return True, changed


class _Channel:
    """The subscribers of one campaign, or of all, and their rate limit."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.subscribers: set[Subscriber] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._held: list[Changed] = []

    def change(self, campaigns: Changed) -> None:
        self._held.append(campaigns)
        if self._timer is None:
            self._publish()

    def _publish(self) -> None:
        """Pass on the collected changes and start the timer; stop if there are none."""
        if not self._held:
            self._timer = None
            return
        merged = _merged(self._held)
        self._held = []
        for subscriber in self.subscribers:
            subscriber.notify(merged)
        self._timer = self._loop.call_later(BEAT_SECONDS, self._publish)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _merged(held: list[Changed]) -> Changed:
    named: set[UUID] = set()
    for campaigns in held:
        if campaigns is None:
            return None
        named |= campaigns
    return frozenset(named)


class Broadcaster:
    """Notifies the subscribers of each campaign, and those of all campaigns."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._channels: dict[UUID | None, _Channel] = {}

    @property
    def subscriber_count(self) -> int:
        """Number of open subscriptions."""
        return sum(
            len(channel.subscribers) for channel in tuple(self._channels.values())
        )

    def publish(self, _position: int, campaigns: Changed) -> None:
        """Pass a change on. Thread-safe, and harmless after the loop was closed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._change, campaigns)

    def _change(self, campaigns: Changed) -> None:
        for campaign_id, channel in self._channels.items():
            if campaign_id is None:
                channel.change(campaigns)
            elif campaigns is None or campaign_id in campaigns:
                channel.change(frozenset({campaign_id}))

    @contextmanager
    def subscribed(self, campaign_id: UUID | None = None) -> Iterator[Subscriber]:
        """Subscribe to one campaign, or to all, for the duration of the block."""
        channel = self._channels.setdefault(campaign_id, _Channel(self._loop))
        subscriber = Subscriber()
        channel.subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            channel.subscribers.discard(subscriber)
            if not channel.subscribers:
                channel.close()
                self._channels.pop(campaign_id, None)
