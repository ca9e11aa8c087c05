"""Blocks of list versions: written, read, found missing, and deleted in time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from application.suppression_lists.blocks import BlockBuilder
from storage.database import Pool, open_pool
from storage.suppression.blocks import BlocksMissing, BlockStore

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
        builder.add(np.array([int(number) for number in numbers], np.int64))
        store.write(version, builder.blocks(), NOW)
    return version


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
