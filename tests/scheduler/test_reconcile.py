"""What the provider shows, or does not, and what becomes of each call."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.ports import (
    Accepted,
    CallOrder,
    CallReport,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.costs import FIRST_COST
from domain.dial_view import OpenCall, Phase
from domain.values import CallStatus, CampaignState, ContactStatus
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from provider.vapi.reading import read_message
from scheduler.reconcile import LOOK_UPS, Findings, Reconcile
from tests.wiring import Clock, House, phones

EVERY = timedelta(seconds=30)
TIME_OUT = timedelta(seconds=20)
SILENCE = timedelta(seconds=600)
SENT = timedelta(seconds=5)
ENDED = CallReport(ended_reason="customer-ended-call", ended_at=None)


class Watch:
    """Reconcile over a house, with calls brought to where a test needs them."""

    def __init__(self, house: House) -> None:
        assert isinstance(house.now, Clock)
        self.house, self.clock, self.under_way = house, house.now, set[UUID]()
        self.reconcile = Reconcile(
            calls=house.calls,
            provider=house.provider,
            is_under_way=lambda call_id: call_id in self.under_way,
            interval=EVERY,
            time_out=TIME_OUT,
        )

    def look(self, times: int = 1, *, every: timedelta = EVERY) -> Findings:
        for _ in range(times):
            self.clock.pass_(seconds=every.total_seconds())
            snapshot = self.house.snapshot()
            found = self.reconcile.run(snapshot, now=self.house.now(), silence=SILENCE)
        return found

    def claimed(self) -> UUID:
        [call_id] = self.house.claim(self.house.campaign(1))
        return call_id

    def requested(self) -> CallOrder:
        return self.request(self.claimed())

    def request(self, call_id: UUID) -> CallOrder:
        ticket = self.house.calls.request(call_id, dial_before=self.house.now() + SENT)
        assert ticket is not None
        return ticket.order

    def unknown(self) -> CallOrder:
        order = self.requested()
        self.house.calls.lose_outcome(order.call_id, reason="no clear answer")
        return order

    def placed(self, order: CallOrder | None = None, provider_id: str = "p1") -> UUID:
        order = order or self.requested()
        self.house.provider.show(order, provider_id)
        self.house.calls.place(
            order.call_id, provider_call_id=provider_id, placed_at=self.house.now()
        )
        return order.call_id

    def phase(self, call_id: UUID) -> Phase | None:
        calls = {call.call_id: call for call in self.house.snapshot().calls}
        found: OpenCall | None = calls.get(call_id)
        return found.phase if found else None

    def status(self, call_id: UUID) -> CallStatus:
        return self.house.load_call(call_id).status


@pytest.fixture
def watch(house: House) -> Watch:
    return Watch(house)


# --- Claimed or requested, and nothing known ----------------------------------------


def test_a_claim_that_nobody_requests_is_given_back(watch: Watch, house: House) -> None:
    call_id = watch.claimed()
    watch.look(every=TIME_OUT)
    assert watch.phase(call_id) is Phase.CLAIMED, "its turn may be about to come"
    watch.look()
    assert house.topics(call_id) == ["created", "deferred"]


def test_a_request_without_a_stored_answer_becomes_unknown(
    watch: Watch, house: House
) -> None:
    """Our process died after the request, before it stored what came of it."""
    order = watch.requested()
    watch.look(every=SENT + TIME_OUT)
    assert watch.phase(order.call_id) is Phase.REQUESTED
    watch.look(every=timedelta(seconds=1))
    assert house.topics(order.call_id)[-1] == "outcome_unknown"


@pytest.mark.parametrize("bring", ["claimed", "requested"])
def test_what_our_own_dialer_is_about_to_settle_is_left_to_it(
    watch: Watch, house: House, bring: str
) -> None:
    brought = getattr(watch, bring)()
    call_id = brought if isinstance(brought, UUID) else brought.call_id
    watch.under_way.add(call_id)
    before = house.topics(call_id)
    watch.look(3)
    assert house.topics(call_id) == before


# --- Unknown ------------------------------------------------------------------------


def test_an_unknown_call_that_shows_up_is_placed(watch: Watch, house: House) -> None:
    order = watch.unknown()
    house.provider.show(order, "p1")
    watch.look()
    assert house.load_call(order.call_id).provider_call_id == "p1"
    assert house.load_campaign(order.campaign_id).state is CampaignState.DIALING


def test_an_absent_call_keeps_its_slot_until_three_look_ups_and_the_quarantine(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    watch.look(LOOK_UPS)
    assert watch.phase(order.call_id) is Phase.UNKNOWN, "90 s have not passed yet"
    watch.look()
    assert house.topics(order.call_id)[-1] == "deferred"


def test_many_quick_look_ups_do_not_shorten_the_quarantine(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    watch.look(8, every=timedelta(seconds=11))
    assert watch.phase(order.call_id) is Phase.UNKNOWN
    watch.look(every=timedelta(seconds=11))
    assert watch.phase(order.call_id) is None


def test_one_late_look_up_is_not_enough(watch: Watch) -> None:
    order = watch.unknown()
    watch.look(2, every=timedelta(hours=1))
    assert watch.phase(order.call_id) is Phase.UNKNOWN
    watch.look()
    assert watch.phase(order.call_id) is None


def test_the_quarantine_follows_the_largest_delay_until_a_call_showed(
    watch: Watch, house: House
) -> None:
    placed = watch.placed()
    house.provider.hidden.add("p1")
    watch.look(4)  # 120 s after it was placed it still does not show.
    house.provider.hidden.clear()
    watch.look()
    assert watch.phase(placed) is Phase.PLACED
    order = watch.unknown()
    watch.look(11)
    assert watch.phase(order.call_id) is Phase.UNKNOWN, "3 x 120 s have not passed"
    watch.look(2)
    assert watch.phase(order.call_id) is None


def test_a_call_that_the_provider_lost_does_not_lengthen_quarantines_for_ever(
    watch: Watch, house: House
) -> None:
    lost = watch.placed()
    house.provider.hidden.add("p1")
    watch.look(25)
    assert watch.status(lost) is CallStatus.TIMEOUT
    order = watch.unknown()
    watch.look(LOOK_UPS + 1)
    assert watch.phase(order.call_id) is None


def test_a_second_absence_ends_the_call_as_failed(watch: Watch, house: House) -> None:
    order = watch.unknown()
    watch.look(LOOK_UPS + 1)
    assert house.claim_again(order.call_id).calls
    watch.request(order.call_id)
    house.calls.lose_outcome(order.call_id, reason="no clear answer")
    watch.look(LOOK_UPS + 1)
    call = house.load_call(order.call_id)
    assert (call.status, call.requests) == (CallStatus.FAILED, 2)
    assert call.standing is ContactStatus.FAILED


def test_an_old_view_gives_up_no_newer_request(watch: Watch, house: House) -> None:
    order = watch.unknown()
    watch.look(LOOK_UPS)
    watch.clock.pass_(seconds=60)
    old = house.snapshot()
    house.calls.settle_absent(order.call_id)
    assert house.claim_again(order.call_id).calls
    watch.request(order.call_id)
    house.calls.lose_outcome(order.call_id, reason="no clear answer")
    watch.reconcile.run(old, now=house.now(), silence=SILENCE)
    assert watch.status(order.call_id) is CallStatus.QUEUED


# --- Two at the provider ------------------------------------------------------------


def test_a_second_provider_call_is_detected_hung_up_and_bars_everything(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    watch.clock.pass_(seconds=1)
    house.provider.show(order, "p2")
    watch.look(2)
    assert house.topics(call_id)[-1] == "duplicate_detected"
    assert house.provider.hang_ups == ["p2"]
    assert house.load_call(call_id).provider_call_id == "p1"
    assert house.load_campaign(order.campaign_id).state is CampaignState.PAUSED
    assert house.snapshot().duplicates_open


def test_of_two_calls_found_for_an_unknown_one_the_older_counts(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    house.provider.show(order, "newer", house.now() + timedelta(seconds=2))
    house.provider.show(order, "older", house.now() + timedelta(seconds=1))
    watch.look()
    assert house.load_call(order.call_id).provider_call_id == "older"
    assert house.provider.hang_ups == ["newer"]


def test_a_resumed_campaign_is_not_paused_again_for_the_same_second_call(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    watch.placed(order)
    house.provider.show(order, "p2", house.now() + timedelta(seconds=1))
    watch.look()
    house.settings.allow_requests_again(by="ann")
    house.campaigns.resume(order.campaign_id, by="ann")
    watch.look(2)
    assert house.load_campaign(order.campaign_id).may_dial


def named_by_webhook(house: House, order: CallOrder, provider_call_id: str) -> None:
    """Store a webhook about our call under another provider call id."""
    message = {
        "type": "status-update",
        "status": "ringing",
        "timestamp": 1,
        "call": {
            "id": provider_call_id,
            "assistantOverrides": {
                "metadata": {"autolynx_call_id": str(order.call_id)}
            },
        },
    }
    house.calls.record_message(read_message({"message": message}))
    house.settle()


def test_one_webhook_with_another_id_stops_only_its_own_campaign(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    named_by_webhook(house, order, "forged")
    watch.look()
    assert house.topics(call_id)[-2] == "duplicate_suspected"
    assert house.load_campaign(order.campaign_id).state is CampaignState.PAUSED
    seen = house.snapshot()
    assert not seen.duplicates_open
    [suspicion] = seen.suspected
    assert suspicion.campaign_id == order.campaign_id
    assert house.provider.hang_ups == []


def test_a_suspicion_that_the_provider_confirms_stops_all_dialling(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    house.provider.show(order, "p2", house.now() + timedelta(seconds=1))
    house.provider.unlisted.add("p2")
    named_by_webhook(house, order, "p2")
    watch.look()
    assert "duplicate_detected" in house.topics(call_id)
    assert house.provider.hang_ups == ["p2"]
    seen = house.snapshot()
    assert (seen.duplicates_open, seen.suspected) == (True, ())


def test_a_suspicion_that_the_provider_denies_is_dismissed_after_the_quarantine(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    named_by_webhook(house, order, "forged")
    watch.look(2)
    assert house.snapshot().suspected
    watch.clock.pass_(seconds=watch.reconcile.quarantine().total_seconds())
    watch.look(2)
    assert "duplicate_dismissed" in house.topics(call_id)
    seen = house.snapshot()
    assert (seen.duplicates_open, seen.suspected) == (False, ())


def test_a_suspicion_stays_while_the_provider_does_not_answer(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    watch.placed(order)
    named_by_webhook(house, order, "forged")
    house.provider.down = True
    watch.clock.pass_(seconds=watch.reconcile.quarantine().total_seconds())
    watch.look(3)
    assert house.snapshot().suspected


def test_an_id_that_only_a_webhook_bound_is_asked_for_as_well(
    watch: Watch, house: House
) -> None:
    """A forged webhook that overtakes the provider's answer proves nothing either."""
    order = watch.requested()
    named_by_webhook(house, order, "forged")
    watch.placed(order)
    watch.look()
    assert house.load_call(order.call_id).provider_call_id == "forged"
    seen = house.snapshot()
    assert not seen.duplicates_open
    assert [one.other_provider_call_id for one in seen.suspected] == ["p1"]


