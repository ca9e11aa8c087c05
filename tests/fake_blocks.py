"""The port ListBlocks in memory: a set of numbers for each list version."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from application.suppression_lists.blocks import (
    BLOCK_NUMBERS,
    Block,
    BlockIds,
    Numbers,
)
from application.suppression_lists.list_blocks import Mask


@dataclass
class StoredVersion:
    """The numbers of a version as digits, and the ids of its blocks that are lost."""

    numbers: set[int]
    lost: set[int] = field(default_factory=set)
    retired_at: datetime | None = None


class FakeBlocks:
    """Versions by id; a test may store `versions` without blocks."""

    def __init__(self, versions: dict[UUID, StoredVersion] | None = None) -> None:
        self.versions = dict(versions or {})

    def write(
        self, version_id: UUID, blocks: Iterable[Block], now: datetime
    ) -> BlockIds:
        stored = list(blocks)
        numbers = {number for block in stored for number in _numbers_of(block)}
        self.versions[version_id] = StoredVersion(numbers)
        return BlockIds.of([block.id for block in stored])

    def retire(self, active: Collection[UUID], now: datetime) -> int:
        for id_, version in self.versions.items():
            if version.retired_at is None and id_ not in active:
                version.retired_at = now
        old = [
            id_
            for id_, version in self.versions.items()
            if version.retired_at and version.retired_at < now - timedelta(hours=1)
        ]
        for id_ in old:
            del self.versions[id_]
        return len(old)

    def look_up_many(
        self, version: UUID, numbers: Sequence[str]
    ) -> tuple[set[str], set[str]]:
        states = {number: self._look_up(version, int(number)) for number in numbers}
        return (
            {number for number, (contained, _) in states.items() if contained},
            {number for number, (_, unreadable) in states.items() if unreadable},
        )

    def look_up_digits(self, version: UUID, numbers: Numbers) -> tuple[Mask, Mask]:
        states = [self._look_up(version, number) for number in numbers.tolist()]
        return (
            np.array([contained for contained, _ in states], np.bool_),
            np.array([unreadable for _, unreadable in states], np.bool_),
        )

    def _look_up(self, version_id: UUID, number: int) -> tuple[bool, bool]:
        """Return whether a version contains a number, and whether it is unreadable."""
        version = self.versions.get(version_id)
        if version is None or number // BLOCK_NUMBERS in version.lost:
            return False, True
        return number in version.numbers, False


def _numbers_of(block: Block) -> Iterable[int]:
    bits = np.frombuffer(block.bits, np.uint8)
    set_bits = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    return (block.id * BLOCK_NUMBERS + bit for bit in set_bits.tolist())
