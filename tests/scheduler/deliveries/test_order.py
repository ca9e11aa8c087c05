"""Which deliveries may be sent, against an oracle written from the documented rule."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from projections.deliveries.queue import Waiting
from scheduler.deliveries.order import sendable

GROUPS = [UUID(int=1), UUID(int=2)]


@st.composite
def a_queue(draw: st.DrawFn) -> list[Waiting]:
    queue = []
    for number in range(draw(st.integers(0, 8))):
        group = draw(st.sampled_from(GROUPS))
        is_campaign = draw(st.booleans())
        contact = UUID(int=group.int * 10 + draw(st.integers(0, 1)))
        queue.append(
            Waiting(
                id=UUID(int=100 + number),
                endpoint_id=UUID(int=7),
                group_id=group,
                lane=group if is_campaign else contact,
                is_campaign=is_campaign,
                resent=draw(st.booleans()),
                refused=draw(st.booleans()),
                is_due=draw(st.booleans()),
                is_failing=False,
                has_body=draw(st.booleans()),
            )
        )
    return queue


def holds_back(earlier: Waiting, later: Waiting) -> bool:
    """Return whether one waiting delivery must be accepted before another is sent."""
    if earlier.resent or later.resent:
        return False
    if earlier.lane == later.lane:
        return True
    one_is_of_the_campaign = earlier.is_campaign or later.is_campaign
    same_campaign = earlier.group_id == later.group_id
    return same_campaign and one_is_of_the_campaign and not earlier.refused


@given(a_queue(), st.sets(st.integers(100, 107)))
def test_exactly_those_are_sent_that_nothing_holds_back(
    queue: list[Waiting], flying: set[int]
) -> None:
    in_flight = {UUID(int=number) for number in flying}
    expected = [
        one
        for place, one in enumerate(queue)
        if one.is_due
        and one.has_body
        and one.id not in in_flight
        and not any(holds_back(earlier, one) for earlier in queue[:place])
    ]
    assert list(sendable(queue, in_flight)) == expected
