"""Stores the outcomes of requests, with their effects on campaigns, lines and pace."""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import uniform
from threading import Lock
from uuid import UUID

from application.calls.call_service import CallService
from application.campaigns.campaigns import CampaignService
from application.errors import StoreUnavailable
from application.event_context import SCHEDULER, EventContext
from application.ports import (
    Accepted,
    AccountRefused,
    ContactRefused,
    NeverLeft,
    NotNow,
    Outcome,
    RequestRefused,
    Unknown,
)
from domain.calls.deferrals import DeferralReason
from domain.calls.refusals import MOST_UNKNOWN_REFUSALS
from domain.errors import Refused
from domain.values import PauseCause, Refusal, RefusalScope
from scheduler.pace import Pace
from scheduler.wakeup import WakeUp

STORE_TRIES_SECONDS = 120.0
"""How long storing an outcome is retried while the database is unreachable.

After that the reconciliation looks the call up at the provider.
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """A claimed call, with its campaign and the id of its line."""

    call_id: UUID
    campaign_id: UUID
    line: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of the request with this number; a later one may have followed.

    `may_go_on` is False once the call may not be requested again.
    """

    number: int
    outcome: Outcome
    may_go_on: bool = True

    @property
    def never_left(self) -> bool:
        """Whether the request may be sent again, because it provably never left."""
        return self.may_go_on and isinstance(self.outcome, NeverLeft)


class Settlement:
    """Stores the outcome of each request, and slows lines that refuse.

    `lock` guards the pace, which the dispatcher uses as well.
    """

    def __init__(
        self,
        *,
        calls: CallService,
        campaigns: CampaignService,
        pace: Pace,
        lock: Lock,
        context: EventContext,
        timer: WakeUp,
    ) -> None:
        self._calls, self._campaigns = calls, campaigns
        self._pace, self._lock = pace, lock
        self._context, self._timer = context, timer
        self._refused_calls: defaultdict[UUID, set[UUID]] = defaultdict(set)

    def release(self, one: ClaimedCall) -> None:
        """Release the claim of a call that is not requested."""
        self._stored(lambda: self._calls.release_claim(one.call_id))

    def settle(self, one: ClaimedCall, sent: Sent) -> None:
        """Store the outcome of the last request of a call, whatever it is."""
        match sent.outcome:
            case Accepted() as accepted:
                self.accepted(one, accepted)
            case NeverLeft():
                self._defer(one, sent)
            case NotNow(text=text, retry_after=retry_after) as refused:
                wait = self.back_off(one.line, retry_after)
                self._refuse(one, sent, refused.refusal, text, wait)
            case ContactRefused(text=text) as refused:
                self._refuse(one, sent, refused.refusal, text)
            case AccountRefused(text=text, scope=scope) as refused:
                self._pause(one, PauseCause.ACCOUNT, text, scope)
                self._refuse(one, sent, refused.refusal, text)
            case RequestRefused(text=text) as refused:
                if self._is_refused_in_a_row(one):
                    self._pause(one, PauseCause.PROVIDER_REFUSALS, text)
                wait = self.back_off(one.line)
                self._refuse(one, sent, refused.refusal, text, wait)
            case Unknown(text=text):
                self._lost(one, sent, text)

    def accepted(self, one: ClaimedCall, outcome: Accepted) -> None:
        """Store that the provider accepted the call."""
        self._stored(
            lambda: self._calls.place(
                one.call_id,
                provider_call_id=outcome.provider_call_id,
                placed_at=outcome.placed_at,
            )
        )
        with self._lock:
            self._refused_calls.pop(one.campaign_id, None)
        if outcome.concurrency_blocked:
            self.back_off(one.line)
        else:
            with self._lock:
                self._pace.accepted(one.line)

    def _refuse(
        self,
        one: ClaimedCall,
        sent: Sent,
        refusal: Refusal,
        text: str,
        seconds: float = 0,
    ) -> None:
        until = self._context.now() + timedelta(seconds=seconds)
        self._stored(
            lambda: self._calls.refuse(
                one.call_id, refusal, explanation=text, until=until, request=sent.number
            )
        )

    def _is_refused_in_a_row(self, one: ClaimedCall) -> bool:
        """Count refused contacts until a call is accepted, each contact once."""
        with self._lock:
            refused = self._refused_calls[one.campaign_id]
            refused.add(one.call_id)
            enough = len(refused) >= MOST_UNKNOWN_REFUSALS
            if enough:
                del self._refused_calls[one.campaign_id]
            return enough

    def _lost(self, one: ClaimedCall, sent: Sent, text: str) -> None:
        log.warning("call %s: no clear answer: %s", one.call_id, text)
        self._stored(
            lambda: self._calls.lose_outcome(
                one.call_id, reason="no clear answer", request=sent.number
            )
        )

    def back_off(self, line: str, retry_after: float | None = None) -> float:
        """Slow the line down; return the seconds until it may be used again.

        `retry_after` are the seconds that the provider asks to wait, None if it names
        none.
        """
        with self._lock:
            return self._pace.refused(line, self._timer.now(), retry_after)

    def _defer(self, one: ClaimedCall, sent: Sent) -> None:
        """Store that the request never left; its line is used again after a while."""
        until = self._context.now() + timedelta(seconds=self.back_off(one.line))
        reason = DeferralReason.NEVER_LEFT
        self._stored(
            lambda: self._calls.defer(
                one.call_id, reason=reason, until=until, request=sent.number
            )
        )

    def _pause(
        self,
        one: ClaimedCall,
        cause: PauseCause,
        text: str,
        scope: RefusalScope | None = None,
    ) -> None:
        def pause() -> None:
            self._campaigns.pause(
                one.campaign_id, by=SCHEDULER, reason=text, cause=cause, scope=scope
            )

        try:
            self._stored(pause)
        except Refused:
            log.info("campaign %s cannot be paused any more", one.campaign_id)

    def _stored(self, store: Callable[[], None]) -> None:
        """Store an outcome; while the database is unreachable, retry for a while."""
        until = self._timer.now() + STORE_TRIES_SECONDS
        while True:
            try:
                return store()
            except StoreUnavailable:
                if self._timer.now() > until:
                    raise
                wait = uniform(0.1, 1.0)  # noqa: S311 - jitter
                self._timer.rest(self._timer.now() + wait)
