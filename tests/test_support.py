from uuid import uuid4

import pytest

from domain.campaigns.campaign import Campaign
from domain.member import Member
from domain.values import Role
from tests.support import (
    EPOCH,
    Fact,
    eventually,
    given,
    new_events,
    replayed,
    state_of,
)

ADDED: Fact = (
    Member.Created,
    {"actor": "boss", "email": "ann@example.com", "role": Role.ADMIN},
)


def test_a_given_past_has_no_new_events() -> None:
    assert new_events(given(Member, ADDED)) == []


def test_a_fact_may_name_its_stream_and_time() -> None:
    stream, later = uuid4(), EPOCH.replace(year=2027)
    event, own = ADDED
    member = given(Member, (event, own | {"originator_id": stream, "timestamp": later}))
    assert (member.id, member.created_on) == (stream, later)


def test_a_past_of_another_aggregate_is_refused() -> None:
    with pytest.raises(AssertionError):
        given(Campaign)


def test_replayed_events_give_the_state_of_their_aggregate() -> None:
    member = Member.add(email="ann@example.com", role=Role.ADMIN, at=EPOCH, by="boss")
    member.remove(at=EPOCH, by="boss")
    assert replayed(member.collect_events()) == state_of(member)


def test_eventually_returns_once_the_condition_is_true() -> None:
    answers = iter([False, False, True])
    eventually(lambda: next(answers))
    assert list(answers) == []


def test_eventually_fails_after_its_time_limit() -> None:
    with pytest.raises(AssertionError, match=r"0\.01 s in vain for a miracle"):
        eventually(lambda: False, within=0.01, what="a miracle")
