"""The contact's row after each event of its call."""

from datetime import timedelta
from random import Random

import pytest

from domain.calls.call import Call
from domain.calls.deferrals import DeferralReason
from domain.values import Refusal, RefusalKind
from projections.contacts.contact_log import contact_log
from projections.tables.row_operations import Kind, RowOperation
from tests.projections.lives import Life


@pytest.fixture
def life() -> Life:
    life = Life(Random(0))
    life.claim(life.open_campaign(1), 1, batch=4)
    return life


def call_of(life: Life) -> Call:
    ((call,),) = life.calls.values()
    return call


def end(life: Life, call: Call, refusal: Refusal) -> None:
    stamp = life.stamp()
    call.end(reason="x", ended_at=None, evidence=None, refusal=refusal, **stamp)


def last_operations(life: Life) -> list[RowOperation]:
    return list(contact_log(life.events[-1], len(life.events)))


def test_contacts_are_numbered_across_all_events_of_their_list() -> None:
    life = Life(Random(0))
    life.open_campaign(5)
    operations = [op for event in life.events for op in contact_log(event, 1)]
    assert {operation.kind for operation in operations} == {Kind.PUT}
    assert [operation.columns["seq"] for operation in operations] == [0, 1, 2, 3, 4]


def test_a_claim_stores_the_call_the_attempt_and_the_batch(life: Life) -> None:
    call = call_of(life)
    (operation,) = last_operations(life)
    assert (operation.kind, operation.key) == (Kind.PATCH_ALL, (call.contact_id,))
    assert operation.columns == {
        "status": "QUEUED",
        "call_id": call.id,
        "attempt": 1,
        "batch": 4,
        "due_at": None,
        "deferred_position": None,
        "deferred_code": None,
        "requeue": False,
        "planned_at": None,
    }


def test_a_deferral_stores_when_the_same_call_is_due_again(life: Life) -> None:
    until = life.now + timedelta(seconds=9)
    call_of(life).defer(reason=DeferralReason.NOT_NOW, until=until, **life.stamp())
    life.record(call_of(life))
    (operation,) = last_operations(life)
    assert operation.columns == {
        "status": "PENDING",
        "due_at": until,
        "deferred_position": len(life.events),
        "deferred_code": None,
        "requeue": True,
    }


def test_a_deferred_call_that_ended_without_ringing_is_not_requested_again(
    life: Life,
) -> None:
    call = call_of(life)
    call.defer(reason=DeferralReason.NOT_NOW, until=life.now, **life.stamp())
    refusal = Refusal(RefusalKind.ACCOUNT, None, "rule")
    end(life, call, refusal)
    life.record(call)
    (operation,) = last_operations(life)
    assert operation.columns == {
        "status": "PENDING",
        "due_at": None,
        "deferred_position": None,
        "deferred_code": None,
        "requeue": False,
    }


def test_a_contact_whose_call_failed_without_ringing_is_due_for_a_new_call(
    life: Life,
) -> None:
    call, refusal = call_of(life), Refusal(RefusalKind.PLATFORM, None, "rule")
    end(life, call, refusal)
    life.record(call)
    (operation,) = last_operations(life)
    assert operation.columns == {
        "status": "PENDING",
        "due_at": life.now + timedelta(seconds=1),
        "deferred_position": len(life.events),
        "deferred_code": None,
        "requeue": False,
    }


def test_an_event_without_a_new_status_writes_nothing(life: Life) -> None:
    life.place(call_of(life))
    assert last_operations(life) == []
