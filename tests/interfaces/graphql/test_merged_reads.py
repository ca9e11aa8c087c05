"""Reads of many tasks share statements, and each task gets its own keys."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from interfaces.graphql.merged_reads import MergedReads


class Statements:
    """Reads the square of each number; each statement ends when it is released."""

    def __init__(self) -> None:
        self.read: list[list[int]] = []
        self.release = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, keys: list[int]) -> dict[int, int]:
        self.read.append(keys)
        await self.release.acquire()
        if self.error is not None:
            raise self.error
        return {key: key * key for key in keys if key >= 0}


async def started(*requests: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    """Start tasks, and run the loop until each of them waits."""
    tasks = [asyncio.create_task(request) for request in requests]
    for _ in range(10):
        await asyncio.sleep(0)
    return tasks


def test_requests_that_arrive_during_a_statement_share_the_next_one() -> None:
    async def run() -> None:
        statements = Statements()
        reads = MergedReads(statements, most=10)
        first = await started(reads.of([1]))
        later = await started(reads.of([2, 3]), reads.of([3, 4]))
        assert statements.read == [[1]]
        statements.release.release()
        statements.release.release()
        assert await asyncio.gather(*first) == [{1: 1}]
        assert await asyncio.gather(*later) == [{2: 4, 3: 9}, {3: 9, 4: 16}]
        assert statements.read == [[1], [2, 3, 4]]

    asyncio.run(run())


def test_a_statement_reads_no_more_keys_than_allowed_unless_one_request_has_more() -> (
    None
):
    async def run() -> None:
        statements = Statements()
        reads = MergedReads(statements, most=3)
        tasks = await started(*(reads.of(keys) for keys in ([1, 2], [3, 4], [*"abcd"])))
        for _ in range(3):
            statements.release.release()
        with pytest.raises(TypeError):
            await tasks[2]
        assert await asyncio.gather(*tasks[:2]) == [{1: 1, 2: 4}, {3: 9, 4: 16}]
        assert statements.read == [[1, 2], [3, 4], [*"abcd"]]

    asyncio.run(run())


def test_keys_without_a_value_are_missing_and_no_keys_need_no_statement() -> None:
    async def run() -> None:
        statements = Statements()
        statements.release.release()
        reads = MergedReads(statements, most=3)
        assert await reads.of([-1, 2]) == {2: 4}
        assert await reads.of([]) == {}
        assert statements.read == [[-1, 2]]

    asyncio.run(run())


def test_an_error_is_raised_in_each_task_of_the_statement_and_in_no_other() -> None:
    async def run() -> None:
        statements = Statements()
        reads = MergedReads(statements, most=10)
        failing = await started(reads.of([1]), reads.of([2]))
        statements.error = ValueError("the database is away")
        statements.release.release()
        for task in failing:
            with pytest.raises(ValueError, match="the database is away"):
                await task
        statements.error = None
        statements.release.release()
        assert await reads.of([3]) == {3: 9}

    asyncio.run(run())


def test_a_canceled_task_is_forgotten_and_the_others_get_their_values() -> None:
    async def run() -> None:
        statements = Statements()
        reads = MergedReads(statements, most=10)
        running, *waiting = await started(*(reads.of([1]), reads.of([1])))
        later = await started(reads.of([2]), reads.of([3]))
        running.cancel()
        later[0].cancel()
        statements.release.release()
        statements.release.release()
        assert await asyncio.gather(*waiting, later[1]) == [{1: 1}, {3: 9}]
        assert statements.read == [[1], [3]]

    asyncio.run(run())
