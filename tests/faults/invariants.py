"""Checks of the invariants (I1 to I12) against the ledger of the provider."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid5

from domain.calls.call import Call
from domain.calls.refusals import PLATFORM_RETRIES
from domain.values import CampaignState, ContactStatus, RefusalKind
from projections.calls.call_log import CallRow
from provider.vapi.messages.reading import read_message
from tests.faults.scenario import Scenario
from tests.faults.virtual_call import REPORT, Document, VirtualCall

TERMINAL = frozenset(
    {
        ContactStatus.ENDED,
        ContactStatus.FAILED,
        ContactStatus.CANCELED,
        ContactStatus.TIMEOUT,
    }
)


HIGHEST_EXPECTED = Decimal(5)
"""US dollars, above any expected cost of calls that take 30 s and cost up to 0.40."""


@dataclass(frozen=True)
class Findings:
    """The violations, one sentence each, and the number of contacts never called."""

    violations: tuple[str, ...]
    never_called: int


def check_invariants(scenario: Scenario, cap: int) -> Findings:
    """Compare the final state of a scenario with the provider's ledger."""
    checker = Checker(scenario, cap, scenario.campaign_id)
    return Findings(tuple(checker.violations()), checker.never_called())


class Checker:
    """Checks one campaign, whose contacts are called once.

    `_made` are its calls at the provider, `_calls` the rows of our call log.
    """

    def __init__(self, scenario: Scenario, cap: int, campaign_id: UUID) -> None:
        self._scenario, self._cap, self._house = scenario, cap, scenario.services
        self._made = [
            made
            for made in scenario.provider.made_calls.values()
            if made.order.campaign_id == campaign_id
        ]
        self._row = self._house.board(campaign_id)
        self._calls = self._house.call_rows(campaign_id)
        self._latest = _latest(self._calls)

    def violations(self) -> Iterator[str]:
        yield from self._same_attempt_twice()
        yield from self._rang_twice()
        yield from self._over_cap()
        yield from self._started()
        yield from self._lost_webhooks()
        yield from self._without_an_end()
        yield from self._counts()
        yield from self._outcomes()
        yield from self._spend()
        yield from self._lost_reports()
        yield from self._gave_up_for_capacity()
        yield from self._stopped_by_forgery()
        yield from self._called_while_paused()
        yield from self._without_a_reason()

    def never_called(self) -> int:
        called = {made.order.contact_id for made in self._made}
        return self._row.contacts - len(called)

    def _same_attempt_twice(self) -> Iterator[str]:
        orders = Counter((made.order.phone, made.order.attempt) for made in self._made)
        for (phone, attempt), calls in orders.items():
            if calls > 1:
                yield f"I1: {calls} calls for attempt {attempt} of {phone}"

    def _rang_twice(self) -> Iterator[str]:
        rang = Counter(made.order.phone for made in self._made if made.ringing_at)
        for phone, times in rang.items():
            if times > 1:
                yield f"I1: {phone} rang {times} times"

    def _over_cap(self) -> Iterator[str]:
        highest = _most_at_once(self._made)
        if highest > self._cap:
            yield f"I2: {highest} live calls, cap {self._cap}"

    def _started(self) -> Iterator[str]:
        ours = {call.provider_call_id for call in self._calls} - {None}
        if (self._row.started_at is not None) != bool(ours):
            yield f"I3: started at {self._row.started_at}, calls {ours}"
        theirs = {made.id for made in self._made}
        if ours != theirs:
            yield f"I3: unknown to the provider {ours - theirs}, to us {theirs - ours}"

    def _lost_webhooks(self) -> Iterator[str]:
        loaded: dict[UUID, Call] = {}
        for body in self._scenario.provider.acknowledged:
            message = read_message(body)
            assert message.call_id is not None
            call = loaded.get(message.call_id)
            if call is None:
                call = self._house.load_call(message.call_id)
                loaded[message.call_id] = call
            if uuid5(call.id, message.key) not in call.evidence:
                yield f"I4: {message.key} got 200 and is not stored"

    def _without_an_end(self) -> Iterator[str]:
        row = self._row
        if row.state not in (CampaignState.COMPLETED, CampaignState.CANCELED):
            yield f"I8: the campaign is {row.state}"
        statuses = [call.standing for call in self._latest.values()]
        open_ = [status for status in statuses if status not in TERMINAL]
        ended = {*self._latest, *self._withheld()}
        if row.state is CampaignState.COMPLETED and (
            open_ or len(ended) != row.contacts
        ):
            yield f"I8: {statuses} for {row.contacts} contacts"

    def _withheld(self) -> set[UUID]:
        """Return the contacts that were finished without a call."""
        recorder = self._house.app.recorder
        log = recorder.select_notifications(1, 100_000, topics=["contact.withheld"])
        of_campaign = self._row.id
        return {
            stored.originator_id
            for stored in log
            if isinstance(stored.originator_id, UUID)
            and str(of_campaign).encode() in stored.state
        }

    def _counts(self) -> Iterator[str]:
        row = self._row
        counted = Counter(call.standing for call in self._latest.values())
        shown = {
            ContactStatus.ENDED: row.ended,
            ContactStatus.FAILED: row.failed,
            ContactStatus.TIMEOUT: row.timed_out,
        }
        for status, count in shown.items():
            if counted[status] != count:
                yield f"I6: {count} shown as {status}, {counted[status]} counted"
        reached = {
            made.order.contact_id
            for made in self._made
            if made.refusal is None
            if made.order.attempt == self._latest[made.order.contact_id].attempt
        }
        if row.state is CampaignState.COMPLETED and row.ended != len(reached):
            yield f"I6: {row.ended} ended, the provider called {len(reached)}"

    def _outcomes(self) -> Iterator[str]:
        calls = {call.provider_call_id: call for call in self._calls}
        for made in self._made:
            call = calls.get(made.id)
            if call is None:
                continue  # Reported as I3 already.
            if call.ended_reason != made.reason:
                yield f"truth: reason {call.ended_reason}, not {made.reason}"

    def _spend(self) -> Iterator[str]:
        """Compare costs with the true ones, or with the bounds of an expected cost.

        The provider's own cost counts as soon as it stated it, in a message that was
        acknowledged or in an answer. Otherwise an expected cost must be booked.
        """
        stated = self._scenario.provider.costs_stated
        calls = {call.provider_call_id: call for call in self._calls}
        total = Decimal(0)
        for made in self._made:
            call = calls.get(made.id)
            if call is None or call.cost is None:
                yield f"spend: no cost for {made.id}"
            elif made.id in stated:
                total += Decimal(str(made.cost))
                if call.cost != Decimal(str(made.cost)):
                    yield f"spend: cost {call.cost}, not {made.cost}"
            else:
                total += call.cost
                is_expected = self._house.load_call(call.id).known.cost_is_expected
                is_plausible = is_expected and 0 < call.cost <= HIGHEST_EXPECTED
                if not is_plausible and call.cost != Decimal(str(made.cost)):
                    yield f"spend: cost {call.cost} where none was stated"
        if self._row.spend != total:
            yield f"spend: {self._row.spend}, the calls cost {total}"

    def _lost_reports(self) -> Iterator[str]:
        """Look for what an acknowledged report contained and the call lacks."""
        calls = {call.provider_call_id: call for call in self._calls}
        for body in self._scenario.provider.acknowledged:
            message = body["message"]
            call = calls.get(message["call"]["id"])
            if message["type"] != REPORT or call is None:
                continue
            lost = _contents(message) - self._known(call)
            if lost:
                yield f"reports: call {call.id} lacks {sorted(lost)}"

    def _known(self, call: CallRow) -> set[str]:
        """Name the kinds of information that our call has."""
        report_id = call.report_message_id
        report = self._house.vault.message(report_id) if report_id else None
        values = {
            "reason": call.ended_reason,
            "start": call.started_at,
            "end": call.ended_at,
            "duration": call.duration_seconds is not None,
            "transcript": report and report.transcript,
            "recording": report and report.recording_url,
        }
        return {name for name, value in values.items() if value}

    def _gave_up_for_capacity(self) -> Iterator[str]:
        """Look for contacts that failed although capacity alone was refused to them."""
        refused = Counter(self._scenario.provider.refusals)
        called = {made.order.contact_id for made in self._made if not made.refusal}
        for contact, call in self._latest.items():
            about_contact = refused[contact, RefusalKind.CONTACT]
            platform = refused[contact, RefusalKind.PLATFORM]
            explained = call.failure or contact in called or about_contact
            failed = call.standing is ContactStatus.FAILED
            if failed and not explained and platform <= len(PLATFORM_RETRIES):
                kinds = {kind: refused[contact, kind] for kind in RefusalKind}
                yield f"capacity: contact {contact} failed after {kinds}"

    def _stopped_by_forgery(self) -> Iterator[str]:
        """Look for messages with an unknown id that were taken for a second call."""
        forged = set(self._scenario.provider.forged)
        for call in self._calls if forged else []:
            believed = self._house.load_call(call.id).other_provider_call_ids & forged
            if believed:
                yield f"forged: call {call.id} has a second call {believed}"

    def _called_while_paused(self) -> Iterator[str]:
        ranges = self._scenario.trace.paused_ranges
        for made in self._made if ranges else []:
            requested = self._requested_at(made)
            for since, until in ranges:
                if since < requested and (until is None or requested < until):
                    yield f"I12: requested at {requested}, paused from {since}"

    def _without_a_reason(self) -> Iterator[str]:
        called = {made.order.contact_id for made in self._made}
        for contact, call in self._latest.items():
            explained = call.failure or call.rejection_words_id or contact in called
            if call.standing is ContactStatus.FAILED and not explained:
                yield f"I8: contact {contact} was not called and has no reason"

    def _requested_at(self, made: VirtualCall) -> int:
        """Return the position in the log of the event that permitted the request."""
        query = (
            "select notification_id from autolynx_events"
            " where originator_id = %s and topic = 'call.requested'"
            " order by originator_version"
        )
        with self._house.reading.connection() as conn:
            rows = conn.execute(query, (made.order.call_id,)).fetchall()
        return int(rows[made.order.request - 1][0])


def _contents(message: Document) -> set[str]:
    """Name the kinds of information that a report contains."""
    artifact = message.get("artifact") or {}
    durations = ("durationMs", "durationSeconds", "durationMinutes")
    values = {
        "reason": message.get("endedReason") or message["call"].get("endedReason"),
        "start": message.get("startedAt"),
        "end": message.get("endedAt"),
        "duration": any(name in message for name in durations),
        "transcript": artifact.get("transcript"),
        "recording": artifact.get("recordingUrl"),
    }
    return {name for name, value in values.items() if value}


def _latest(calls: Iterable[CallRow]) -> dict[UUID, CallRow]:
    """Return the call of each contact's last attempt."""
    by_contact = defaultdict(list)
    for call in calls:
        by_contact[call.contact_id].append(call)
    return {
        contact: max(attempts, key=lambda call: call.attempt)
        for contact, attempts in by_contact.items()
    }


def _most_at_once(made: Iterable[VirtualCall]) -> int:
    """Return the highest number of calls that were live at the same time."""
    changes = sorted(
        [(call.created_at, 1) for call in made] + [(call.ended_at, -1) for call in made]
    )
    live = highest = 0
    for _, change in changes:
        live += change
        highest = max(highest, live)
    return highest
