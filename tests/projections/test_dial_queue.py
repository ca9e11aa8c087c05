"""The scheduler's view: complete, of one moment, and as far as it needs to be."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from domain.call import Call
from domain.campaign import Campaign
from domain.dial_view import CampaignView, Phase, Snapshot
from domain.reports import ReportGrade
from domain.settings import SettingsValues
from domain.values import (
    CampaignState,
    PauseCause,
    Refusal,
    RefusalKind,
    RefusalScope,
)
from projections.dial_snapshot import snapshot
from projections.engine.runner import catch_up
from tests.projections.conftest import Store
from tests.projections.lives import Life


class Scene:
    """A life with one campaign that is being dialled."""

    def __init__(self, store: Store, contacts: int = 5) -> None:
        self.store, self.life, self.stored = store, Life(Random(0)), 0
        self.campaign = self.life.open_campaign(contacts)
        self.life.start(self.campaign)

    @property
    def calls(self) -> list[Call]:
        return [call for calls in self.life.calls.values() for call in calls]

    def see(self, now: datetime | None = None, most: int = 10) -> Snapshot:
        if new := self.life.events[self.stored :]:
            self.store.append(new)
            self.stored += len(new)
        catch_up(self.store.conn)
        return snapshot(self.store.conn, now or self.life.now, most)

    def view(self, now: datetime | None = None, most: int = 10) -> CampaignView:
        (view,) = self.see(now, most).campaigns
        return view

    def tell(self, call: Call) -> None:
        self.life.record(call)


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def test_an_empty_installation_shows_nothing(store: Store) -> None:
    seen = snapshot(store.conn, datetime.fromisoformat("2026-01-01T00:00Z"), 10)
    assert seen == Snapshot(0, 0, None, False, (), Decimal(0), (), ())


def test_a_started_campaign_shows_its_people_in_the_files_order(scene: Scene) -> None:
    view = scene.view(most=3)
    in_file = scene.life.contacts[scene.campaign.id]
    assert [one.contact_id for one in view.candidates] == in_file[:3]
    assert {(one.attempt, one.call_id) for one in view.candidates} == {(1, None)}
    assert (view.contacts, view.pending, view.active) == (5, 5, 0)
    assert (view.state, view.version) == (CampaignState.QUEUED, 3)


def test_people_of_a_later_list_come_after_those_of_an_earlier(scene: Scene) -> None:
    late = [scene.life.id() for _ in range(2)]
    scene.life.import_list(scene.campaign, late)
    found = [one.contact_id for one in scene.view().candidates]
    assert found == scene.life.contacts[scene.campaign.id]
    assert found[-2:] == late


def test_a_list_that_broke_off_counts_nowhere(scene: Scene) -> None:
    scene.life.fill_list(scene.campaign, [scene.life.id()])
    view = scene.view()
    assert len(view.candidates) == view.pending == 5


def test_a_contact_of_two_open_lists_is_called_for_the_one_that_came_in(
    scene: Scene,
) -> None:
    shared = scene.life.id()
    first = scene.life.fill_list(scene.campaign, [shared])
    scene.life.fill_list(scene.campaign, [shared])
    scene.life.count_in(scene.campaign, first, [shared])
    last = scene.view().candidates[-1]
    assert (last.contact_id, last.list_id) == (shared, first.id)


def test_claimed_contacts_are_active_and_no_longer_candidates(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 2, batch=7)
    seen = scene.see()
    (view,) = seen.campaigns
    assert seen.claims_seen == 1
    assert (view.active, view.pending, len(view.candidates)) == (2, 3, 3)
    assert (view.batch, view.batch_contacts, view.unreported) == (7, 2, 2)
    assert [call.phase for call in seen.calls] == [Phase.CLAIMED, Phase.CLAIMED]
    assert {call.phone_number_id for call in seen.calls} == {"line-1"}


def test_a_request_and_its_lost_outcome_show_their_times(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    scene.life.request(call)
    (open_call,) = scene.see().calls
    assert (open_call.phase, open_call.requests) == (Phase.REQUESTED, 1)
    assert open_call.requested_at == call.modified_on
    assert open_call.dial_before == call.dial_before
    call.lose_outcome(reason="reset", **scene.life.stamp())
    scene.tell(call)
    (open_call,) = scene.see().calls
    assert (open_call.phase, open_call.unknown_at) == (Phase.UNKNOWN, call.modified_on)


def test_a_deferred_contact_is_counted_until_it_is_due(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1, batch=1)
    (call,) = scene.calls
    due = scene.life.now + timedelta(hours=1)
    call.defer(reason="429", until=due, **scene.life.stamp())
    scene.tell(call)
    early = scene.view()
    assert (early.deferred, early.next_due_at) == (1, due)
    assert call.contact_id not in {one.contact_id for one in early.candidates}
    first = scene.view(now=due).candidates[0]
    assert (first.contact_id, first.call_id, first.attempt) == (
        call.contact_id,
        call.id,
        1,
    )
    assert first.batch == 1


def test_a_resume_ends_every_deferral(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    due = scene.life.now + timedelta(hours=1)
    call.defer(reason="429", until=due, **scene.life.stamp())
    scene.campaign.pause(cause=PauseCause.PERSON, **scene.life.stamp())
    scene.campaign.resume(**scene.life.stamp())
    scene.life.record(call, scene.campaign)
    view = scene.view()
    assert (view.deferred, view.next_due_at) == (0, None)
    assert view.candidates[0].call_id == call.id


def test_who_was_never_rung_is_a_candidate_for_the_next_attempt(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    call.end(
        reason=UNRUNG,
        ended_at=None,
        evidence=None,
        refusal=CREDIT,
        **scene.life.stamp(),
    )
    scene.tell(call)
    first = scene.view().candidates[0]
    assert (first.contact_id, first.attempt, first.call_id) == (
        call.contact_id,
        2,
        None,
    )


def test_calls_in_a_row_that_rang_nobody_are_counted_until_one_comes_through(
    scene: Scene,
) -> None:
    scene.life.claim(scene.campaign, 5)
    first, second, third, fourth, fifth = scene.calls
    end(scene, first, UNRUNG)
    end(scene, second, "call.start.error-y")
    assert failures(scene) == (2, "call.start.error-y")
    end(scene, second, "call.start.error-y", scene.life.now)
    assert failures(scene) == (2, "call.start.error-y"), "it only tells when"
    third.ring(ringing_at=scene.life.now, evidence=None, **scene.life.stamp())
    scene.tell(third)
    assert failures(scene)[0] == 0
    end(scene, fourth, UNRUNG)
    assert failures(scene) == (1, UNRUNG)
    end(scene, fifth, "customer-busy", refusal=None)
    assert failures(scene)[0] == 0


def test_a_contact_that_is_refused_again_is_not_counted_again(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    end(scene, call, UNRUNG)
    again = Call.create(
        campaign_id=call.campaign_id,
        contact_id=call.contact_id,
        attempt=2,
        claim_id=call.id,
        batch=None,
        previous=call,
        **scene.life.stamp(),
    )
    scene.tell(again)
    end(scene, again, UNRUNG)
    assert failures(scene) == (1, UNRUNG)


def test_lack_of_capacity_counts_against_nobody_but_is_shown(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    end(scene, scene.calls[0], UNRUNG, refusal=FULL)
    view = scene.view()
    assert (view.start_failures, view.deferred) == (0, 1)
    contact = scene.calls[0].contact_id
    assert contact not in {one.contact_id for one in view.candidates}
    assert view.capacity_refused_at is not None
    assert view.next_due_at == view.capacity_refused_at + timedelta(seconds=1)


def test_refused_requests_count_as_well_each_contact_once(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 3)
    for call, refusal in zip(scene.calls, (FAULT, BAD_NUMBER, FULL), strict=True):
        for _ in range(1 + (refusal is FAULT)):
            if call.deferred:
                call.requeue(claim_id=call.id, batch=None, **scene.life.stamp())
            call.request(dial_before=scene.life.now, **scene.life.stamp())
            words, until = scene.life.words(), scene.life.now
            call.refuse(refusal, words=words, until=until, **scene.life.stamp())
        scene.tell(call)
    assert failures(scene)[0] == 2


def test_a_resume_counts_them_anew(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    end(scene, scene.calls[0], UNRUNG)
    scene.campaign.pause(cause=PauseCause.PERSON, **scene.life.stamp())
    scene.campaign.resume(**scene.life.stamp())
    scene.life.record(scene.campaign)
    assert failures(scene)[0] == 0


UNRUNG = "call.start.error-x"
FAULT = Refusal(RefusalKind.PLATFORM, None, "rule")
CREDIT = Refusal(RefusalKind.ACCOUNT, RefusalScope.ACCOUNT, "rule")
BAD_NUMBER = Refusal(RefusalKind.CONTACT, None, "rule")
FULL = Refusal(RefusalKind.CAPACITY, None, "rule")


def end(
    scene: Scene,
    call: Call,
    reason: str,
    at: datetime | None = None,
    refusal: Refusal | None = FAULT,
) -> None:
    stamp = scene.life.stamp()
    call.end(reason=reason, ended_at=at, evidence=None, refusal=refusal, **stamp)
    scene.tell(call)


def failures(scene: Scene) -> tuple[int, str | None]:
    view = scene.view()
    return view.start_failures, view.start_failure


def test_a_paused_campaign_is_shown_without_candidates(scene: Scene) -> None:
    scene.campaign.pause(cause=PauseCause.BUDGET, **scene.life.stamp())
    scene.life.record(scene.campaign)
    view = scene.view()
    assert (view.state, view.pause_cause) == (CampaignState.PAUSED, PauseCause.BUDGET)
    assert (view.pending, view.candidates) == (5, ())


def test_a_canceled_campaign_is_shown_while_calls_of_it_are_open(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    scene.campaign.cancel(hang_up=True, **scene.life.stamp())
    scene.life.record(scene.campaign)
    view = scene.view()
    assert (view.state, view.unreported) == (CampaignState.CANCELED, 1)
    assert not view.completable
    (call,) = scene.calls
    call.cancel(**scene.life.stamp())
    scene.tell(call)
    assert scene.see().campaigns == ()


def test_a_completed_campaign_is_shown_while_a_report_of_it_is_awaited(
    scene: Scene,
) -> None:
    """What its calls cost is expected from its own costs, not from anybody's."""
    scene.life.claim(scene.campaign, 2)
    for call in scene.calls:
        scene.life.place(call)
    first, last = scene.calls
    scene.life.report(first, ReportGrade.DELIVERED, Decimal("0.30"), "hang-up")
    scene.life.report(last, ReportGrade.LOOKED_UP, None, "hang-up")
    scene.campaign.complete(**scene.life.stamp())
    scene.life.record(scene.campaign)
    view = scene.view()
    assert (view.state, view.unreported) == (CampaignState.COMPLETED, 1)
    assert (view.spend, view.costs_reported) == (Decimal("0.30"), 1)
    assert (view.candidates, view.completable) == ((), False)
    scene.life.report(last, ReportGrade.DELIVERED, Decimal("0.20"), "hang-up")
    assert scene.see().campaigns == ()


