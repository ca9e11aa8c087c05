"""The plan calls nobody whose group the gate does not allow to be called now."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dial_view import Candidate, DeferredByGate, GroupView
from domain.dispatching.plan_types import Plan
from domain.dispatching.policy import plan
from domain.dispatching.reasons import TO_BE_WITHHELD
from domain.gate.groups import ContactGroup
from domain.gate.permit import Decision, Granted, Never, Permit, Wait
from domain.gate.places import Places, PlaceSource
from domain.outcomes import Withheld
from domain.values import DialMode, WaitingCode
from tests.domain.dispatching.worlds import (
    LIST,
    NOW,
    VIEW,
    a_snapshot,
    the_conditions,
)
from tests.examples import examples

OPEN = Granted(Permit((), (), "", "", (), (), ()))
CLOSED: tuple[Decision, ...] = (
    Wait(WaitingCode.OUTSIDE_HOURS, NOW + timedelta(hours=3)),
    Wait(WaitingCode.OUTSIDE_HOURS, NOW + timedelta(hours=1)),
    Wait(WaitingCode.NO_RULES),
    Wait(WaitingCode.RULES_UNAVAILABLE),
    Never(Withheld.NO_CONSENT),
)
GROUP = ContactGroup(
    Places(("US-FL",), ("America/New_York",), PlaceSource.NUMBER), True
)
DECISIONS = st.lists(st.sampled_from((OPEN, *CLOSED)), min_size=1, max_size=8)


def candidate(number: int, group_id: int) -> Candidate:
    return Candidate(UUID(int=number), LIST, 1, None, None, group_id=group_id)


def planned(
    groups: list[GroupView], listed: list[int], mode: DialMode = DialMode.CONTINUOUS
) -> Plan:
    """Plan a campaign with candidates of the groups `listed`, in this order."""
    view = replace(
        VIEW,
        mode=mode,
        pending=sum(one.fresh + one.due for one in groups),
        candidates=tuple(map(candidate, range(len(listed)), listed)),
        groups=tuple(groups),
    )
    return plan(a_snapshot(view), the_conditions())


@examples(80)
@given(
    decisions=DECISIONS,
    listed=st.lists(st.integers(1, 9), max_size=12),
    mode=st.sampled_from(DialMode),
)
def test_no_contact_of_a_closed_or_unknown_group_is_planned(
    decisions: list[Decision], listed: list[int], mode: DialMode
) -> None:
    """Even if a candidate of such a group were read, for whatever reason."""
    groups = [GroupView(at, one, fresh=9) for at, one in enumerate(decisions, 1)]
    made = planned(groups, listed, mode)
    is_open = {at for at, one in enumerate(decisions, 1) if isinstance(one, Granted)}
    group_of = dict(enumerate(listed))
    assert {group_of[one.contact_id.int] for one in made.claims} <= is_open
    wanted = sum(one in is_open for one in listed)
    assert len(made.claims) == min(wanted, VIEW.cap)


@examples(80)
@given(decisions=DECISIONS, data=st.data())
def test_claims_and_reasons_account_for_all_pending_contacts(
    decisions: list[Decision], data: st.DataObject
) -> None:
    counts = st.integers(0, 5)
    groups = [
        GroupView(at, one, fresh=data.draw(counts), due=data.draw(counts))
        for at, one in enumerate(decisions, 1)
    ]
    listed = [
        one.group_id
        for one in groups
        if one.is_open
        for _ in range(one.fresh + one.due)
    ]
    made = planned(groups, listed)
    [verdict] = made.verdicts
    pending = sum(one.fresh + one.due for one in groups)
    assert verdict.placed + sum(why.contacts for why in verdict.reasons) == pending


def test_the_reason_of_closed_groups_has_the_first_time_at_which_one_opens() -> None:
    groups = [GroupView(at, one, fresh=at) for at, one in enumerate(CLOSED, 1)]
    [verdict] = planned(groups, []).verdicts
    found = [(why.code, why.contacts, why.until) for why in verdict.reasons]
    assert found == [
        (WaitingCode.OUTSIDE_HOURS, 3, NOW + timedelta(hours=1)),
        (WaitingCode.NO_RULES, 3, None),
        (WaitingCode.RULES_UNAVAILABLE, 4, None),
        (WaitingCode.RULES_UNAVAILABLE, 5, None),
    ]
    assert verdict.reasons[-1].message == TO_BE_WITHHELD


def test_contacts_whose_request_the_gate_refused_have_its_code() -> None:
    until = NOW + timedelta(hours=2)
    view = replace(
        VIEW,
        pending=3,
        deferred=3,
        next_due_at=until,
        deferred_by_gate=(DeferredByGate(WaitingCode.FREQUENCY_CAP, 2, until),),
    )
    [verdict] = plan(a_snapshot(view), the_conditions()).verdicts
    found = [(why.code, why.contacts) for why in verdict.reasons]
    assert found == [(WaitingCode.FREQUENCY_CAP, 2), (WaitingCode.RETRY_LATER, 1)]


@pytest.mark.parametrize("group", [GROUP, None])
def test_a_claim_names_the_group_of_its_contact(group: ContactGroup | None) -> None:
    made = planned([GroupView(7, OPEN, fresh=1, group=group)], [7])
    assert [one.group for one in made.claims] == [group]
