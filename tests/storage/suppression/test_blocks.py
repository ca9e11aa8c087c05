"""Blocks of list versions: written, read, found missing, and deleted in time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from application.suppression_lists.blocks import BLOCK_NUMBERS, BlockBuilder, BlockIds
from storage.database import Pool, open_pool
from storage.suppression import blocks
from storage.suppression.blocks import (
    NUMBERS_PER_BLOCK,
    ROWS,
    BlocksMissing,
    BlockStore,
    block_faults,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LISTED = ("+12025550100", "+12025559999", "+13055550102", "+442079460000")
OTHERS = ("+12025550101", "+12025560100", "+33142685300")


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, name="test") as pool:
        yield pool


def written(store: BlockStore, numbers: tuple[str, ...] = LISTED) -> UUID:
    version = uuid4()
    with BlockBuilder() as builder:
        builder.add(digits(numbers))
        store.write(version, builder.blocks(), NOW)
    return version


def digits(numbers: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([int(number) for number in numbers], np.int64)


def contained(pool: Pool, store: BlockStore, version: UUID, number: str) -> bool:
    with pool.connection() as conn:
        return store.contained(conn, [version], number)[version]


def test_exactly_the_numbers_of_a_version_are_found(pool: Pool) -> None:
    store = BlockStore(pool)
    version, other = written(store), written(store, OTHERS)
    assert all(contained(pool, store, version, number) for number in LISTED)
    assert not any(contained(pool, store, version, number) for number in OTHERS)
    with pool.connection() as conn:
        found = store.contained(conn, [version, other], OTHERS[0])
    assert found == {version: False, other: True}


def test_a_block_that_is_listed_and_not_stored_is_an_error(pool: Pool) -> None:
    store = BlockStore(pool)
    version = written(store)
    with pool.connection() as conn:
        conn.execute("delete from suppression_block where block_id = 1202555")
    with pytest.raises(BlocksMissing):
        contained(pool, store, version, LISTED[0])
    assert contained(pool, store, version, LISTED[2])


def test_a_block_of_another_length_counts_as_missing(pool: Pool) -> None:
    store = BlockStore(pool)
    version = written(store)
    with pool.connection() as conn:
        conn.execute("update suppression_block set bits = 'short'")
    with pytest.raises(BlocksMissing):
        contained(pool, store, version, LISTED[0])
    assert store.look_up([version], LISTED[0]) == {}
    assert store.look_up_many(version, LISTED) == (set(), set(LISTED))


SPOILT = {
    "delete from suppression_version": "its header is missing",
    "update suppression_version set block_ids = 'x'": "its header cannot be read",
    "update suppression_version set block_ids = null": "its header cannot be read",
    "delete from suppression_block where block_id = 1202555": (
        "1 of its 3 blocks are missing"
    ),
    "update suppression_block set bits = 'x'": "3 of its 3 blocks are missing",
}


@pytest.mark.parametrize("change", SPOILT)
def test_a_version_that_is_not_complete_is_named_with_the_reason(
    pool: Pool, change: str
) -> None:
    store = BlockStore(pool)
    version, digest = written(store), BlockIds.of([1202555, 1305555, 44207946]).digest()
    with pool.connection() as conn:
        assert block_faults(conn, {version: digest}) == {}
        conn.execute(change.encode())
        assert block_faults(conn, {version: digest}) == {version: SPOILT[change]}


def test_the_header_of_another_version_is_named(pool: Pool) -> None:
    version = written(BlockStore(pool))
    with pool.connection() as conn:
        [fault] = block_faults(conn, {version: "another"}).values()
    assert fault == "its header is not the one that was activated"


def test_a_version_without_a_header_is_an_error(pool: Pool) -> None:
    with pytest.raises(BlocksMissing):
        contained(pool, BlockStore(pool), uuid4(), LISTED[0])


def test_a_replaced_version_is_deleted_an_hour_later(pool: Pool) -> None:
    store = BlockStore(pool)
    old, active = written(store), written(store)
    assert store.retire([active], NOW) == 0
    assert store.retire([active], NOW + timedelta(minutes=59)) == 0
    assert contained(pool, store, old, LISTED[0])
    assert store.retire([active], NOW + timedelta(minutes=61)) == 1
    with pytest.raises(BlocksMissing):
        contained(pool, BlockStore(pool), old, LISTED[0])
    assert contained(pool, store, active, LISTED[0])


def test_a_version_being_written_is_not_deleted(pool: Pool) -> None:
    store = BlockStore(pool)
    version = written(store)
    with pool.connection() as conn:
        conn.execute("update suppression_version set block_ids = null")
    store.retire([], NOW + timedelta(hours=2))
    store.retire([], NOW + timedelta(hours=4))
    with pool.connection() as conn:
        left = conn.execute("select version_id from suppression_version").fetchall()
    assert left == [(version,)]


def test_many_numbers_are_looked_up_at_once(pool: Pool) -> None:
    store = BlockStore(pool)
    version = written(store)
    asked = digits((OTHERS[0], *LISTED, *OTHERS[1:]))
    listed, unreadable = store.look_up_digits(version, asked)
    assert listed.tolist() == [False, True, True, True, True, False, False]
    assert not unreadable.any()
    with pool.connection() as conn:
        conn.execute("delete from suppression_block where block_id = 1202555")
    listed, unreadable = store.look_up_digits(version, asked)
    assert listed.tolist() == [False, False, False, True, True, False, False]
    assert unreadable.tolist() == [True, True, True, False, False, False, False]
    assert store.look_up_many(version, (*LISTED, *OTHERS)) == (
        {LISTED[2], LISTED[3]},
        {*LISTED[:2], OTHERS[0]},
    )
    nothing, _ = store.look_up_digits(version, asked[:0])
    assert not len(nothing)


@pytest.mark.parametrize("at_once", [1, 7, ROWS])
def test_many_numbers_of_each_block_are_looked_up_as_single_ones(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Read whole blocks, some of which are lost, in batches of several sizes."""
    monkeypatch.setattr(blocks, "ROWS", at_once)
    random, store = Random(4), BlockStore(pool)
    first = 1_202_555 * BLOCK_NUMBERS
    near = [first + random.randrange(30 * BLOCK_NUMBERS) for _ in range(2_000)]
    version = written(store, tuple(f"+{number}" for number in near[:1_000]))
    lost = {1_202_555, 1_202_560, 1_202_584}
    with pool.connection() as conn:
        conn.execute(
            "delete from suppression_block where block_id = any(%s)", (list(lost),)
        )
    asked = np.array(near * NUMBERS_PER_BLOCK, np.int64)
    listed, unreadable = store.look_up_digits(version, asked)
    is_lost = [number // BLOCK_NUMBERS in lost for number in asked.tolist()]
    assert unreadable.tolist() == is_lost
    wanted = set(near[:1_000])
    assert listed.tolist() == [
        number in wanted and not gone
        for number, gone in zip(asked.tolist(), is_lost, strict=True)
    ]
