"""The contract of the port ListBlocks, for the fake and for the store in Postgres."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from application.suppression_lists.blocks import (
    BlockBuilder,
    BlockIds,
    Numbers,
    block_of,
)
from application.suppression_lists.list_blocks import ListBlocks
from storage.database import Pool, open_pool
from storage.suppression.blocks import BlockStore
from tests.fake_blocks import FakeBlocks

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LISTED = ("+12025550100", "+12025559999", "+13055550102", "+442079460000")
OTHERS = ("+12025550101", "+33142685300")
SAME_BLOCK = {"+12025550100", "+12025559999", "+12025550101"}
"""The numbers of LISTED and OTHERS that lie in one block."""


@dataclass
class Side:
    """An implementation; `lose(version, number)` loses the block of the number."""

    blocks: ListBlocks
    lose: Callable[[UUID, str], None]

    def written(self, numbers: tuple[str, ...] = LISTED) -> UUID:
        version = uuid4()
        self.write(version, numbers)
        return version

    def write(self, version: UUID, numbers: tuple[str, ...]) -> BlockIds:
        with BlockBuilder() as builder:
            builder.add(digits(numbers))
            return self.blocks.write(version, builder.blocks(), NOW)

    def is_readable(self, version: UUID) -> bool:
        _, unreadable = self.blocks.look_up_many(version, LISTED)
        return not unreadable


def digits(numbers: tuple[str, ...]) -> Numbers:
    return np.array([int(number) for number in numbers], np.int64)


def fake() -> Side:
    blocks = FakeBlocks()

    def lose(version: UUID, number: str) -> None:
        blocks.versions[version].lost.add(block_of(number)[0])

    return Side(blocks, lose)


def postgres(pool: Pool) -> Side:
    def lose(version: UUID, number: str) -> None:
        with pool.connection() as conn:
            conn.execute(
                "delete from suppression_block where version_id = %s and block_id = %s",
                (version, block_of(number)[0]),
            )

    return Side(BlockStore(pool), lose)


@pytest.fixture(params=["fake", "postgres"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "fake":
        yield fake()
        return
    with open_pool(request.getfixturevalue("database"), name="test") as pool:
        yield postgres(pool)


def test_the_ids_of_the_written_blocks_are_returned(side: Side) -> None:
    ids = side.write(uuid4(), LISTED)
    wanted = BlockIds.of([1_202_555, 1_305_555, 44_207_946])
    assert ids.digest() == wanted.digest()


def test_exactly_the_numbers_of_a_version_are_found(side: Side) -> None:
    version, other = side.written(), side.written(OTHERS)
    every = (*LISTED, *OTHERS)
    assert side.blocks.look_up_many(version, every) == (set(LISTED), set())
    assert side.blocks.look_up_many(other, every) == (set(OTHERS), set())


def test_digits_are_looked_up_as_numbers_in_their_order(side: Side) -> None:
    asked = (OTHERS[0], *LISTED, OTHERS[1], LISTED[0])
    contained, unreadable = side.blocks.look_up_digits(side.written(), digits(asked))
    assert contained.tolist() == [False, True, True, True, True, False, True]
    assert not unreadable.any()


def test_the_numbers_of_a_lost_block_are_unreadable(side: Side) -> None:
    version = side.written()
    side.lose(version, LISTED[0])
    every = (*LISTED, *OTHERS)
    expected = (set(LISTED) - SAME_BLOCK, SAME_BLOCK)
    assert side.blocks.look_up_many(version, every) == expected
    contained, unreadable = side.blocks.look_up_digits(version, digits(every))
    assert contained.tolist() == [False, False, True, True, False, False]
    assert unreadable.tolist() == [True, True, False, False, True, False]


def test_no_number_of_an_unknown_version_is_readable(side: Side) -> None:
    assert side.blocks.look_up_many(uuid4(), LISTED) == (set(), set(LISTED))
    contained, unreadable = side.blocks.look_up_digits(uuid4(), digits(LISTED))
    assert not contained.any()
    assert unreadable.all()


def test_looking_up_no_numbers_returns_nothing(side: Side) -> None:
    version = side.written()
    assert side.blocks.look_up_many(version, ()) == (set(), set())
    contained, unreadable = side.blocks.look_up_digits(version, digits(()))
    assert (len(contained), len(unreadable)) == (0, 0)


def test_a_version_is_deleted_when_it_was_retired_more_than_an_hour_ago(
    side: Side,
) -> None:
    old, active = side.written(), side.written()
    assert side.blocks.retire([active], NOW) == 0
    assert side.blocks.retire([active], NOW + HOUR) == 0
    assert side.is_readable(old)
    assert side.blocks.retire([active], NOW + HOUR + MINUTE) == 1
    assert side.blocks.look_up_many(old, LISTED) == (set(), set(LISTED))
    assert side.blocks.look_up_many(active, LISTED) == (set(LISTED), set())
