"""Limits the number of uploads that one process receives at a time."""

from asyncio import Semaphore, timeout
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import HTTPException

from domain.wording import counted

MEMBER_SLOTS = 2
SLOTS = 6
"""More than one member can occupy: slow uploads of one never block the others."""

WAITING_SECONDS = 3.0
"""How long a request waits for a slot before it is refused."""

RETRY_AFTER_SECONDS = 10


@dataclass
class UploadSlots:
    """Limits concurrent uploads, of each member and of all together."""

    of_member: int = MEMBER_SLOTS
    of_all: int = SLOTS
    waiting_seconds: float = WAITING_SECONDS
    _members: dict[str, Semaphore] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._all = Semaphore(self.of_all)

    @asynccontextmanager
    async def taken(self, member: str) -> AsyncIterator[None]:
        """Hold a slot within the block.

        Raises:
            HTTPException: 429 if the member's slots stay occupied, 503 if all slots
                do; both with Retry-After.
        """
        own = self._members.setdefault(member, Semaphore(self.of_member))
        message = f"{self.of_member} of your files are already being received"
        await self._acquire(own, 429, message)
        try:
            message = (
                f"{counted(self.of_all, 'file is', 'files are')} already being received"
            )
            await self._acquire(self._all, 503, message)
            try:
                yield
            finally:
                self._all.release()
        finally:
            own.release()

    async def _acquire(self, slots: Semaphore, status: int, message: str) -> None:
        try:
            async with timeout(self.waiting_seconds):
                await slots.acquire()
        except TimeoutError as error:
            wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            message = f"{message}: try again in {RETRY_AFTER_SECONDS} s."
            raise HTTPException(status, message, wait) from error
