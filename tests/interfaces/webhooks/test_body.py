"""The limit on the memory that all webhooks of a process use together."""

import asyncio

import pytest

from interfaces.http.request_body import SMALL_BODY
from interfaces.webhooks.body import Memory, Refused


def test_small_bodies_share_a_limit_in_bytes() -> None:
    async def scenario() -> None:
        memory = Memory(small_bytes=100)
        with memory.share() as first:
            await first.grow(40)
            await first.grow(60)
            with memory.share() as second:
                await second.grow(40)
                with pytest.raises(Refused) as refused:
                    await second.grow(41)
                assert (refused.value.status, refused.value.code) == (
                    503,
                    "UNAVAILABLE",
                )
                assert refused.value.headers == {"Retry-After": "5"}
        with memory.share() as third:
            await third.grow(100)

    asyncio.run(scenario())


def test_a_large_body_waits_for_a_slot_and_is_refused_after_a_time() -> None:
    async def scenario() -> None:
        memory = Memory(large=1, wait_seconds=0.1)
        with memory.share() as first, memory.share() as second:
            await first.grow(SMALL_BODY + 1)
            with pytest.raises(Refused) as refused:
                await second.grow(SMALL_BODY + 1)
            assert refused.value.status == 503
        with memory.share() as third:
            await third.grow(SMALL_BODY + 1)

    asyncio.run(scenario())


def test_large_bodies_do_not_use_the_memory_of_small_ones() -> None:
    async def scenario() -> None:
        memory = Memory(small_bytes=SMALL_BODY, large=1)
        with memory.share() as large, memory.share() as small:
            await large.grow(SMALL_BODY)
            await large.grow(SMALL_BODY + 1)
            await small.grow(SMALL_BODY)

    asyncio.run(scenario())
