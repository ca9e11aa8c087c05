"""Campaigns that compare assistants, from their creation to the provider's request."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.campaigns.campaigns import CampaignChange
from application.contacts.redials import RedialSelection
from application.ports import ProviderAssistant
from domain.assistant import Assistant
from domain.calls.call import Call
from domain.campaigns import arms as arms_module
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.errors import Conflict, Invalid, WrongState
from domain.outcomes import Disposition
from projections.campaign_arms import arm_results, arm_rows
from projections.registers import directory
from tests.application.calls.messages import record_message, report
from tests.application.contacts.campaign_line import BUSY, HUMAN, POLICY
from tests.wiring import BY, Clock, Services, phones

MANY = 24
"""Contacts of which certainly not all get the same arm: the digests are random."""


@pytest.fixture
def other(services: Services) -> UUID:
    """A second assistant in our directory, with shorter calls."""
    made = ProviderAssistant("asst-2", "Quinn", {"maxDurationSeconds": 120})
    services.provider.assistants["asst-2"] = made
    return services.assistants.import_assistant("asst-2", name=None, by=BY)[0]


def later(services: Services, **units: float) -> None:
    clock = services.now
    assert isinstance(clock, Clock)
    clock.pass_(**units)


def place(services: Services, campaign_id: UUID) -> Call:
    """Claim the next contact and place its call."""
    [call_id] = services.claim(campaign_id)
    return dial(services, call_id)


def dial(services: Services, call_id: UUID) -> Call:
    """Request and place a claimed call."""
    before = services.now() + timedelta(seconds=5)
    permission = services.calls.request(call_id, dial_before=before)
    assert permission is not None
    call = services.load_call(call_id)
    assert call.arm is not None
    assert permission.order.provider_assistant_id == call.arm.provider_assistant_id
    services.calls.place(
        call_id, provider_call_id=str(call_id), placed_at=services.now()
    )
    return call


def end(services: Services, call: Call, **fields: Any) -> None:
    record_message(services, report_of(call, **fields))
    services.settle()


def report_of(call: Call, **fields: Any) -> dict[str, Any]:
    """Write the report of a call whose id at the provider is ours."""
    body = report(call.id, **fields)
    body["message"]["call"]["id"] = str(call.id)
    return body


def drawn(services: Services, campaign_id: UUID, people: int) -> dict[str, int]:
    """Call each contact once, all busy; return the arm by the number's digest."""
    found: dict[str, int] = {}
    for call_id in services.claim(campaign_id, people):
        call = dial(services, call_id)
        record_message(services, report_of(call, **BUSY))
        assert call.number_key is not None
        assert call.arm is not None
        found[call.number_key] = call.arm.number
    services.settle()
    return found


def results(services: Services, campaign_id: UUID) -> list[tuple[int, ...]]:
    """Read share, contacts, finished, goals and calls of each arm."""
    services.settle()
    with services.reading.connection() as conn:
        rows = arm_rows(conn, campaign_id)
    return [(r.share, r.contacts, r.finished, r.goals, r.calls) for r in rows]


