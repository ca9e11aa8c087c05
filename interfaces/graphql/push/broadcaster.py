"""From the read model's feed, heard in its thread, to many listeners in the loop.

A listener's first change is told at once, then bursts are merged: at most four times
a second for each campaign, and the last change is never left out. Nothing queues: a
listener that is slow finds one merged change when it comes back.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

BEAT_SECONDS = 0.25

type Changed = frozenset[UUID] | None
"""Campaigns; None for any."""


class Ear:
    """What changed since it was last asked."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._campaigns: set[UUID] = set()
        self._any = False

    def tell(self, campaigns: Changed) -> None:
        self._any = self._any or campaigns is None
        self._campaigns.update(campaigns or ())
        self._event.set()

    async def heard(self, seconds: float) -> tuple[bool, Changed]:
        """Wait so long for a change at most; say whether one came, and of what."""
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
    """The listeners to one campaign, or to all, with the pace of their changes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.ears: set[Ear] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._held: list[Changed] = []

    def change(self, campaigns: Changed) -> None:
        self._held.append(campaigns)
        if self._timer is None:
            self._publish()

    def _publish(self) -> None:
        """Tell what is held, then hold for a beat; with nothing held, rest."""
        if not self._held:
            self._timer = None
            return
        merged = _merged(self._held)
        self._held = []
        for ear in self.ears:
            ear.tell(merged)
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


class Hub:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._channels: dict[UUID | None, _Channel] = {}

    @property
    def listeners(self) -> int:
        return sum(len(channel.ears) for channel in tuple(self._channels.values()))

    def tell(self, _position: int, campaigns: Changed) -> None:
        """Pass a change on; any thread may call it, also when the loop is closed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._change, campaigns)

    def _change(self, campaigns: Changed) -> None:
        for campaign_id, channel in self._channels.items():
            if campaign_id is None:
                channel.change(campaigns)
            elif campaigns is None or campaign_id in campaigns:
                channel.change(frozenset({campaign_id}))

    @contextmanager
    def listening(self, campaign_id: UUID | None = None) -> Iterator[Ear]:
        """Listen to one campaign, or to all."""
        channel = self._channels.setdefault(campaign_id, _Channel(self._loop))
        ear = Ear()
        channel.ears.add(ear)
        try:
            yield ear
        finally:
            channel.ears.discard(ear)
            if not channel.ears:
                channel.close()
                self._channels.pop(campaign_id, None)
