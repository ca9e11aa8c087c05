"""Single passes, and the loop of one term."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.errors import StoreUnavailable
from application.ports import AccountRefused, CallReport, NotNow
from domain.dial_view import Snapshot
from domain.values import CampaignState, PauseCause
from storage.process.leadership import LeadershipLost
from tests.scheduler.leading import Leading, Passes, dependencies_of, leading
from tests.support import eventually
from tests.wiring import (
    BY,
    NOON,
    Clock,
    Services,
    fake_provider,
    open_services,
    real_time,
)

ENDED = CallReport(
    ended_reason="customer-ended-call", cost=Decimal("0.1"), has_artifact=True
)


@pytest.fixture
def passes(services: Services) -> Iterator[Passes]:
    made = Passes(services)
    yield made
    made.deps.dispatch.stop()


# --- One pass ------------------------------------------------------------------------


def test_a_pass_fills_the_cap_and_stores_why_the_others_wait(
    services: Services, passes: Passes
) -> None:
    campaign_id = services.campaign(5, cap=3)
    assert passes.run().claimed == 3
    assert len(services.provider.orders) == 3
    decision = services.process_records.decision(campaign_id)
    assert decision is not None
    assert (decision.room, decision.placed) == (3, 3)
    assert [(why.code, why.contacts) for why in decision.reasons] == [("CAP_FULL", 2)]


def test_a_decision_sums_up_the_passes_of_one_fill(
    services: Services, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(5, cap=4)
    monkeypatch.setattr(passes.deps.pace, "allowed", lambda _: 2)
    passes.scheduler.filler.fill(Leading(), services.snapshot(), checked=False)  # type: ignore[arg-type]  # signs of life only
    decision = services.process_records.decision(campaign_id)
    assert decision is not None
    assert (decision.room, decision.placed) == (4, 4)
    assert [(why.code, why.contacts) for why in decision.reasons] == [("CAP_FULL", 1)]


def test_a_campaign_is_completed_when_all_contacts_are_final(
    services: Services, passes: Passes
) -> None:
    campaign_id = services.campaign(2)
    passes.run()
    for provider_id in services.provider.shown:
        services.provider.end(provider_id, ENDED)
    passes.scheduler.check.run(services.settings.values())
    services.settle()
    passes.run()
    row = services.board(campaign_id)
    assert (row.state, row.ended) == (CampaignState.COMPLETED, 2)


def test_a_paused_campaign_is_completed_when_no_contact_is_left(
    services: Services, passes: Passes
) -> None:
    campaign_id = services.campaign(1)
    passes.run()
    services.campaigns.pause(campaign_id, by=BY)
    [provider_id] = services.provider.shown
    services.provider.end(provider_id, ENDED)
    passes.scheduler.check.run(services.settings.values())
    passes.run()
    assert services.board(campaign_id).state is CampaignState.COMPLETED


def test_a_pass_with_an_old_snapshot_claims_nothing(
    services: Services, passes: Passes
) -> None:
    campaign_id = services.campaign(2)
    services.settle()
    services.read_model.held = True
    first = services.read_snapshot(NOON, 10)
    assert passes.scheduler.run_once(NOON).claimed == 2
    last = passes.scheduler.run_once(NOON)
    assert (last.claimed, last.more, last.more_soon) == (0, False, True)
    services.read_model.held = False
    assert first.claims_seen == 0
    assert services.board(campaign_id).queued == 2


def test_fewer_claims_in_the_log_than_before_end_the_term(
    services: Services, passes: Passes
) -> None:
    """The database was replaced by a restored or failed-over one."""
    services.campaign(2, cap=1)
    old = services.snapshot()
    assert [passes.run().claimed for _ in range(2)] == [1, 0]
    passes.scheduler.filler._deps = replace(passes.deps, read_snapshot=lambda *_: old)
    with pytest.raises(LeadershipLost, match="stored claims fell from 1 to 0"):
        passes.scheduler.run_once(NOON)
    assert len(services.provider.orders) == 1


def test_a_dropped_call_does_not_cause_endless_passes(
    services: Services, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read model shows a contact as pending whose call exists."""
    campaign_id = services.campaign(3)
    stuck = services.candidates(campaign_id)[0]
    real = services.read_snapshot
    services.claim(campaign_id)

    def wrong(now: Any, most: int) -> Snapshot:
        snapshot = real(now, most)
        [view] = snapshot.campaigns
        shown = (stuck, *view.candidates)
        fixed = replace(view, candidates=shown, pending=view.pending + 1)
        return replace(snapshot, campaigns=(fixed,))

    passes.scheduler.filler._deps = replace(passes.deps, read_snapshot=wrong)
    last = passes.run()
    assert (last.claimed, last.more) == (1, True), "room for two, one was dropped"
    assert passes.run().claimed == 1
    assert passes.run().more is False