def test_both_assistants_call_and_the_event_names_the_one_that_did(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(MANY, compared=((other, 50),), cap=MANY)
    calls = [dial(services, id_) for id_ in services.claim(campaign_id, MANY)]
    found = {(call.arm.number, call.arm.assistant_id) for call in calls if call.arm}
    first = services.load_campaign(campaign_id).caller.assistant_id
    assert found == {(0, first), (1, other)}
    seconds = {
        event.arm.number: event.longest_call_seconds
        for call in calls
        for event in services.app.events.get(call.id)
        if isinstance(event, Call.Requested) and event.arm
    }
    assert seconds == {0: 600, 1: 120}


def test_the_campaign_reserves_budget_for_the_longest_of_its_assistants(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(2, compared=((other, 50),))
    assert services.board(campaign_id).longest_call_seconds == 600
    turned = services.campaign(2, assistant_id=other, compared=((first(services), 50),))
    assert services.board(turned).longest_call_seconds == 600


def first(services: Services) -> UUID:
    return services.new_campaign(uuid4()).assistant_id


@pytest.fixture
def everybody_gets_another_arm(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Change the rule of the assignment, as a later version of the code might."""

    def change() -> None:
        real = arms_module.assign_arm

        def turned(arms: Any, experiment_id: UUID, number_key: str) -> Any:
            drawn = real(arms, experiment_id, number_key)
            return real((arms[1 - drawn.number],), experiment_id, number_key)

        monkeypatch.setattr("domain.campaigns.campaign_progress.assign_arm", turned)

    return change


def test_a_retry_keeps_the_arm_that_was_stored_whatever_the_rule_is_now(
    services: Services, other: UUID, everybody_gets_another_arm: Callable[[], None]
) -> None:
    campaign_id = services.campaign(
        1, compared=((other, 50),), terms=CallingTerms(retry_policy=POLICY)
    )
    call = place(services, campaign_id)
    end(services, call, **BUSY)
    everybody_gets_another_arm()
    assert (
        services.load_campaign(campaign_id).arm_for(call.number_key or "") != call.arm
    )
    later(services, minutes=40)
    again = place(services, campaign_id)
    assert (again.attempt, again.arm) == (2, call.arm)


def test_a_renewed_request_keeps_the_arm(
    services: Services, other: UUID, everybody_gets_another_arm: Callable[[], None]
) -> None:
    campaign_id = services.campaign(1, compared=((other, 50),))
    [call_id] = services.claim(campaign_id)
    before = services.now() + timedelta(seconds=5)
    services.calls.request(call_id, dial_before=before)
    arm = services.load_call(call_id).arm
    everybody_gets_another_arm()
    permission = services.calls.renew_request(call_id, dial_before=before)
    assert permission is not None
    assert arm is not None
    assert permission.order.provider_assistant_id == arm.provider_assistant_id
    assert services.load_call(call_id).arm == arm


def test_a_contact_that_a_member_calls_again_keeps_its_arm(
    services: Services, other: UUID, everybody_gets_another_arm: Callable[[], None]
) -> None:
    campaign_id = services.campaign(2, compared=((other, 50),))
    call = place(services, campaign_id)
    end(services, call, **BUSY)
    everybody_gets_another_arm()
    services.planned_calls.call_again(
        call.contact_id, campaign_id, not_before=None, by=BY
    )
    again = place(services, campaign_id)
    assert (again.contact_id, again.arm) == (call.contact_id, call.arm)


def redial(services: Services, campaign_id: UUID, **wanted: Any) -> UUID:
    new = services.new_campaign(uuid4(), **wanted)
    made = services.redials.create_campaign(
        new, RedialSelection(campaign_id), default_cap=8, by=BY
    )
    services.campaigns.start(made.campaign_id, by=BY)
    services.settle()
    return made.campaign_id


def test_a_redial_with_the_same_comparison_keeps_everybodys_arm(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(MANY, compared=((other, 50),))
    arms = drawn(services, campaign_id, MANY)
    assert set(arms.values()) == {0, 1}
    again = redial(services, campaign_id, compared=((other, 50),))
    assert drawn(services, again, MANY) == arms
    once_more = redial(services, again, compared=((other, 50),))
    assert drawn(services, once_more, MANY) == arms


def test_a_redial_with_other_shares_is_an_experiment_of_its_own(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(MANY, compared=((other, 50),))
    drawn(services, campaign_id, MANY)
    again = redial(services, campaign_id, compared=((other, 49),))
    assert services.load_campaign(again).experiment_id == again


def test_the_same_number_in_another_campaign_is_drawn_independently(
    services: Services, other: UUID
) -> None:
    made = [services.campaign(MANY, compared=((other, 50),)) for _ in range(2)]
    one, two = (drawn(services, campaign_id, MANY) for campaign_id in made)
    assert one.keys() == two.keys()
    assert one != two


# --- What is refused ------------------------------------------------------------------


def test_a_wrong_comparison_is_refused_before_anything_is_stored(
    services: Services, other: UUID
) -> None:
    wrong = (((other, 100),), ((first(services), 50),), ((uuid4(), 50),))
    end_of_log = services.app.recorder.max_notification_id()
    for compared in wrong:
        with pytest.raises(Invalid):
            services.campaign(2, compared=compared)
    assert services.app.recorder.max_notification_id() == end_of_log


def test_the_compared_assistants_cannot_be_changed_while_paused(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(2, compared=((other, 50),))
    services.campaigns.pause(campaign_id, by=BY)
    change = CampaignChange(assistant_id=other)
    with pytest.raises(WrongState, match="compares assistants"):
        services.campaigns.change(campaign_id, change, by=BY)


def test_the_same_upload_with_another_comparison_is_another_campaign(
    services: Services, other: UUID
) -> None:
    new = services.new_campaign(services.staged.stage(phones(2)))
    services.imports.create_campaign(new, default_cap=8, by=BY)
    with pytest.raises(Conflict):
        services.imports.create_campaign(
            replace(new, compared=((other, 50),)), default_cap=8, by=BY
        )


def test_every_compared_assistant_is_in_use_and_knows_the_campaign(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(2, compared=((other, 50),))
    with services.reading.connection() as conn:
        row = directory.assistant(conn, other)
    assert row is not None
    assert row.active_campaigns == 1
    assert services.lookups.campaigns_using(other) == 1
    chosen = [
        event
        for event in services.app.events.get(other)
        if isinstance(event, Assistant.Chosen)
    ]
    assert [event.campaign_id for event in chosen] == [campaign_id]


# --- Results --------------------------------------------------------------------------


def test_contacts_calls_and_goals_are_counted_by_arm(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(
        8, compared=((other, 40),), terms=CallingTerms(retry_policy=POLICY), cap=8
    )
    calls = [place(services, campaign_id) for _ in range(6)]
    busy, *answered = calls
    end(services, busy, **BUSY)  # It is planned again, so it is not finished.
    for call in answered:
        end(services, call, **HUMAN)
    assert calls[1].arm is not None
    services.contacts.set_disposition(
        calls[1].contact_id, Disposition.GOAL_REACHED, None, by=BY
    )
    expected = []
    for number, share in enumerate((60, 40)):
        own = [call for call in calls if call.arm and call.arm.number == number]
        finished = [call for call in own if call is not busy]
        goals = int(calls[1].arm.number == number)
        expected.append((share, len(own), len(finished), goals, len(own)))
    assert results(services, campaign_id) == expected


def test_a_campaign_without_a_comparison_has_no_arms(services: Services) -> None:
    campaign_id = services.campaign(2)
    [call_id] = services.claim(campaign_id)
    services.calls.request(call_id, dial_before=services.now() + timedelta(seconds=5))
    assert services.load_call(call_id).arm is None
    assert results(services, campaign_id) == []


def test_each_arm_is_compared_with_the_first_one(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(MANY, compared=((other, 50),))
    drawn(services, campaign_id, MANY)
    with services.reading.connection() as conn:
        one, two = arm_results(conn, campaign_id)
    assert one.difference is None
    assert two.difference is not None
    assert two.difference.low < 0 < two.difference.high
    assert two.smallest is None, "so few contacts can show nothing"


def test_an_arm_without_calls_is_shown_with_zeros(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(3, compared=((other, 50),), start=False)
    assert results(services, campaign_id) == [(50, 0, 0, 0, 0), (50, 0, 0, 0, 0)]


def test_a_campaign_that_is_stored_shows_its_arms(
    services: Services, other: UUID
) -> None:
    campaign_id = services.campaign(3, compared=((other, 30),), start=False)
    stored = services.app.load(Campaign, campaign_id).arms
    assert [(arm.provider_assistant_id, arm.share) for arm in stored][1] == (
        "asst-2",
        30,
    )
