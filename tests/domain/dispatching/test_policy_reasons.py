"""The policy states why contacts wait and why campaigns pause."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.dial_view import CampaignView, Phase
from domain.dispatching.plan_types import Verdict, Waiting
from domain.dispatching.policy import plan
from domain.values import (
    CampaignState,
    DialMode,
    PauseCause,
    RefusalScope,
    WaitingCode,
)
from tests.domain.dispatching.worlds import (
    LINES,
    NOW,
    a_call,
    a_snapshot,
    a_view,
    candidates,
    the_conditions,
)

# --- Single reasons, in words --------------------------------------------------------


def verdict_of(view: CampaignView, **conditions: object) -> Verdict:
    made = plan(a_snapshot(view), the_conditions(**conditions))
    [verdict] = made.verdicts
    return verdict


@pytest.mark.parametrize(
    ("view", "conditions", "code"),
    [
        (a_view(waiting=9, cap=4), {}, WaitingCode.CAP_FULL),
        (a_view(waiting=9), {"global_cap": 4}, WaitingCode.GLOBAL_CAP_FULL),
        (a_view(waiting=9), {"max_requests": 4}, WaitingCode.RATE_LIMITED),
        (a_view(waiting=9), {"line_limits": {LINES[0]: 4}}, WaitingCode.PROVIDER_BUSY),
        (a_view(waiting=9, budget=Decimal(1)), {}, WaitingCode.BUDGET_SPENT),
        (
            a_view(waiting=9),
            {"daily_budget": Decimal(1)},
            WaitingCode.DAILY_BUDGET_SPENT,
        ),
        (
            a_view(waiting=4, pending=9, deferred=5, next_due_at=NOW),
            {},
            WaitingCode.RETRY_LATER,
        ),
        (
            a_view(waiting=9, cap=4, mode=DialMode.BATCH),
            {},
            WaitingCode.CAP_FULL,
        ),
        (
            a_view(
                waiting=4,
                pending=9,
                cap=8,
                mode=DialMode.BATCH,
                batch=2,
                batch_contacts=4,
                active=1,
                unreported=1,
            ),
            {},
            WaitingCode.BATCH_UNDER_WAY,
        ),
    ],
)
def test_the_limit_of_a_plan_is_its_reason(
    view: CampaignView, conditions: dict[str, object], code: WaitingCode
) -> None:
    verdict = verdict_of(view, **conditions)
    assert verdict.placed == 4
    assert [(why.code, why.contacts) for why in verdict.reasons] == [(code, 5)]


@pytest.mark.parametrize(
    ("view", "conditions", "code"),
    [
        (
            a_view(waiting=3, state=CampaignState.PAUSED),
            {},
            WaitingCode.PAUSED,
        ),
        (
            a_view(waiting=3, line_quiet_gating=True),
            {"busy_lines": frozenset(LINES[:1])},
            WaitingCode.LINE_BUSY,
        ),
        (a_view(waiting=3), {"provider_down": "no route"}, WaitingCode.PROVIDER_DOWN),
        (
            a_view(waiting=3),
            {
                "claiming_blocked": Waiting(
                    WaitingCode.OUTCOME_UNKNOWN, "It is looked for."
                )
            },
            WaitingCode.OUTCOME_UNKNOWN,
        ),
        (
            a_view(waiting=3, start_failures=10, start_failure="call.start.error-x"),
            {},
            WaitingCode.PAUSED,
        ),
    ],
)
def test_a_barred_campaign_has_no_other_reason(
    view: CampaignView, conditions: dict[str, object], code: WaitingCode
) -> None:
    verdict = verdict_of(view, **conditions)
    assert [(why.code, why.contacts) for why in verdict.reasons] == [(code, 3)]


def test_ten_calls_in_a_row_that_rang_nobody_pause_their_campaign_alone() -> None:
    tenth = {"start_failures": 10, "start_failure": "call.start.error-get-transport"}
    failing, other = a_view(1, waiting=2, **tenth), a_view(2, waiting=2)
    made = plan(a_snapshot(failing, other), the_conditions())
    [pause] = made.pauses
    assert (pause.campaign_id, pause.cause) == (
        failing.id,
        PauseCause.PROVIDER_REFUSALS,
    )
    assert "call.start.error-get-transport" in pause.message
    assert {one.campaign_id for one in made.claims} == {other.id}


def test_nine_calls_in_a_row_that_rang_nobody_pause_nobody() -> None:
    made = plan(a_snapshot(a_view(waiting=2, start_failures=9)), the_conditions())
    assert (made.pauses, len(made.claims)) == ((), 2)


def test_a_duplicate_bars_every_campaign() -> None:
    first, second = a_view(1, waiting=2), a_view(2, waiting=2)
    snapshot = a_snapshot(first, second, duplicates_open=True)
    made = plan(snapshot, the_conditions())
    assert made.claims == ()
    codes = {why.code for one in made.verdicts for why in one.reasons}
    assert codes == {WaitingCode.DUPLICATE_DETECTED}


def test_slots_of_unknown_outcome_have_a_reason_of_their_own() -> None:
    view = a_view(waiting=5, cap=3, active=3, unreported=3)
    phases = (Phase.UNKNOWN, Phase.PLACED, Phase.PLACED)
    calls = tuple(a_call(n, view.id, phase) for n, phase in enumerate(phases))
    [verdict] = plan(a_snapshot(view, calls=calls), the_conditions()).verdicts
    assert [(why.code, why.contacts) for why in verdict.reasons] == [
        (WaitingCode.OUTCOME_UNKNOWN, 1),
        (WaitingCode.CAP_FULL, 4),
    ]


def test_the_day_s_budget_is_waited_for_until_midnight_utc() -> None:
    verdict = verdict_of(a_view(waiting=5), daily_budget=Decimal(0))
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    assert [why.until for why in verdict.reasons] == [midnight]


def test_ghosts_of_a_finished_campaign_use_slots_of_the_global_cap() -> None:
    view = a_view(waiting=5)
    ghosts = tuple(a_call(n, UUID(int=99), Phase.GHOST) for n in range(3))
    made = plan(a_snapshot(view, calls=ghosts), the_conditions(global_cap=4))
    assert len(made.claims) == 1


@pytest.mark.parametrize(("unreported", "pauses"), [(0, [PauseCause.BUDGET]), (1, [])])
def test_a_budget_pauses_once_it_is_spent_not_while_it_is_reserved(
    unreported: int, pauses: list[PauseCause]
) -> None:
    view = a_view(
        waiting=5,
        budget=Decimal(1),
        spend=Decimal("0.90"),
        costs_reported=3,
        unreported=unreported,
    )
    made = plan(a_snapshot(view), the_conditions())
    assert made.claims == ()
    assert [pause.cause for pause in made.pauses] == pauses
    [verdict] = made.verdicts
    assert verdict.reasons[0].code is WaitingCode.BUDGET_SPENT


def test_a_deferred_call_is_requested_again_without_a_new_call() -> None:
    fresh, again = candidates(UUID(int=1), 1), candidates(UUID(int=1), 1, batch=1)
    view = a_view(pending=2, candidates=(*again, *fresh))
    made = plan(a_snapshot(view), the_conditions())
    assert [claim.requeued for claim in made.claims] == [True, False]


# --- Refusals -----------------------------------------------------------------------


def test_a_line_that_the_provider_does_not_show_stops_only_its_campaigns() -> None:
    here, there = a_view(1, waiting=2), a_view(2, waiting=2, phone_number_id=LINES[1])
    conditions = the_conditions(lines_down={LINES[0]: "500: odd"})
    made = plan(a_snapshot(here, there), conditions)
    assert {one.campaign_id for one in made.claims} == {there.id}
    [reason] = made.verdicts[0].reasons
    assert reason.code is WaitingCode.PROVIDER_DOWN
    assert "500: odd" in reason.message


def test_a_campaign_pauses_for_a_refusal_that_another_one_met() -> None:
    scope = RefusalScope.LINE
    view = a_view(waiting=2, account_scope=scope, account_refusal="404: no line")
    made = plan(a_snapshot(view), the_conditions())
    [pause] = made.pauses
    assert (pause.cause, pause.scope) == (PauseCause.ACCOUNT, RefusalScope.LINE)
    assert pause.message == "404: no line"
    assert made.claims == ()
