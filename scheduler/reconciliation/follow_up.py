"""Follows single calls: missing reports, calls without events, hang-ups."""

from datetime import datetime, timedelta
from uuid import UUID

from application.calls.call_service import CallService
from application.ports import CallPhase, Provider, ProviderCall
from domain.calls.reports import ReportGrade
from domain.dial_view import CampaignView, OpenCall, Phase, Snapshot
from domain.dispatching.costs import expected_cost, expected_of
from domain.states import LIVE
from scheduler.reconciliation.listed_calls import is_final, is_news, with_cost

MAX_REQUESTS = 20
"""Largest number of calls asked for by id in one run."""

FAILED_REQUEST_COST = 5
"""What a request without an answer costs of MAX_REQUESTS: it may have timed out."""


class Run:
    """One run of the reconciliation: its time, its campaigns, the requests left.

    `silence` is the time without any event after which a call is asked for.
    """

    def __init__(self, snapshot: Snapshot, now: datetime, silence: timedelta) -> None:
        self.now, self.silence, self._left = now, silence, MAX_REQUESTS
        self._campaigns = {view.id: view for view in snapshot.campaigns}

    def take_request(self) -> bool:
        """Use up one request; return whether there was one left."""
        self._left -= 1
        return self._left >= 0

    def count_failure(self) -> None:
        """Deduct the time that a request without an answer may have taken."""
        self._left -= FAILED_REQUEST_COST

    def campaign(self, campaign_id: UUID) -> CampaignView | None:
        """Return the campaign's view, None if it is not in the snapshot."""
        return self._campaigns.get(campaign_id)


class FollowUp:
    """Follows placed calls until their end and their report are stored."""

    def __init__(
        self,
        *,
        calls: CallService,
        provider: Provider,
        interval: timedelta,
        ghost_grace: timedelta,
        longest_queued: timedelta,
    ) -> None:
        self._calls, self._provider = calls, provider
        self._interval, self._ghost_grace = interval, ghost_grace
        self._longest_queued = longest_queued

    def record(self, call: OpenCall, shown: ProviderCall) -> None:
        """Record what the provider shows, if it is new or is another call for ours."""
        bound_to_other = call.provider_call_id not in (None, shown.provider_call_id)
        is_unbound = call.provider_call_id is None
        if bound_to_other or is_unbound or is_news(call, shown):
            final = is_final(shown)
            grade = ReportGrade.LOOKED_UP_LAST if final else ReportGrade.NONE
            self._calls.record_lookup(call.call_id, shown, grade=grade)

    def run(self, call: OpenCall, found: list[ProviderCall], run: Run) -> None:
        """Do what is due for one call; `found` are the listed calls that name it."""
        if call.provider_call_id is None:
            return
        has_ended = any(one.ended for one in found)
        if call.hang_up_requested and call.status in LIVE and not has_ended:
            self._provider.hang_up(call.provider_call_id)
        if call.phase is Phase.REPORTING:
            self._ask_for_report(call, run)
        elif call.phase in (Phase.PLACED, Phase.GHOST):
            live = next((one for one in found if not one.ended), None)
            self._ask_if_silent(call, live, run)

    def _ask_for_report(self, call: OpenCall, run: Run) -> None:
        """Ask at most twice; the second answer is final even if it is incomplete."""
        since = run.now - (call.ended_at or call.last_event_at)
        asked = call.looked_up >= ReportGrade.LOOKED_UP
        due_after = run.silence if asked else 2 * self._interval
        if since < due_after or not run.take_request():
            return
        is_last = asked or since >= 2 * run.silence
        shown = self._provider.call(call.provider_call_id or "")
        of_campaign = expected_of(run.campaign(call.campaign_id))
        expected = expected_cost(call, of_campaign, run.now)
        if shown is not None and shown.ended:
            final = is_last or is_final(shown)
            grade = ReportGrade.LOOKED_UP_LAST if final else ReportGrade.LOOKED_UP
            recorded = with_cost(shown, expected) if final else shown
            self._calls.record_lookup(call.call_id, recorded, grade=grade)
        elif is_last:
            self._calls.close_report(call.call_id, cost=expected)

    def _ask_if_silent(
        self, call: OpenCall, live: ProviderCall | None, run: Run
    ) -> None:
        """Ask for a call without recent events, unless the list shows it as live."""
        if run.now - call.last_event_at < run.silence:
            return
        if live is None and run.take_request():
            shown = self._provider.call(call.provider_call_id or "")
            if shown is None:
                self._calls.time_out(call.call_id, reason="unknown at the provider")
            elif shown.ended:
                self.record(call, shown)
            else:
                live = shown
        if live is not None:
            self._confirm(call, live, run.now)

    def _confirm(self, call: OpenCall, live: ProviderCall, now: datetime) -> None:
        """Record that the call is live, or hang it up after its longest duration."""
        age = now - (call.placed_at or call.queued_at)
        longest = timedelta(seconds=call.longest_call_seconds) + self._ghost_grace
        stuck = live.phase is CallPhase.QUEUED and age > self._longest_queued
        if stuck or age > longest + self._longest_queued:
            self._provider.hang_up(live.provider_call_id)
            self._calls.time_out(call.call_id, reason="live beyond its longest time")
        else:
            self._calls.confirm(call.call_id, live)
