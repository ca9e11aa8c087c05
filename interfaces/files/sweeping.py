"""Removes expired uploads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import structlog

from application.errors import StoreUnavailable
from storage.vault.uploads import UploadStore

EVERY_SECONDS = 900.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def remove_expired_uploads(
    store: UploadStore, now: Callable[[], datetime], *, every: float = EVERY_SECONDS
) -> AsyncIterator[None]:
    """Remove expired uploads now and every `every` seconds during the block."""
    sweeping = asyncio.create_task(_sweep(store, now, every))
    try:
        yield
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping


async def _sweep(store: UploadStore, now: Callable[[], datetime], every: float) -> None:
    while True:
        try:
            removed = await asyncio.to_thread(store.remove_expired, now())
        except StoreUnavailable as error:
            log.warning("expired uploads could not be removed", error=str(error))
        else:
            if removed:
                log.info("expired uploads removed", uploads=removed)
        await asyncio.sleep(every)
