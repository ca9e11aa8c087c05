import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

from application.errors import StoreUnavailable
from interfaces.files.sweeping import remove_expired
from storage.vault.uploads import UploadStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PATIENCE = 10.0


class Uploads(UploadStore):
    """Records its calls; the first one fails as if the database were down."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []
        self.twice = Event()

    def remove_expired(self, now: datetime) -> int:
        self.asked.append(now)
        if len(self.asked) == 1:
            raise StoreUnavailable("away")
        self.twice.set()
        return 1


def test_expired_uploads_are_removed_regularly_even_after_failures() -> None:
    uploads = Uploads()

    async def served(now: Callable[[], datetime]) -> bool:
        async with remove_expired(uploads, now, every=0.01):
            return await asyncio.to_thread(uploads.twice.wait, PATIENCE)

    assert asyncio.run(served(lambda: NOON))
    assert set(uploads.asked) == {NOON}


def test_the_removal_of_expired_uploads_ends_with_its_block() -> None:
    async def served() -> int:
        async with remove_expired(Uploads(), lambda: NOON, every=0.01):
            pass
        return len(asyncio.all_tasks())

    assert asyncio.run(served()) == 1, "only the test's own task is left"
