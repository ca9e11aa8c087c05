"""Removes expired uploads and the blocks of replaced suppression lists."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Protocol

import structlog

from application.errors import StoreUnavailable

EVERY_SECONDS = 900.0

log = structlog.get_logger(__name__)


class Expiring(Protocol):
    """What holds rows that are not needed for ever."""

    def remove_expired(self, now: datetime) -> int:
        """Remove what has expired; return how many entries were removed."""


@asynccontextmanager
async def remove_expired(
    store: Expiring, now: Callable[[], datetime], *, every: float = EVERY_SECONDS
) -> AsyncIterator[None]:
    """Remove expired entries now and every `every` seconds during the block."""
    sweeping = asyncio.create_task(_sweep(store, now, every))
    try:
        yield
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping


async def _sweep(store: Expiring, now: Callable[[], datetime], every: float) -> None:
    while True:
        try:
            removed = await asyncio.to_thread(store.remove_expired, now())
        except StoreUnavailable as error:
            log.warning("expired entries could not be removed", error=str(error))
        else:
            if removed:
                log.info("expired entries removed", entries=removed)
        await asyncio.sleep(every)
