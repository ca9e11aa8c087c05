"""Ids that are made from other ids are the same everywhere, for ever."""

from uuid import UUID

from domain.states import LIVE
from domain.values import (
    CallStatus,
    ContactStatus,
    call_id_of,
    campaign_id_of,
    member_id_of,
)

SOME = UUID("11111111-2222-4333-8444-555555555555")


def test_made_ids_never_change() -> None:
    assert str(campaign_id_of(SOME)) == "c73cab65-2db7-5fd6-8cb3-dfe1a8d6deb2"
    assert str(call_id_of(SOME, 1)) == "8d66d002-fd4d-5041-b589-184f81ead193"
    assert (
        str(member_id_of("ann@example.com")) == "8547b4b4-7cd3-5e65-b9b9-9e2c7482faea"
    )


def test_each_attempt_is_another_call() -> None:
    assert len({call_id_of(SOME, attempt) for attempt in range(1, 4)}) == 3


def test_a_contact_counts_as_its_call_or_as_pending() -> None:
    statuses = {str(status) for status in CallStatus}
    assert {str(status) for status in ContactStatus} == statuses | {"PENDING"}


def test_a_call_is_live_until_it_is_terminal() -> None:
    terminal = set(CallStatus) - LIVE
    assert {str(status) for status in terminal} == {
        "ENDED",
        "FAILED",
        "CANCELED",
        "TIMEOUT",
    }
