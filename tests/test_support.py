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


def test_a_past_has_nothing_new() -> None:
    assert new_events(given(Member, ADDED)) == []


def test_a_fact_may_name_its_stream_and_time() -> None:
    stream, later = uuid4(), EPOCH.replace(year=2027)
    event, own = ADDED
    member = given(Member, (event, own | {"originator_id": stream, "timestamp": later}))
    assert (member.id, member.created_on) == (stream, later)


def test_a_past_of_something_else_is_noticed() -> None:
    with pytest.raises(AssertionError):
        given(Campaign)


def test_new_events_fold_into_what_recorded_them() -> None:
    member = Member.add(email="ann@example.com", role=Role.ADMIN, at=EPOCH, by="boss")
    member.remove(at=EPOCH, by="boss")
    assert replayed(member.collect_events()) == state_of(member)


def test_one_waits_until_it_is_so() -> None:
    answers = iter([False, False, True])
    eventually(lambda: next(answers))
    assert list(answers) == []


def test_one_does_not_wait_for_ever() -> None:
    with pytest.raises(AssertionError, match=r"0\.01 s in vain for a miracle"):
        eventually(lambda: False, within=0.01, said="a miracle")
