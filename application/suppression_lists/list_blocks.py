"""The port to the stored numbers of imported suppression lists."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from application.suppression_lists.blocks import Block, BlockIds, Numbers

type Mask = NDArray[np.bool_]
"""One truth value for each of many numbers."""


class ListBlocks(Protocol):
    """Stores the blocks of list versions, and looks many numbers up in a version.

    Looking up never raises for a block that is missing: its numbers are returned as
    not readable, and the caller decides what that means for a call.
    """

    def write(
        self, version_id: UUID, blocks: Iterable[Block], now: datetime
    ) -> BlockIds:
        """Store the blocks of a new version; return their ids."""

    def retire(self, active: Collection[UUID], now: datetime) -> int:
        """Retire the versions that are not active, and delete those retired before.

        A version is deleted once it has been retired for longer than an hour. Returns
        how many versions were deleted.
        """

    def look_up_many(
        self, version: UUID, numbers: Sequence[str]
    ) -> tuple[set[str], set[str]]:
        """Return the E.164 numbers that a version contains, and those not readable."""

    def look_up_digits(self, version: UUID, numbers: Numbers) -> tuple[Mask, Mask]:
        """Return which numbers a version contains, and which are not readable.

        `numbers` are the digits of E.164 as whole numbers.
        """
