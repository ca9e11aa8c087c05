"""The first change is sent at once, a burst is merged, the last is never lost."""

import asyncio
from uuid import UUID

from interfaces.graphql.push.broadcaster import BEAT_SECONDS, Broadcaster, Changed

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_the_first_change_is_sent_at_once_and_the_next_after_the_interval() -> None:
    async def story() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        broadcaster = Broadcaster(loop)
        with broadcaster.subscribed(ONE) as subscriber:
            began = loop.time()
            broadcaster.publish(1, frozenset({ONE}))
            assert (await subscriber.wait(5))[0]
            first = loop.time() - began
            for position in range(2, 50):
                broadcaster.publish(position, frozenset({ONE}))
            assert (await subscriber.wait(5))[0]
            second = loop.time() - began
            assert not (await subscriber.wait(3 * BEAT_SECONDS))[0]
            return first, second

    first, second = asyncio.run(story())
    assert first < BEAT_SECONDS
    assert second >= BEAT_SECONDS * 0.9


def test_a_subscriber_is_notified_of_its_own_campaign_only() -> None:
    async def story() -> tuple[bool, Changed]:
        broadcaster = Broadcaster(asyncio.get_running_loop())
        with broadcaster.subscribed(ONE) as subscriber:
            broadcaster.publish(1, frozenset({OTHER}))
            return await subscriber.wait(0.05)

    assert asyncio.run(story()) == (False, frozenset())


def test_a_change_of_any_campaign_notifies_all_subscribers() -> None:
    async def story() -> list[Changed]:
        broadcaster = Broadcaster(asyncio.get_running_loop())
        with broadcaster.subscribed(ONE) as one, broadcaster.subscribed() as every:
            broadcaster.publish(1, None)
            return [(await one.wait(5))[1], (await every.wait(5))[1]]

    assert asyncio.run(story()) == [frozenset({ONE}), None]


def test_a_slow_subscriber_gets_one_merged_change() -> None:
    async def story() -> Changed:
        broadcaster = Broadcaster(asyncio.get_running_loop())
        with broadcaster.subscribed() as slow, broadcaster.subscribed() as quick:
            broadcaster.publish(1, frozenset({ONE}))
            await quick.wait(5)
            broadcaster.publish(2, frozenset({OTHER}))
            await quick.wait(5)
            return (await slow.wait(5))[1]

    assert asyncio.run(story()) == frozenset({ONE, OTHER})


def test_an_ended_subscription_leaves_no_channel() -> None:
    async def story() -> int:
        broadcaster = Broadcaster(asyncio.get_running_loop())
        with broadcaster.subscribed(ONE):
            pass
        return len(broadcaster._channels)

    assert asyncio.run(story()) == 0


def test_a_change_after_the_event_loop_has_closed_is_ignored() -> None:
    async def made() -> Broadcaster:
        return Broadcaster(asyncio.get_running_loop())

    broadcaster = asyncio.run(made())
    broadcaster.publish(1, None)
    assert broadcaster._channels == {}
