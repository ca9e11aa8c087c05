"""Derived ids never change, and the statuses of contacts and calls match."""

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


def test_derived_ids_never_change() -> None:
    assert str(campaign_id_of(SOME)) == "c73cab65-2db7-5fd6-8cb3-dfe1a8d6deb2"
    assert str(call_id_of(SOME, 1)) == "8d66d002-fd4d-5041-b589-184f81ead193"
    assert (
        str(member_id_of("ann@example.com")) == "8547b4b4-7cd3-5e65-b9b9-9e2c7482faea"
    )


def test_each_attempt_has_its_own_call_id() -> None:
    assert len({call_id_of(SOME, attempt) for attempt in range(1, 4)}) == 3


def test_contact_statuses_are_the_call_statuses_and_pending() -> None:
    statuses = {str(status) for status in CallStatus}
    assert {str(status) for status in ContactStatus} == statuses | {"PENDING"}


def test_statuses_that_are_not_live_are_final() -> None:
    terminal = set(CallStatus) - LIVE
    assert {str(status) for status in terminal} == {
        "ENDED",
        "FAILED",
        "CANCELED",
        "TIMEOUT",
    }