# --- Live, silent, ended ------------------------------------------------------------


def test_what_the_list_shows_is_told_as_webhooks_would_have(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    for status in ("ringing", "in-progress"):
        house.provider.say("p1", status)
        watch.look()
    house.provider.end("p1", ENDED)
    watch.look(2)
    assert house.topics(call_id)[2:] == ["placed", "ringing", "answered", "ended"]


def test_a_list_that_shows_an_earlier_state_takes_nothing_back(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    house.provider.say("p1", "in-progress")
    watch.look()
    house.provider.say("p1", "ringing")
    watch.look(2)
    assert watch.status(call_id) is CallStatus.IN_PROGRESS


def test_a_silent_call_that_is_live_is_confirmed(watch: Watch, house: House) -> None:
    call_id = watch.placed()
    house.provider.say("p1", "in-progress")
    watch.look(21)
    assert house.topics(call_id).count("confirmed") == 1
    assert watch.status(call_id) is CallStatus.IN_PROGRESS


def test_a_silent_call_that_the_provider_does_not_know_times_out(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    house.provider.shown.clear()
    watch.look(19)
    assert watch.status(call_id) is CallStatus.QUEUED, "it was not silent long enough"
    watch.look()
    assert watch.status(call_id) is CallStatus.TIMEOUT
    assert watch.phase(call_id) is Phase.GHOST, "it may be live all the same"


def test_a_call_that_never_leaves_the_queue_is_hung_up_after_an_hour(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    watch.look(6, every=timedelta(minutes=11))
    assert house.provider.hang_ups == ["p1"]
    assert watch.status(call_id) is CallStatus.TIMEOUT


def test_a_ghost_is_let_go_when_the_provider_shows_its_end(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    house.calls.time_out(call_id, reason="unknown at the provider")
    watch.look()
    assert watch.phase(call_id) is Phase.GHOST
    house.provider.end("p1", ENDED)
    watch.look()
    assert watch.phase(call_id) is Phase.REPORTING
    assert watch.status(call_id) is CallStatus.TIMEOUT


def test_a_hang_up_is_asked_for_until_the_call_ends(watch: Watch, house: House) -> None:
    call_id = watch.placed()
    house.calls.request_hang_up(call_id, by="ann")
    watch.look(2)
    assert house.provider.hang_ups == ["p1"]
    assert watch.status(call_id) is CallStatus.ENDED


# --- Reports ------------------------------------------------------------------------


def report(**fields: Any) -> CallReport:
    return CallReport(ended_reason="customer-ended-call", **fields)


def test_a_report_with_its_artifact_is_taken_from_the_list(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    cost = Decimal("0.31")
    house.provider.end("p1", report(cost=cost, has_artifact=True))
    watch.look()
    assert house.load_call(call_id).cost == cost
    assert watch.phase(call_id) is None


def test_a_report_that_does_not_come_is_asked_for_twice(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    house.provider.end("p1", report())
    watch.look(3)
    assert house.topics(call_id)[-2:] == ["ended", "reported"]
    watch.look(15)
    assert house.topics(call_id).count("reported") == 1, "not before the silence"
    assert watch.phase(call_id) is Phase.REPORTING
    watch.look(6)
    assert house.topics(call_id).count("reported") == 2
    assert watch.phase(call_id) is None
    assert house.load_call(call_id).cost == FIRST_COST, "booked, for none was named"


def test_nothing_is_booked_for_a_call_that_nobody_answered(
    watch: Watch, house: House
) -> None:
    """The provider may leave out a cost of zero; each such call was booked at 0.25."""
    call_id = watch.placed()
    unanswered = CallReport(ended_reason="customer-busy", is_unanswered=True)
    house.provider.end("p1", unanswered)
    watch.look(25)
    assert watch.phase(call_id) is None
    assert house.load_call(call_id).cost == 0


def test_a_cost_of_nothing_is_a_cost(watch: Watch, house: House) -> None:
    call_id = watch.placed()
    house.provider.end("p1", report(cost=Decimal(0)))
    watch.look(25)
    assert house.load_call(call_id).cost == 0


def test_a_report_is_not_awaited_for_ever_from_a_provider_that_forgot_the_call(
    watch: Watch, house: House
) -> None:
    call_id = watch.placed()
    house.provider.end("p1", report())
    watch.look()
    house.provider.shown.clear()
    watch.look(60)
    assert watch.phase(call_id) is None
    assert house.load_call(call_id).cost == FIRST_COST


def test_news_in_a_second_look_is_stored_as_well(watch: Watch, house: House) -> None:
    """The end was shown without its time at first."""
    call_id = watch.placed()
    house.provider.end("p1", report())
    watch.look()
    later = report(ended_at=house.now(), cost=Decimal(1), has_artifact=True)
    house.provider.end("p1", later)
    watch.look()
    assert house.load_call(call_id).ended_at == later.ended_at


# --- The provider, unreachable or odd -----------------------------------------------


def test_while_the_provider_is_down_nothing_is_timed_out_or_given_up(
    watch: Watch, house: House
) -> None:
    silent = watch.placed()
    order = watch.unknown()
    house.provider.down = True
    found = watch.look(60)
    assert found.down == "the provider is down"
    assert watch.status(silent) is CallStatus.QUEUED
    assert watch.phase(order.call_id) is Phase.UNKNOWN


OTHER_LINE = "line-2"


def on_other_line(watch: Watch) -> CallOrder:
    campaign = watch.house.campaign(phones(1, 50), phone_number_id=OTHER_LINE)
    [call_id] = watch.house.claim(campaign)
    return watch.request(call_id)


def test_trouble_on_one_line_leaves_the_others_alone(
    watch: Watch, house: House
) -> None:
    here = watch.placed()
    there = watch.placed(on_other_line(watch), "p2")
    line = DEFAULT_PHONE_NUMBER_ID
    house.provider.lines_down[line] = ProviderUnavailable("500: try again")
    house.provider.say("p1", "ringing")
    house.provider.say("p2", "ringing")
    found = watch.look()
    assert (found.down, found.lines_down) == (None, {line: "500: try again"})
    assert watch.status(there) is CallStatus.RINGING
    assert watch.status(here) is CallStatus.QUEUED


def test_calls_of_a_line_in_trouble_are_asked_for_by_id(
    watch: Watch, house: House
) -> None:
    here = watch.placed()
    watch.placed(on_other_line(watch), "p2")
    house.provider.lines_down[DEFAULT_PHONE_NUMBER_ID] = ProviderUnavailable("500")
    house.provider.end("p1", ENDED)
    watch.look(2, every=SILENCE)
    assert watch.status(here) is CallStatus.ENDED


def test_a_request_of_unknown_end_is_kept_while_its_line_is_in_trouble(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    watch.placed(on_other_line(watch), "p2")
    house.provider.lines_down[order.phone_number_id] = ProviderUnavailable("500")
    watch.look(60)
    assert watch.phase(order.call_id) is Phase.UNKNOWN


def test_calls_of_a_deleted_line_are_looked_for_among_those_of_all_lines(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    house.provider.show(order, "p1")
    house.provider.lines_down[order.phone_number_id] = ProviderRefused("404")
    found = watch.look()
    assert (found.down, dict(found.lines_down)) == (None, {})
    assert house.load_call(order.call_id).provider_call_id == "p1"


def test_the_provider_is_down_where_no_line_gets_an_answer(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    there = on_other_line(watch)
    for line in (order.phone_number_id, there.phone_number_id):
        house.provider.lines_down[line] = ProviderUnavailable("500")
    assert watch.look().down == "500"


def test_one_call_that_cannot_be_asked_for_leaves_the_others_alone(
    watch: Watch, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = watch.placed()
    house.calls.request_hang_up(bad, by="ann")
    good = watch.placed(watch.requested(), "p2")

    def refuse(provider_call_id: str) -> None:
        raise ProviderRefused("the call's control URL is on a foreign host")

    monkeypatch.setattr(house.provider, "hang_up", refuse)
    house.provider.say("p2", "ringing")
    assert watch.look().down is None
    assert watch.status(good) is CallStatus.RINGING


def test_one_call_that_cannot_be_worked_with_leaves_the_others_alone(
    watch: Watch, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = watch.placed(), watch.placed(watch.requested(), "p2")
    look = house.calls.record_lookup

    def broken(call_id: UUID, *args: Any, **named: Any) -> None:
        if call_id == bad:
            raise KeyError("endedReason")
        look(call_id, *args, **named)

    monkeypatch.setattr(house.calls, "record_lookup", broken)
    house.provider.say("p1", "ringing")
    house.provider.say("p2", "ringing")
    watch.look()
    assert watch.status(good) is CallStatus.RINGING


def test_a_line_with_a_live_call_is_busy_whoever_made_it(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    assert watch.look().busy_lines == frozenset()
    house.provider.show(order, "foreign")
    watch.house.campaign(phones(1), line_quiet_gating=True)
    assert watch.look().busy_lines == {order.phone_number_id}


def test_what_is_over_is_forgotten(watch: Watch, house: House) -> None:
    order = watch.unknown()
    watch.look(2)
    assert order.call_id in watch.reconcile._absent
    house.provider.answers(Accepted("p1", house.now()))
    watch.placed(order)
    watch.look()
    house.provider.hidden.add("p1")
    watch.look()
    house.provider.hidden.clear()
    house.provider.end("p1", report(cost=Decimal(1), has_artifact=True))
    watch.look(2)
    assert not watch.reconcile._absent
    assert not watch.reconcile._missing