def test_an_error_with_one_campaign_does_not_stop_the_others(
    services: Services, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = services.campaign(1), services.campaign(1)
    passes.run()
    for provider_id in services.provider.shown:
        services.provider.end(provider_id, ENDED)
    passes.scheduler.check.run(services.settings.values())
    complete = services.campaigns.complete

    def broken(campaign_id: UUID, *, version: int) -> int | None:
        if campaign_id == bad:
            raise ValueError("an event that nobody can read")
        return complete(campaign_id, version=version)

    monkeypatch.setattr(services.campaigns, "complete", broken)
    passes.run()
    assert services.board(good).state is CampaignState.COMPLETED


def test_a_spent_budget_pauses_its_campaign(services: Services, passes: Passes) -> None:
    campaign_id = services.campaign(3, budget=Decimal("0.10"))
    passes.run()
    row = services.board(campaign_id)
    assert (row.state, row.pause_cause) == (CampaignState.PAUSED, PauseCause.BUDGET)
    assert services.provider.orders == []


def test_a_deferred_call_is_requested_again_when_it_is_due(
    services: Services, passes: Passes
) -> None:
    services.provider.answers(NotNow("429"))
    campaign_id = services.campaign(1)
    assert passes.run().claimed == 1
    last = passes.run()
    assert (last.claimed, last.next_due_at) == (0, NOON + timedelta(seconds=0.5))
    assert isinstance(services.now, Clock)
    services.now.pass_(seconds=31)
    assert passes.run().claimed == 1
    [call] = services.call_rows(campaign_id)
    assert (call.attempt, call.requests) == (1, 2)


def test_a_resume_ends_all_deferrals(services: Services, passes: Passes) -> None:
    services.provider.answers(AccountRefused("402: no credit"))
    campaign_id = services.campaign(1)
    passes.run()
    assert passes.run().claimed == 0
    services.campaigns.resume(campaign_id, by=BY)
    assert passes.run().claimed == 1


def test_nothing_is_dialled_without_an_api_key(services: Services) -> None:
    passes = Passes(services, no_dialling_because="no API key is configured.")
    campaign_id = services.campaign(1)
    assert passes.run().claimed == 0
    decision = services.process_records.decision(campaign_id)
    assert decision is not None
    assert [why.code for why in decision.reasons] == ["PROVIDER_DOWN"]


# --- A term --------------------------------------------------------------------------


@pytest.fixture
def live(database: str) -> Iterator[Services]:
    """The services with a real clock and a running projector."""
    provider = fake_provider(real_time)
    with open_services(
        database, now=real_time, provider=provider, projector=True
    ) as services:
        yield services


def test_a_start_is_dialled_at_once_and_a_free_slot_refilled(live: Services) -> None:
    with leading(dependencies_of(live), Leading(), live):
        campaign_id = live.campaign(3, cap=1)
        for made in range(1, 4):
            end_call(live.provider, made)
        eventually(
            lambda: live.board(campaign_id).state is CampaignState.COMPLETED,
            what="a completed campaign",
        )


def end_call(provider: Any, number: int) -> None:
    """Wait for this number of calls, then end the last one."""
    eventually(lambda: len(provider.shown) == number, what=f"call {number}")
    provider.end(list(provider.shown)[-1], ENDED)


def test_without_refill_slots_are_filled_only_at_ticks(live: Services) -> None:
    live.set(refill_immediately=False, tick_seconds=3600, dials_per_second=1000)
    live.campaign(2, cap=1)
    with leading(dependencies_of(live), Leading(), live):
        eventually(lambda: len(live.provider.shown) == 1, what="the first tick")
        [provider_id] = live.provider.shown
        live.provider.end(provider_id, ENDED)
        eventually(lambda: not live.snapshot().calls, what="a look after the end")
        [view] = live.snapshot().campaigns
        assert (view.active, view.pending) == (0, 1)
        assert len(live.provider.orders) == 1


def test_the_loop_ends_when_the_leadership_is_lost(live: Services) -> None:
    term = Leading()
    with leading(dependencies_of(live), term, live) as ends:
        term.lost = True
        live.campaign(1)
        eventually(lambda: len(ends) == 1, what="the end of the term")


def test_the_longest_silence_of_a_leader_follows_the_settings(live: Services) -> None:
    term = Leading()
    with leading(dependencies_of(live), term, live):
        eventually(lambda: term.silence == 120, what="two ticks of the first settings")
        live.set(tick_seconds=7)
        eventually(lambda: term.silence == 14, what="two ticks of the new ones")


def test_an_error_in_a_pass_does_not_stop_the_next(live: Services) -> None:
    failures = [ValueError("odd row")] * 3

    def odd(now: Any, most: int) -> Snapshot:
        if failures:
            raise failures.pop()
        return live.read_snapshot(now, most)

    with leading(dependencies_of(live, read_snapshot=odd), Leading(), live) as ends:
        live.campaign(1)
        eventually(lambda: len(live.provider.orders) == 1, within=20)
        assert (ends, failures) == ([], [])


def test_nothing_is_claimed_before_the_first_check(live: Services) -> None:
    campaign_id = live.campaign(1)
    live.provider.down = True
    with leading(dependencies_of(live), Leading(), live):
        eventually(
            lambda: live.process_records.decision(campaign_id) is not None,
            what="a pass",
        )
        assert live.provider.orders == []
        live.provider.down = False
        eventually(lambda: len(live.provider.orders) == 1, what="the first call")


def test_an_unavailable_store_ends_the_term(
    live: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(live.claims, "claim", away)
    with leading(dependencies_of(live), Leading(), live) as ends:
        live.campaign(1)
        eventually(lambda: len(ends) == 1, what="the end of the term")
