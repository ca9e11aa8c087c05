"""Bursts are merged, the first change is told at once, the last is never left out."""

import asyncio
from uuid import UUID

from interfaces.graphql.push.broadcaster import BEAT_SECONDS, Changed, Hub

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_the_first_change_comes_at_once_and_the_next_after_a_beat() -> None:
    async def story() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        hub = Hub(loop)
        with hub.listening(ONE) as ear:
            began = loop.time()
            hub.tell(1, frozenset({ONE}))
            assert (await ear.heard(5))[0]
            first = loop.time() - began
            for position in range(2, 50):
                hub.tell(position, frozenset({ONE}))
            assert (await ear.heard(5))[0]
            second = loop.time() - began
            assert not (await ear.heard(3 * BEAT_SECONDS))[0]
            return first, second

    first, second = asyncio.run(story())
    assert first < BEAT_SECONDS
    assert second >= BEAT_SECONDS * 0.9


def test_a_listener_hears_of_its_own_campaign_only() -> None:
    async def story() -> tuple[bool, Changed]:
        hub = Hub(asyncio.get_running_loop())
        with hub.listening(ONE) as ear:
            hub.tell(1, frozenset({OTHER}))
            return await ear.heard(0.05)

    assert asyncio.run(story()) == (False, frozenset())


def test_a_change_of_anything_is_heard_by_all() -> None:
    async def story() -> list[Changed]:
        hub = Hub(asyncio.get_running_loop())
        with hub.listening(ONE) as one, hub.listening() as every:
            hub.tell(1, None)
            return [(await one.heard(5))[1], (await every.heard(5))[1]]

    assert asyncio.run(story()) == [frozenset({ONE}), None]


def test_who_was_slow_finds_one_merged_change() -> None:
    async def story() -> Changed:
        hub = Hub(asyncio.get_running_loop())
        with hub.listening() as slow, hub.listening() as quick:
            hub.tell(1, frozenset({ONE}))
            await quick.heard(5)
            hub.tell(2, frozenset({OTHER}))
            await quick.heard(5)
            return (await slow.heard(5))[1]

    assert asyncio.run(story()) == frozenset({ONE, OTHER})


def test_nothing_is_left_of_a_listener_that_went() -> None:
    async def story() -> int:
        hub = Hub(asyncio.get_running_loop())
        with hub.listening(ONE):
            pass
        return len(hub._channels)

    assert asyncio.run(story()) == 0


def test_a_change_after_the_end_is_nobody_s_business() -> None:
    async def made() -> Hub:
        return Hub(asyncio.get_running_loop())

    hub = asyncio.run(made())
    hub.tell(1, None)
    assert hub._channels == {}
