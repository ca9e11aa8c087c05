"""Why one contact is not called now."""

from datetime import datetime, timedelta

import pytest

from domain.contacts.contact_history import PlanKind
from domain.gate.permit import Decision, Granted, Never, Permit, Wait
from domain.outcomes import Withheld
from domain.planning.waiting import own_reason, shared_reason, waiting_reason
from domain.values import WaitingCode
from tests.support import EPOCH

SOON = EPOCH + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("kind", "planned_at", "deferred_until", "reason"),
    [
        (None, None, None, None),
        (PlanKind.CALLBACK, SOON, None, WaitingCode.CALLBACK_PLANNED),
        (PlanKind.RETRY, SOON, None, WaitingCode.RETRY_PLANNED),
        (PlanKind.RETURNED, SOON, SOON, WaitingCode.RETRY_PLANNED),
        (PlanKind.RETRY, EPOCH, None, None),
        (None, None, SOON, WaitingCode.RETRY_LATER),
        (PlanKind.CALLBACK, EPOCH, SOON, WaitingCode.RETRY_LATER),
        (None, None, EPOCH, None),
    ],
)
def test_a_contact_waits_for_its_own_plan_until_that_is_due(
    kind: PlanKind | None,
    planned_at: datetime | None,
    deferred_until: datetime | None,
    reason: WaitingCode | None,
) -> None:
    found = own_reason(
        planned_kind=kind,
        planned_at=planned_at,
        deferred_until=deferred_until,
        now=EPOCH,
    )
    assert found is reason


def test_reasons_of_other_contacts_do_not_apply() -> None:
    others = [WaitingCode.CALLBACK_PLANNED, WaitingCode.RETRY_LATER]
    assert shared_reason(others) is None
    assert shared_reason([*others, WaitingCode.CAP_FULL]) is WaitingCode.CAP_FULL


PERMIT = Permit(("US",), ("America/New_York",), "phone", "1", (), (), ())
CLOSED = Wait(WaitingCode.OUTSIDE_HOURS)
MAY_BE_CALLED: list[Decision | None] = [
    None,
    Granted(PERMIT),
    Never(Withheld.SUPPRESSED),
]


def test_a_contacts_own_reason_comes_before_those_of_its_group_and_campaign() -> None:
    own, of_campaign = WaitingCode.RETRY_PLANNED, [WaitingCode.CAP_FULL]
    assert waiting_reason(own, CLOSED, of_campaign) is own
    assert waiting_reason(None, CLOSED, of_campaign) is CLOSED.code


@pytest.mark.parametrize("of_group", MAY_BE_CALLED)
def test_the_campaigns_reason_applies_if_the_group_does_not_wait(
    of_group: Decision | None,
) -> None:
    of_campaign = [WaitingCode.RETRY_LATER, WaitingCode.CAP_FULL]
    assert waiting_reason(None, of_group, of_campaign) is WaitingCode.CAP_FULL
    assert waiting_reason(None, of_group, []) is None
