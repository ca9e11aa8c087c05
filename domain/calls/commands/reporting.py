"""The provider's side of a call: what it reports, in any order and more than once."""

from dataclasses import replace
from datetime import datetime

from domain.calls.call_state import CallState
from domain.calls.events import reporting as events
from domain.calls.reports import (
    Known,
    OutcomeFinding,
    ReasonDetail,
    Report,
    ReportGrade,
    status_known,
)
from domain.values import CallStatus, ContactStatus, Evidence, Refusal, VaultText


class ProviderCommands(CallState):
    """Commands that record what the provider shows or reports about the call."""

    def ring(
        self, *, ringing_at: datetime, at: datetime, by: str, evidence: Evidence | None
    ) -> None:
        """Record that the phone rings; later messages change nothing."""
        if self.status is CallStatus.QUEUED:
            to = ContactStatus.RINGING
            fields = {"ringing_at": ringing_at, "evidence": evidence}
            self._move(events.Ringing, to, at, by, **fields)

    def answer(
        self,
        *,
        answered_at: datetime | None,
        at: datetime,
        by: str,
        evidence: Evidence | None,
    ) -> None:
        """Record that the call was answered.

        A transfer has no `answered_at`, because it does not prove when.
        """
        known = self.known.merged_with(status_known(started_at=answered_at))
        news = known != self.known
        moves = self.live and self.status is not CallStatus.IN_PROGRESS
        if news or moves:
            to = ContactStatus.IN_PROGRESS if self.live else self.contact_status
            fields = {"answered_at": answered_at if news else None}
            self._move(events.Answered, to, at, by, evidence=evidence, **fields)

    def end(
        self,
        *,
        reason: str | None,
        ended_at: datetime | None,
        at: datetime,
        by: str,
        evidence: Evidence | None,
        detail: ReasonDetail = ReasonDetail.SPECIFIC,
        refusal: Refusal | None = None,
        explanation: VaultText | None = None,
        outcome: OutcomeFinding | None = None,
    ) -> None:
        """Record the end, or what a later status message adds to it.

        `refusal` is what the reason means if the call was never answered: the contact
        is then called again, or fails, as `retry_delay` says. `explanation` is
        that of the provider.  `outcome` is what the message proves.
        """
        status = status_known(
            reason=reason, detail=detail, ended_at=ended_at, outcome=outcome
        )
        known = self.known.merged_with(status)
        if not self.ended or known != self.known or self._is_explained_by(explanation):
            self._end(known, at, by, evidence, refusal, explanation)

    def _end(
        self,
        known: Known,
        at: datetime,
        by: str,
        evidence: Evidence | None,
        refusal: Refusal | None,
        explanation: VaultText | None,
    ) -> None:
        answered = known.started_at or self.status is CallStatus.IN_PROGRESS
        if answered or not self.live:
            refusal = None
        delay = self._retry_delay(refusal) if refusal else None
        self._move(
            events.Ended,
            self._contact_status_after_end(refusal, again=delay is not None),
            at,
            by,
            reason=known.reason,
            ended_at=known.ended_at,
            another_attempt=delay is not None,
            awaits_report=not self.ended,
            evidence=evidence,
            ranks=replace(
                self.known.ranks,
                reason=known.ranks.reason,
                ended_at=known.ranks.ended_at,
                outcome=known.ranks.outcome,
            ),
            refusal=refusal,
            earlier_refusals=self._earlier(refusal),
            retry_at=at + delay if delay else None,
            words=self.end_explanation or explanation,
            outcome=self._outcome(known),
            outcome_was=self.outcome,
        )

    def report(
        self,
        report: Report,
        *,
        at: datetime,
        by: str,
        evidence: Evidence | None,
        refusal: Refusal | None = None,
        explanation: VaultText | None = None,
    ) -> None:
        """Record what a report adds to, or corrects in, what the others contained.

        It ends a call whose end was missed, but changes no terminal status. The event
        contains the merged values. While the call awaits a final report, a report that
        adds nothing is recorded if it is final or the first of its grade. `refusal` and
        `explanation` is as for `end`.
        """
        if report.grade is ReportGrade.NONE:
            return
        known = self.known.merged_with(report.known(evidence))
        if not self.ended or self._is_explained_by(explanation):
            end = self.known if self.ended else known
            self._end(end, at, by, evidence, refusal, explanation)
        first = report.grade not in self.grades or report.is_final
        if known != self.known or (first and not self.settled):
            self._report(known, report, at, by, evidence)

    def _report(
        self,
        known: Known,
        report: Report,
        at: datetime,
        by: str,
        evidence: Evidence | None,
    ) -> None:
        self._record(
            events.Reported,
            at,
            by,
            grade=int(report.grade),
            queued_at=self.claimed_at,
            reason=known.reason,
            started_at=known.started_at,
            ended_at=known.ended_at,
            duration_seconds=known.duration_seconds,
            cost=known.cost,
            cost_was=self.cost,
            awaited=not self.settled,
            settled=self.settled or report.is_final,
            evidence=evidence,
            ranks=known.ranks,
            best_message_id=known.message_id,
            cost_is_expected=known.cost_is_expected,
            cost_was_expected=self.known.cost_is_expected,
            duration_seconds_was=self.duration_seconds,
            outcome=self._outcome(known),
            outcome_was=self.outcome,
        )

    def confirm(self, *, provider_status: str, at: datetime, by: str) -> None:
        """The provider was asked and shows it live."""
        if self.live:
            self._record(events.Confirmed, at, by, provider_status=provider_status)

    def receive(self, *, type_: str, evidence: Evidence, at: datetime, by: str) -> None:
        """Record a message that says nothing new; a repeat records nothing."""
        if evidence.message_id not in self.evidence:
            self._record(events.MessageReceived, at, by, type=type_, evidence=evidence)

    # --- Decisions about the end ----------------------------------------------

    def _is_explained_by(self, explanation: VaultText | None) -> bool:
        """Return whether this is the first explanation of the end."""
        return explanation is not None and self.end_explanation is None

    def _contact_status_after_end(
        self, refusal: Refusal | None, *, again: bool
    ) -> ContactStatus:
        if not self.live:
            return self.contact_status
        if again:
            return ContactStatus.PENDING
        return ContactStatus.FAILED if refusal else ContactStatus.ENDED