def test_a_ghost_holds_room_until_its_longest_duration_has_passed(
    scene: Scene,
) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    scene.life.place(call)
    call.time_out(reason="silence", **scene.life.stamp())
    scene.tell(call)
    assert call.placed_at is not None
    last = call.placed_at + timedelta(seconds=scene.campaign.longest_call_seconds + 900)
    seen = scene.see(now=last)
    assert (seen.campaigns[0].ghosts, seen.campaigns[0].unreported) == (1, 1)
    assert [one.phase for one in seen.calls] == [Phase.GHOST]
    after = scene.see(now=last + timedelta(seconds=1))
    assert (after.campaigns[0].ghosts, after.campaigns[0].unreported) == (0, 0)
    assert after.calls == ()


def test_an_ended_call_is_watched_until_its_report_is_final(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    scene.life.place(call)
    scene.life.report(call, ReportGrade.LOOKED_UP, None, "hang-up")
    (open_call,) = scene.see().calls
    assert (open_call.phase, open_call.looked_up) == (Phase.REPORTING, 1)
    scene.life.report(call, ReportGrade.DELIVERED, Decimal("0.30"), "hang-up")
    seen = scene.see()
    assert seen.calls == ()
    view = seen.campaigns[0]
    assert (view.spend, view.costs_reported, view.unreported) == (Decimal("0.30"), 1, 0)


def test_a_cost_belongs_to_the_day_of_the_claim(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    claimed = scene.life.now
    scene.life.now += timedelta(days=1)
    scene.life.report(call, ReportGrade.DELIVERED, Decimal("0.30"), None)
    assert scene.see(now=claimed).spent_today == Decimal("0.30")
    assert scene.see(now=scene.life.now).spent_today == 0


def test_a_duplicate_stands_until_requests_are_allowed_again(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    call.detect_duplicate(provider_call_id="other", **scene.life.stamp())
    scene.tell(call)
    assert scene.see().duplicates_open
    scene.life.furnish()
    seen = scene.see()
    assert not seen.duplicates_open
    assert seen.settings == SettingsValues(daily_budget=Decimal(9), retention_days=30)


def test_a_campaign_is_completable_when_nobody_is_left(store: Store) -> None:
    scene = Scene(store, contacts=1)
    assert not scene.view().completable
    scene.life.claim(scene.campaign, 1)
    assert not scene.view().completable
    (call,) = scene.calls
    scene.life.report(call, ReportGrade.DELIVERED, None, "done")
    assert scene.view().completable


def test_a_campaign_that_is_over_or_not_begun_is_not_shown(scene: Scene) -> None:
    scene.life.open_campaign(1)
    scene.campaign.complete(**scene.life.stamp())
    scene.life.record(scene.campaign)
    assert scene.see().campaigns == ()


def test_the_plan_reads_few_of_many_pending_contacts(store: Store) -> None:
    scene = Scene(store, contacts=20_000)
    scene.see(most=5)
    before = fetched(store)
    scene.see(most=5)
    assert fetched(store) - before < 500


def fetched(store: Store) -> int:
    store.conn.execute("select pg_stat_force_next_flush()")
    store.conn.execute("select pg_stat_clear_snapshot()")
    return int(
        store.value(
            "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_user_tables"
            " where schemaname = 'read' and relname = 'contact_log'"
        )
    )


def test_the_view_is_of_one_position(scene: Scene) -> None:
    seen = scene.see()
    assert seen.position == scene.store.position() == len(scene.life.events)
    assert isinstance(scene.life.events[-1], Campaign.Queued)


def test_the_position_of_a_campaigns_last_claim_is_shown(scene: Scene) -> None:
    assert scene.view().claimed_position is None
    scene.life.claim(scene.campaign, 2)
    first = scene.view().claimed_position
    assert first == last_claim(scene)
    (call, _) = scene.calls
    now = scene.life.now
    call.defer(reason="429", until=now, **scene.life.stamp())
    scene.tell(call)
    assert scene.view().claimed_position == first
    call.requeue(claim_id=scene.life.id(), batch=None, **scene.life.stamp())
    scene.tell(call)
    second = scene.view().claimed_position
    assert second == last_claim(scene) != first


def last_claim(scene: Scene) -> int:
    """Return the position of the last claim in the log."""
    found = scene.store.conn.execute(
        "select max(position) from event_index"
        " where type in ('call.created', 'call.requeued')"
    ).fetchone()
    assert found is not None
    return int(found[0])
