"""The dialer's side of a call: claims, requests and their outcomes."""

from datetime import datetime
from typing import Required, TypedDict, Unpack
from uuid import UUID

from domain.calls.call_state import CallState
from domain.calls.deferrals import DeferralReason
from domain.calls.events import dialing as events
from domain.campaigns.arms import AssignedArm
from domain.errors import MayNotBeRequested, NotDeferred
from domain.gate.permit import Permit
from domain.outcomes import CallOutcome, ReportedOutcome
from domain.values import (
    CallStatus,
    ContactStatus,
    Refusal,
    RefusalKind,
    VaultText,
    WaitingCode,
)

MOST_UNKNOWN = 2
"""Requests of one call whose outcome may stay unknown before it is given up."""

REFUSED = {
    RefusalKind.CAPACITY: DeferralReason.NOT_NOW,
    RefusalKind.ACCOUNT: DeferralReason.ACCOUNT_REFUSED,
    RefusalKind.PLATFORM: DeferralReason.REFUSED,
}
"""Why a call is deferred whose request the provider refused."""


class RequestTerms(TypedDict, total=False):
    """What a request to the provider is allowed with; absent: as in `Requested`.

    The request must be sent before `dial_before`. `number_key` is the keyed digest of
    the number that is called, in hex, and `time_zones` are the IANA time zones to which
    the number may belong. `permit` is why the number may be called now. Unless
    `voicemail_allowed`, an answering machine must get no message. `phone_number_id` is
    the line that is called from, and `longest_call_seconds` the longest duration of the
    call. `arm` decides which of the campaign's assistants calls.
    """

    dial_before: Required[datetime]
    number_key: str | None
    time_zones: tuple[str, ...]
    permit: Permit | None
    voicemail_allowed: bool
    phone_number_id: str | None
    longest_call_seconds: int | None
    arm: AssignedArm | None


