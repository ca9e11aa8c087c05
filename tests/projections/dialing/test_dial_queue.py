"""The snapshot that the scheduler plans from."""

from datetime import datetime, timedelta
from decimal import Decimal

from domain.calls.deferrals import DeferralReason
from domain.calls.reports import ReportGrade
from domain.campaigns.campaign import Campaign
from domain.dial_view import Phase, Snapshot
from domain.settings import SettingsValues
from domain.values import (
    CampaignState,
    PauseCause,
)
from projections import dial_snapshot
from tests.projections.dialing.dial_scene import (
    CREDIT,
    UNRUNG,
    Scene,
    everybody_may_be_called,
)
from tests.projections.installation import furnish
from tests.projections.store import Store


def test_the_snapshot_of_an_empty_installation_is_empty(store: Store) -> None:
    seen = dial_snapshot.snapshot(
        store.conn,
        datetime.fromisoformat("2026-01-01T00:00Z"),
        10,
        everybody_may_be_called,
    )
    assert seen == Snapshot(0, 0, None, False, (), Decimal(0), (), ())


def test_a_started_campaign_has_its_candidates_in_the_order_of_the_file(
    scene: Scene,
) -> None:
    view = scene.view(most=3)
    in_file = scene.life.contacts[scene.campaign.id]
    assert [one.contact_id for one in view.candidates] == in_file[:3]
    assert {(one.attempt, one.call_id) for one in view.candidates} == {(1, None)}
    assert (view.contacts, view.pending, view.active) == (5, 5, 0)
    assert (view.state, view.version) == (CampaignState.QUEUED, 3)


def test_contacts_of_a_later_list_follow_those_of_an_earlier_one(scene: Scene) -> None:
    late = [scene.life.id() for _ in range(2)]
    scene.life.import_list(scene.campaign, late)
    found = [one.contact_id for one in scene.view().candidates]
    assert found == scene.life.contacts[scene.campaign.id]
    assert found[-2:] == late


def test_an_unfinished_list_is_not_counted(scene: Scene) -> None:
    scene.life.fill_list(scene.campaign, [scene.life.id()])
    view = scene.view()
    assert len(view.candidates) == view.pending == 5


