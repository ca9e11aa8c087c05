"""Checks of campaigns with retries, against the ledger and the stored events.

The rules are written down here once more, without any code that plans retries.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from domain.values import CampaignState
from tests.faults.invariants import Checker, Findings
from tests.faults.retries.attempts import (
    ONE_CALL,
    Attempt,
    Policy,
    concludes,
    policies_of,
    rule_of,
    wants_callback,
)
from tests.faults.retries.conversations import Course, TalkingCall
from tests.faults.retries.event_log import LoggedEvent, read_log
from tests.faults.retries.retry_scenario import RetryScenario
from tests.faults.virtual_provider import TIME_OUT

MOST_CALLBACKS = 2
CALLBACK_GIVEN_UP = timedelta(hours=24)
LATEST_AFTER_REQUEST = timedelta(seconds=TIME_OUT + 5)
"""Longest time between the stored request and the call in the ledger.

The provider may act TIME_OUT seconds after it got the request, which is sent at most
5 s after it was stored. The product measures 24 hours between requests.
"""


def check_retries(scenario: RetryScenario, cap: int) -> Findings:
    """Compare the final state of all campaigns with the ledger and the events."""
    violations = list(scenario.problems)
    scenario.recount.update()
    violations += scenario.recount.problems
    never = 0
    log = read_log(scenario.services, scenario.campaigns)
    for number, campaign in enumerate(scenario.campaigns):
        checker = RetryChecker(scenario, cap, campaign, log)
        violations += checker.violations()
        violations += checker.violations_of_all() if not number else ()
        never += checker.never_called()
    violations += _called_after_opt_out(scenario, log)
    return Findings(tuple(violations), never)


class RetryChecker(Checker):
    """Checks one campaign with retries; `log` has the events of all campaigns."""

    def __init__(
        self,
        scenario: RetryScenario,
        cap: int,
        campaign_id: UUID,
        log: list[LoggedEvent],
    ) -> None:
        super().__init__(scenario, cap, campaign_id)
        self._retries, self._campaign = scenario, campaign_id
        self._log = [event for event in log if event.campaign == campaign_id]
        self._policies = list(policies_of(self._log))
        self._by_contact = self._attempts()
        self._contact_events = defaultdict(list)
        for event in self._log:
            if event.topic.startswith("contact."):
                self._contact_events[event.stream].append(event)

    def violations(self) -> Iterator[str]:
        yield from self._same_attempt_twice()
        yield from self._over_cap()
        yield from self._started()
        yield from self._without_an_end()
        yield from self._outcomes()
        yield from self._spend()
        yield from self._lost_reports()
        yield from self._stopped_by_forgery()
        yield from self._called_while_paused()
        for attempts in self._by_contact.values():
            yield from self._over_budget(attempts)
            yield from self._too_early(attempts)
            yield from self._too_many_in_a_day(attempts)
            yield from self._callbacks(attempts)
            yield from self._messages_on_machines(attempts)
            yield from self._lost(attempts)

    def violations_of_all(self) -> Iterator[str]:
        """Yield what concerns all campaigns and is therefore checked once."""
        yield from self._lost_webhooks()
        for answered in self._retries.answered:
            if answered.name == "record_opt_out" and not self._is_stored(
                answered.call_id, answered.position
            ):
                yield f"opt-out: of call {answered.call_id} answered, not stored"

    def _is_stored(self, call_id: UUID, position: int) -> bool:
        query = (
            "select 1 from autolynx_events where originator_id = %s"
            " and topic = 'call.disposition_set' and notification_id <= %s"
        )
        with self._house.reading.connection() as conn:
            return conn.execute(query, (call_id, position)).fetchone() is not None

    # --- The contacts' calls ----------------------------------------------------------

    def _attempts(self) -> dict[UUID, list[Attempt]]:
        events = defaultdict(list)
        for event in self._log:
            if event.topic.startswith("call."):
                events[event.stream].append(event)
        made = {one.order.call_id: one for one in self._made}
        found = defaultdict(list)
        for call_id, of_call in events.items():
            created = of_call[0]
            assert created.contact is not None
            attempt = Attempt(created, tuple(of_call), made.get(call_id))
            found[created.contact].append(attempt)
        return {contact: _in_order(attempts) for contact, attempts in found.items()}

    def _policy_at(self, position: int) -> Policy:
        return [policy for since, policy in self._policies if since <= position][-1]

    def _without_an_end(self) -> Iterator[str]:
        if self._row.state not in (CampaignState.COMPLETED, CampaignState.CANCELED):
            yield f"I8: the campaign is {self._row.state}"
        counts = self._retries.recount.counts(self._campaign)
        for status in ("PENDING", "QUEUED", "RINGING", "IN_PROGRESS"):
            if counts[status]:
                yield f"I8: {counts[status]} contacts are {status}"
        if counts.total() != self._row.contacts:
            yield f"I6: {counts} for {self._row.contacts} contacts"

    def _outcomes(self) -> Iterator[str]:
        """Compare with the true outcome, unless two reports contradict each other."""
        calls = {call.provider_call_id: call for call in self._calls}
        for made in self._made:
            call = calls.get(made.id)
            contradicted = isinstance(made, TalkingCall) and made.told != made.course
            if call is None or contradicted:
                continue
            if call.ended_reason != made.reason:
                yield f"truth: reason {call.ended_reason}, not {made.reason}"
            if not isinstance(made, TalkingCall) or made.reason == CANCELED:
                continue
            if str(call.outcome) != made.outcome:
                yield f"truth: outcome {call.outcome}, not {made.outcome}"

    def _over_budget(self, attempts: list[Attempt]) -> Iterator[str]:
        used = callbacks = 0
        for attempt in attempts:
            if not attempt.rang:
                continue
            if attempt.plan == "CALLBACK":
                callbacks += 1
                continue
            used += 1
            allowed = self._policy_at(attempt.claimed.position)["attempts"]
            if used > max(allowed, 1):
                contact = attempt.created.contact
                yield f"budget: call {used} of {contact}, at most {allowed}"
        if callbacks > MOST_CALLBACKS:
            yield f"budget: {callbacks} callbacks to {attempts[0].created.contact}"

    def _too_early(self, attempts: list[Attempt]) -> Iterator[str]:
        """Measure gaps in the ledger: from the true end of a call to the next one."""
        rang = [one for one in attempts if one.rang]
        for before, after in pairwise(rang):
            if after.plan != "RETRY" or before.made is None or after.made is None:
                continue
            gap = after.made.created_at - before.made.ended_at
            policy = self._policy_at(self._planned(after).position)
            wanted = max(
                policy["min_gap_minutes"], self._rule_gap(attempts, after, policy)
            )
            if gap < timedelta(minutes=wanted):
                yield f"gap: {gap} before {after.created.stream}, not {wanted} min"

    def _rule_gap(self, attempts: list[Attempt], after: Attempt, policy: Policy) -> int:
        """Return the gap in minutes that the rule about the planned retry names."""
        rule = rule_of(policy, self._planned(after).values["because"])
        if rule is None:
            return 0
        earlier = sum(
            one.plan == "RETRY"
            and one.rang
            and self._planned(one).values["because"] in rule["outcomes"]
            for one in attempts[: attempts.index(after)]
        )
        gaps: list[int] = rule["gaps_minutes"]
        return gaps[min(earlier, len(gaps) - 1)]

    def _planned(self, attempt: Attempt) -> LoggedEvent:
        """Return the last event that planned this attempt before it was claimed."""
        created = attempt.created
        assert created.contact is not None
        return [
            event
            for event in self._contact_events[created.contact]
            if event.topic == "contact.call_planned"
            and event.values["attempt"] <= created.values["attempt"]
            and event.position < created.position
        ][-1]

    def _too_many_in_a_day(self, attempts: list[Attempt]) -> Iterator[str]:
        rang = [one for one in attempts if one.rang]
        for number, attempt in enumerate(rang):
            assert attempt.made is not None
            if attempt.plan != "RETRY":
                continue
            since = attempt.made.created_at - timedelta(days=1) + LATEST_AFTER_REQUEST
            in_a_day = 1 + sum(
                one.made is not None and one.made.created_at > since
                for one in rang[:number]
            )
            most = self._policy_at(self._planned(attempt).position)["per_day"]
            if in_a_day > most:
                yield f"per day: {in_a_day} calls within a day, at most {most}"

    def _messages_on_machines(self, attempts: list[Attempt]) -> Iterator[str]:
        """Count the calls in which a machine was reached and a message allowed."""
        left = [
            one
            for one in attempts
            if isinstance(one.made, TalkingCall)
            and one.made.course is Course.VOICEMAIL
            and one.made.order.voicemail_allowed
        ]
        if len(left) > 1:
            yield f"voicemail: {len(left)} messages to {left[0].created.contact}"

    def _callbacks(self, attempts: list[Attempt]) -> Iterator[str]:
        """Check that callbacks are made within a day of the time that was agreed."""
        for attempt in attempts:
            if attempt.plan != "CALLBACK" or attempt.made is None:
                continue
            due = self._planned(attempt).time("due_at")
            late = attempt.made.created_at - due
            if not timedelta(0) <= late < CALLBACK_GIVEN_UP + LATEST_AFTER_REQUEST:
                yield f"callback: call {attempt.created.stream} is {late} late"
            asked = [
                one.made.callback_at
                for one in attempts
                if isinstance(one.made, TalkingCall)
            ]
            if due not in asked and not self._was_late(attempt, due):
                yield f"callback: due {due}, asked for {asked}"

    def _was_late(self, attempt: Attempt, due: datetime) -> bool:
        """Return whether the time had passed when the callback was planned."""
        return self._planned(attempt).at == due

    # --- Lost retries -----------------------------------------------------------------

    def _lost(self, attempts: list[Attempt]) -> Iterator[str]:
        """Look for a retry that the policy allows, was not made, and has no reason."""
        if self._row.state is not CampaignState.COMPLETED or self._row.expired_at:
            return
        last = attempts[-1]
        contact = last.created.contact
        assert contact is not None
        if self._has_reason(contact) or last.settled is None or last.timed_out:
            return
        if any(concludes(one) for one in attempts):
            return
        if wants_callback(last) and self._callbacks_made(attempts) < MOST_CALLBACKS:
            yield f"lost: the callback of {last.created.stream} is not planned"
            return
        version = last.created.values["terms_version"]
        policy = self._policy_of_version(version)
        if self._allows(policy, attempts, last):
            outcome = last.settled.outcome
            yield f"lost: nothing follows {last.created.stream} ({outcome})"

    def _allows(self, policy: Policy, attempts: list[Attempt], last: Attempt) -> bool:
        assert last.settled is not None
        rule = rule_of(policy, last.settled.outcome)
        if rule is None:
            return False
        rang = [one for one in attempts if one.rang]
        used = sum(one.plan != "CALLBACK" for one in rang)
        retried = sum(
            one.plan == "RETRY"
            and self._planned(one).values["because"] in rule["outcomes"]
            for one in rang
        )
        if used >= policy["attempts"] or retried >= rule["attempts"] or not rang:
            return False
        assert rang[0].made is not None
        expires = rang[0].made.created_at + timedelta(days=policy["expires_after_days"])
        gaps = rule["gaps_minutes"]
        gap = max(gaps[min(retried, len(gaps) - 1)], policy["min_gap_minutes"])
        latest = max(last.settled.at, last.events[-1].at) + timedelta(minutes=gap)
        recent = [one.made.created_at for one in rang if one.made]
        if len(recent) >= policy["per_day"]:
            latest = max(latest, recent[-policy["per_day"]] + timedelta(days=1))
        return latest < expires - LATEST_AFTER_REQUEST

    def _has_reason(self, contact: UUID) -> bool:
        """Return whether the end of the contact is recorded with its reason."""
        named = {"contact.finished", "contact.withheld", "contact.withdrawn"}
        return any(event.topic in named for event in self._contact_events[contact])

    def _callbacks_made(self, attempts: list[Attempt]) -> int:
        return sum(one.plan == "CALLBACK" and one.rang for one in attempts)

    def _policy_of_version(self, version: int) -> Policy:
        named = [
            event
            for event in self._log
            if event.topic in {"campaign.created", "campaign.changed"}
            and (event.values.get("terms_version") or 1) == version
        ]
        return named[-1].values.get("retry_policy") or ONE_CALL

    def _called_while_paused(self) -> Iterator[str]:
        ranges = self._retries.pauses.get(self._campaign, [])
        for made in self._made if ranges else []:
            requested = self._requested_at(made)
            for since, until in ranges:
                if since < requested and (until is None or requested < until):
                    yield f"I12: requested at {requested}, paused from {since}"


CANCELED = "manually-canceled"


def _in_order(attempts: list[Attempt]) -> list[Attempt]:
    """Sort a contact's attempts, and link each to the one before."""
    attempts.sort(key=lambda one: one.created.values["attempt"])
    linked: list[Attempt] = []
    for attempt in attempts:
        before = linked[-1] if linked else None
        linked.append(replace(attempt, before=before))
    return linked


def _called_after_opt_out(
    scenario: RetryScenario, log: list[LoggedEvent]
) -> Iterator[str]:
    """Look for requests that were stored after the opt-out of the same number."""
    phones = {
        made.order.call_id: made.order.phone
        for made in scenario.provider.made_calls.values()
    }
    opted_out: dict[str, int] = {}
    for event in log:
        call_id = event.values.get("call_id")
        if event.topic == "number.suppressed" and call_id:
            opted_out.setdefault(phones[UUID(call_id)], event.position)
    for answered in scenario.answered:
        if answered.name == "record_opt_out":
            earlier = opted_out.get(answered.phone, answered.position)
            opted_out[answered.phone] = min(earlier, answered.position)
    requested = [event for event in log if event.topic == "call.requested"]
    for event in requested:
        phone = phones.get(event.stream)
        if phone in opted_out and event.position > opted_out[phone]:
            yield f"opt-out: {phone} was requested at {event.position}, after it"
