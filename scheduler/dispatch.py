"""Requests to the provider: stored before they are sent, settled by what came of it."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from random import uniform
from threading import Event, Lock
from time import monotonic
from uuid import UUID

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    sleep_using_event,
    stop_after_attempt,
    stop_any,
    stop_when_event_set,
    wait_chain,
    wait_random,
)

from application.calls import CallService, Ticket
from application.campaigns import CampaignService
from application.errors import StoreUnavailable
from application.ports import (
    Accepted,
    AccountRefused,
    ContactRefused,
    NeverLeft,
    NotNow,
    Outcome,
    Provider,
    RequestRefused,
    Unknown,
)
from application.recording import Means
from domain.errors import Refused
from domain.values import PauseCause
from scheduler.pace import Pace

SEND_WITHIN_SECONDS = 5.0
"""A request is sent within this time after it was stored, or not at all."""

RENEWALS = wait_chain(wait_random(0.5, 1.5), wait_random(3, 5), wait_random(8, 12))
"""Seconds before a request that never left is tried again: 1, 4 and 10 with jitter."""

REFUSALS_IN_A_ROW = 3
"""Refusals of no known kind, after which a campaign waits for a person."""

STORE_TRIES_SECONDS = 120.0
"""How long an outcome is kept for a store that is away; then it is looked up."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dialled:
    """A claimed call, with what settling it needs to know."""

    call_id: UUID
    campaign_id: UUID
    line: str


class Dispatch:
    def __init__(
        self,
        *,
        calls: CallService,
        campaigns: CampaignService,
        provider: Provider,
        pace: Pace,
        means: Means,
        workers: int = 64,
    ) -> None:
        self._calls, self._campaigns = calls, campaigns
        self._provider, self._pace, self._means = provider, pace, means
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="dial")
        self._stopped = Event()
        self._lock = Lock()
        self._under_way: dict[UUID, Future[None]] = {}
        self._refusals: defaultdict[UUID, int] = defaultdict(int)

    def dial(self, claimed: Sequence[Dialled]) -> None:
        """Start each call at its turn; return when all are started, not settled."""
        for one in claimed:
            with self._lock:
                turn = self._pace.take_turn(one.line, monotonic())
            if self._stopped.wait(max(turn - monotonic(), 0)):
                return  # Never requested: whoever leads next gives them back.
            self._start(one)

    def is_under_way(self, call_id: UUID) -> bool:
        with self._lock:
            return call_id in self._under_way

    def stop(self) -> None:
        """Start nothing more; wait until what is under way is stored."""
        self._stopped.set()
        self._workers.shutdown(wait=True)

    def _start(self, one: Dialled) -> None:
        with self._lock:
            future = self._workers.submit(self._dial, one)
            self._under_way[one.call_id] = future
        future.add_done_callback(lambda done: self._done(one, done))

    def _done(self, one: Dialled, done: Future[None]) -> None:
        with self._lock:
            self._under_way.pop(one.call_id, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("call %s was not settled", one.call_id, exc_info=error)

    # --- One call -------------------------------------------------------------------

    def _dial(self, one: Dialled) -> None:
        outcome = self._request(one)
        if outcome is None:
            self._stored(lambda: self._calls.give_back(one.call_id))
        else:
            self._settle(one, outcome)

    def _request(self, one: Dialled) -> Outcome | None:
        """Request the call; again only where it provably never left.

        None where it may not be requested: paused, canceled, erased, not ours.
        """
        asks = iter([self._calls.request])

        def attempt() -> Outcome | None:
            return self._send(one, next(asks, self._calls.renew_request))

        again = Retrying(
            retry=retry_if_result(lambda result: isinstance(result, NeverLeft)),
            wait=RENEWALS,
            stop=stop_any(stop_after_attempt(4), stop_when_event_set(self._stopped)),
            sleep=sleep_using_event(self._stopped),
            retry_error_callback=_last_result,
        )
        return again(attempt)

    def _send(self, one: Dialled, ask: Callable[..., Ticket | None]) -> Outcome | None:
        send_before = monotonic() + SEND_WITHIN_SECONDS
        dial_before = self._means.now() + timedelta(seconds=SEND_WITHIN_SECONDS)
        ticket = ask(one.call_id, dial_before=dial_before)
        if ticket is None:
            return None
        return self._provider.create_call(ticket.order, send_before=send_before)

    # --- What came of it ------------------------------------------------------------

    def _settle(self, one: Dialled, outcome: Outcome) -> None:
        match outcome:
            case Accepted():
                self._accepted(one, outcome)
            case NeverLeft():
                self._defer(one, "unreachable", self._back_off(one.line, None))
            case NotNow():
                wait = self._back_off(one.line, outcome.retry_after)
                self._defer(one, "not now", wait)
            case ContactRefused():
                self._stored(
                    lambda: self._calls.reject(one.call_id, words=outcome.words)
                )
            case AccountRefused():
                self._pause(one, PauseCause.ACCOUNT, outcome.words)
                self._defer(one, "account refused", 0)
            case RequestRefused():
                self._refused(one, outcome)
            case Unknown():
                log.warning("call %s: no clear answer: %s", one.call_id, outcome.words)
                reason = "no clear answer"
                self._stored(
                    lambda: self._calls.lose_outcome(one.call_id, reason=reason)
                )

    def _accepted(self, one: Dialled, outcome: Accepted) -> None:
        self._stored(
            lambda: self._calls.place(
                one.call_id,
                provider_call_id=outcome.provider_call_id,
                placed_at=outcome.placed_at,
            )
        )
        self._refusals.pop(one.campaign_id, None)
        if outcome.concurrency_blocked:
            self._back_off(one.line, None)
        else:
            with self._lock:
                self._pace.accepted(one.line)

    def _refused(self, one: Dialled, outcome: RequestRefused) -> None:
        self._refusals[one.campaign_id] += 1
        if self._refusals[one.campaign_id] >= REFUSALS_IN_A_ROW:
            self._refusals.pop(one.campaign_id)
            self._pause(one, PauseCause.PROVIDER_REFUSALS, outcome.words)
        self._defer(one, "refused", self._back_off(one.line, None))

    def _back_off(self, line: str, retry_after: float | None) -> float:
        with self._lock:
            return self._pace.refused(line, monotonic(), retry_after)

    def _defer(self, one: Dialled, reason: str, seconds: float) -> None:
        until = self._means.now() + timedelta(seconds=seconds)
        self._stored(lambda: self._calls.defer(one.call_id, reason=reason, until=until))

    def _pause(self, one: Dialled, cause: PauseCause, words: str) -> None:
        def pause() -> None:
            self._campaigns.pause(
                one.campaign_id, by="scheduler", reason=words, cause=cause
            )

        try:
            self._stored(pause)
        except Refused:
            log.info("campaign %s is not to be paused any more", one.campaign_id)

    def _stored(self, store: Callable[[], None]) -> None:
        """Store an outcome, for as long as it takes a store that is away to return."""
        until = monotonic() + STORE_TRIES_SECONDS
        while True:
            try:
                return store()
            except StoreUnavailable:
                if monotonic() > until:
                    raise
                self._stopped.wait(uniform(0.1, 1.0))  # noqa: S311 - jitter


def _last_result(state: RetryCallState) -> Outcome | None:
    assert state.outcome is not None
    result: Outcome | None = state.outcome.result()
    return result