def test_a_contact_of_two_open_lists_belongs_to_the_imported_one(
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
    seen = scene.snapshot()
    (view,) = seen.campaigns
    assert seen.claims_seen == 1
    assert (view.active, view.pending, len(view.candidates)) == (2, 3, 3)
    assert (view.batch, view.batch_contacts, view.unreported) == (7, 2, 2)
    assert [call.phase for call in seen.calls] == [Phase.CLAIMED, Phase.CLAIMED]
    assert {call.phone_number_id for call in seen.calls} == {"line-1"}


def test_a_request_and_its_unknown_outcome_have_their_times(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    scene.life.request(call)
    (open_call,) = scene.snapshot().calls
    assert (open_call.phase, open_call.requests) == (Phase.REQUESTED, 1)
    assert open_call.requested_at == call.modified_on
    assert open_call.dial_before == call.dial_before
    call.lose_outcome(reason="reset", **scene.life.stamp())
    scene.record(call)
    (open_call,) = scene.snapshot().calls
    assert (open_call.phase, open_call.unknown_at) == (Phase.UNKNOWN, call.modified_on)


def test_a_deferred_contact_is_counted_until_it_is_due(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1, batch=1)
    (call,) = scene.calls
    due = scene.life.now + timedelta(hours=1)
    call.defer(reason=DeferralReason.NOT_NOW, until=due, **scene.life.stamp())
    scene.record(call)
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


def test_a_resume_ends_all_deferrals(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    due = scene.life.now + timedelta(hours=1)
    call.defer(reason=DeferralReason.NOT_NOW, until=due, **scene.life.stamp())
    scene.campaign.pause(cause=PauseCause.PERSON, **scene.life.stamp())
    scene.campaign.resume(**scene.life.stamp())
    scene.life.record(call, scene.campaign)
    view = scene.view()
    assert (view.deferred, view.next_due_at) == (0, None)
    assert view.candidates[0].call_id == call.id


def test_a_contact_whose_call_never_rang_is_a_candidate_again(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    call.end(
        reason=UNRUNG,
        ended_at=None,
        evidence=None,
        refusal=CREDIT,
        **scene.life.stamp(),
    )
    scene.record(call)
    first = scene.view().candidates[0]
    assert (first.contact_id, first.attempt, first.call_id) == (
        call.contact_id,
        2,
        None,
    )


def test_a_paused_campaign_has_no_candidates(scene: Scene) -> None:
    scene.campaign.pause(cause=PauseCause.BUDGET, **scene.life.stamp())
    scene.life.record(scene.campaign)
    view = scene.view()
    assert (view.state, view.pause_cause) == (CampaignState.PAUSED, PauseCause.BUDGET)
    assert (view.pending, view.candidates) == (5, ())


def test_a_canceled_campaign_is_in_the_snapshot_while_its_calls_are_open(
    scene: Scene,
) -> None:
    scene.life.claim(scene.campaign, 1)
    scene.campaign.cancel(hang_up=True, **scene.life.stamp())
    scene.life.record(scene.campaign)
    view = scene.view()
    assert (view.state, view.unreported) == (CampaignState.CANCELED, 1)
    assert not view.completable
    (call,) = scene.calls
    call.cancel(**scene.life.stamp())
    scene.record(call)
    assert scene.snapshot().campaigns == ()


def test_a_completed_campaign_is_in_the_snapshot_while_it_awaits_a_report(
    scene: Scene,
) -> None:
    """The expected cost of its calls depends on its own earlier costs."""
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
    assert scene.snapshot().campaigns == ()


def test_a_ghost_uses_a_slot_until_its_longest_duration_has_passed(
    scene: Scene,
) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    scene.life.place(call)
    call.time_out(reason="silence", **scene.life.stamp())
    scene.record(call)
    assert call.placed_at is not None
    last = call.placed_at + timedelta(
        seconds=scene.campaign.caller.longest_call_seconds + 900
    )
    seen = scene.snapshot(now=last)
    assert (seen.campaigns[0].ghosts, seen.campaigns[0].unreported) == (1, 1)
    assert [one.phase for one in seen.calls] == [Phase.GHOST]
    after = scene.snapshot(now=last + timedelta(seconds=1))
    assert (after.campaigns[0].ghosts, after.campaigns[0].unreported) == (0, 0)
    assert after.calls == ()


def test_an_ended_call_is_watched_until_its_report_is_final(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    scene.life.place(call)
    scene.life.report(call, ReportGrade.LOOKED_UP, None, "hang-up")
    (open_call,) = scene.snapshot().calls
    assert (open_call.phase, open_call.looked_up) == (Phase.REPORTING, 1)
    scene.life.report(call, ReportGrade.DELIVERED, Decimal("0.30"), "hang-up")
    seen = scene.snapshot()
    assert seen.calls == ()
    view = seen.campaigns[0]
    assert (view.spend, view.costs_reported, view.unreported) == (Decimal("0.30"), 1, 0)


def test_a_cost_is_booked_to_the_day_of_the_claim(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    claimed = scene.life.now
    scene.life.now += timedelta(days=1)
    scene.life.report(call, ReportGrade.DELIVERED, Decimal("0.30"), None)
    assert scene.snapshot(now=claimed).spent_today == Decimal("0.30")
    assert scene.snapshot(now=scene.life.now).spent_today == 0


def test_a_duplicate_stays_open_until_requests_are_allowed_again(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    call.detect_duplicate(provider_call_id="other", **scene.life.stamp())
    scene.record(call)
    assert scene.snapshot().duplicates_open
    furnish(scene.life)
    seen = scene.snapshot()
    assert not seen.duplicates_open
    assert seen.settings == SettingsValues(daily_budget=Decimal(9), retention_days=30)


def test_a_campaign_is_completable_when_no_contact_is_left(store: Store) -> None:
    scene = Scene(store, contacts=1)
    assert not scene.view().completable
    scene.life.claim(scene.campaign, 1)
    assert not scene.view().completable
    (call,) = scene.calls
    scene.life.report(call, ReportGrade.DELIVERED, None, "done")
    assert scene.view().completable


def test_a_finished_or_unstarted_campaign_is_not_in_the_snapshot(scene: Scene) -> None:
    scene.life.open_campaign(1)
    scene.campaign.complete(**scene.life.stamp())
    scene.life.record(scene.campaign)
    assert scene.snapshot().campaigns == ()


def test_the_query_reads_few_of_many_pending_contacts(store: Store) -> None:
    scene = Scene(store, contacts=20_000)
    scene.snapshot(most=5)
    before = fetched(store)
    scene.snapshot(most=5)
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


def test_the_snapshot_has_one_position(scene: Scene) -> None:
    seen = scene.snapshot()
    assert seen.position == scene.store.position() == len(scene.life.events)
    assert isinstance(scene.life.events[-1], Campaign.Queued)


def test_the_snapshot_has_the_position_of_a_campaigns_last_claim(scene: Scene) -> None:
    assert scene.view().claimed_position is None
    scene.life.claim(scene.campaign, 2)
    first = scene.view().claimed_position
    assert first == last_claim(scene)
    (call, _) = scene.calls
    now = scene.life.now
    call.defer(reason=DeferralReason.NOT_NOW, until=now, **scene.life.stamp())
    scene.record(call)
    assert scene.view().claimed_position == first
    call.requeue(claim_id=scene.life.id(), batch=None, **scene.life.stamp())
    scene.record(call)
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
