"""Why one contact is not called now."""

from datetime import datetime, timedelta

import pytest

from domain.contacts.contact_history import PlanKind
from domain.planning.waiting import own_reason, shared_reason
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