class DialerCommands(CallState):
    """Commands of the dialer, in the order in which a call goes through them."""

    def requeue(
        self, *, claim_id: UUID, batch: int | None, at: datetime, by: str
    ) -> None:
        """Claim a deferred call again. Raises NotDeferred."""
        if not self.deferred:
            raise NotDeferred(f"Call {self.id} is {self.status}, not deferred.")
        to = ContactStatus.QUEUED
        self._move(events.Requeued, to, at, by, claim_id=claim_id, batch=batch)

    # --- Requests and their outcomes ------------------------------------------

    def request(self, *, at: datetime, by: str, **terms: Unpack[RequestTerms]) -> None:
        """Allow one request to the provider. Raises MayNotBeRequested."""
        if not self.waiting or self.request_open:
            raise MayNotBeRequested(f"Call {self.id} may not be requested now.")
        self._request(at, by, terms)

    def renew_request(
        self, *, at: datetime, by: str, **terms: Unpack[RequestTerms]
    ) -> None:
        """Allow one more request after one that provably never left."""
        if not self.waiting or not self.request_open or self.outcome_unknown:
            raise MayNotBeRequested(f"Call {self.id} has no request to renew.")
        self._request(at, by, terms)

    def _request(self, at: datetime, by: str, terms: RequestTerms) -> None:
        self._record(events.Requested, at, by, number=self.requests + 1, **terms)

    def defer(
        self, *, reason: DeferralReason, until: datetime, at: datetime, by: str
    ) -> None:
        """Free the slot: nobody was rung, the call may be requested once more.

        An unknown outcome keeps its slot until it is placed or settled as absent.
        """
        if self.waiting and not self.outcome_unknown:
            self._defer(reason.text, until, at, by)

    def wait(
        self, code: WaitingCode, *, until: datetime, at: datetime, by: str
    ) -> None:
        """Defer the call because it may not be made before `until`.

        A resume of the campaign does not end this deferral.
        """
        if self.waiting and not self.outcome_unknown:
            self._defer(str(code), until, at, by, code=code)

    def lose_outcome(self, *, reason: str, at: datetime, by: str) -> None:
        """Keep the slot: the provider may or may not have acted."""
        if self.waiting and self.request_open and not self.outcome_unknown:
            self._record(events.OutcomeUnknown, at, by, reason=reason)

    def settle_absent(self, *, until: datetime, at: datetime, by: str) -> None:
        """Allow one more request of a call that the provider does not have.

        After the second unknown outcome the call fails.
        """
        if not self.outcome_unknown or not self.waiting:
            return
        if self.unknowns < MOST_UNKNOWN:
            self._defer(DeferralReason.ABSENT.text, until, at, by)
        else:
            self.fail(reason="outcome unknown", at=at, by=by)

    def _defer(
        self,
        reason: str,
        until: datetime,
        at: datetime,
        by: str,
        refusal: Refusal | None = None,
        code: WaitingCode | None = None,
    ) -> None:
        to = ContactStatus.PENDING
        self._move(
            events.Deferred,
            to,
            at,
            by,
            reason=reason,
            until=until,
            refusal=refusal,
            earlier_refusals=self._earlier(refusal),
            code=code,
        )

    def refuse(
        self,
        refusal: Refusal,
        *,
        explanation: VaultText,
        until: datetime,
        at: datetime,
        by: str,
    ) -> None:
        """Record that the provider refused the request; nobody was rung.

        The contact fails if the refusal is about it, or after the last retry;
        otherwise it waits at least until `until`, when its line may be used again.
        """
        if not self.waiting or self.outcome_unknown:
            return
        delay = self._retry_delay(refusal)
        if delay is None:
            outcome = ReportedOutcome(CallOutcome.NOT_STARTED, refusal.rule)
            fields = {"words": explanation, "refusal": refusal, "outcome": outcome}
            self._move(events.Rejected, ContactStatus.FAILED, at, by, **fields)
            return
        if refusal.kind is RefusalKind.PLATFORM:
            until = max(until, at + delay)
        self._defer(REFUSED[refusal.kind].text, until, at, by, refusal)

    # --- Hang-ups -------------------------------------------------------------

    def request_hang_up(self, *, at: datetime, by: str) -> None:
        """Ask once for the call to be ended at the provider."""
        if self.live and not self.hang_up_requested:
            self._record(events.HangUpRequested, at, by)

    def hang_up_before_ringing(self, *, at: datetime, by: str) -> None:
        """Ask for the end of a call that has not rung yet and may not ring any more."""
        if self.status is CallStatus.QUEUED:
            self.request_hang_up(at=at, by=by)

    # --- Given up -------------------------------------------------------------

    def time_out(self, *, reason: str, at: datetime, by: str) -> None:
        """Give up a placed call of which the provider knows nothing any more."""
        if self.live and self.provider_call_id is not None:
            outcome = ReportedOutcome(CallOutcome.UNKNOWN, "timed-out")
            fields = {"reason": reason, "outcome": outcome}
            self._move(events.TimedOut, ContactStatus.TIMEOUT, at, by, **fields)

    def fail(self, *, reason: str, at: datetime, by: str) -> None:
        """Give up a call that the provider is not known to have accepted."""
        if self.waiting:
            outcome = ReportedOutcome(CallOutcome.UNKNOWN, "failed")
            fields = {"reason": reason, "outcome": outcome}
            self._move(events.Failed, ContactStatus.FAILED, at, by, **fields)

    def cancel(self, *, at: datetime, by: str) -> None:
        """Take back a claim that was never requested."""
        if self.waiting and not self.request_open:
            self._cancel("canceled", at, by)

    def withdraw(self, *, at: datetime, by: str) -> None:
        """Give up a deferred call whose contact is not to be called any more."""
        if self.deferred:
            self._cancel("withdrawn", at, by)

    def withhold(self, *, at: datetime, by: str) -> None:
        """Give up a claimed call whose number may never be called.

        An open request is given up as well, because the caller proves that it never
        left; one whose outcome is unknown keeps its slot until that is known.
        """
        if self.waiting and not self.outcome_unknown:
            self._cancel("withheld", at, by)

    def _cancel(self, rule: str, at: datetime, by: str) -> None:
        outcome = ReportedOutcome(CallOutcome.CANCELED, rule)
        self._move(events.Canceled, ContactStatus.CANCELED, at, by, outcome=outcome)
