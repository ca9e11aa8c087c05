"""Sends the requests for calls: each is stored before, and its outcome afterwards."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Lock
from uuid import UUID

from structlog.contextvars import bound_contextvars
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    wait_chain,
    wait_random,
)

from application.calls.call_service import CallService
from application.calls.request_fence import SendPermission
from application.campaigns.campaigns import CampaignService
from application.event_context import EventContext
from application.ports import (
    Outcome,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
)
from application.process.monotonic_clock import monotonic_now
from scheduler.pace import Pace
from scheduler.settlement import ClaimedCall, Sent, Settlement
from scheduler.wakeup import WakeUp

SEND_WITHIN_SECONDS = 5.0
"""A request is sent within this time after it was recorded, or not at all."""

RENEWALS = wait_chain(wait_random(0.5, 1.5), wait_random(3, 5), wait_random(8, 12))
"""Seconds before a request that never left is repeated: 1, 4 and 10 with jitter."""

MOST_SENDINGS = 4
"""Largest number of requests that one claim sends while each of them never left."""

FAILURES_IN_A_ROW = 3
"""Calls in a row that failed on a campaign's own data, after which it has failed."""

BAD_DATA = (ValueError, TypeError, LookupError, AttributeError)
"""Errors that bad data causes; never errors of the database."""

log = logging.getLogger(__name__)


class Dispatch:
    """Sends requests at the given pace from a pool of threads."""

    def __init__(
        self,
        *,
        calls: CallService,
        campaigns: CampaignService,
        provider: Provider,
        pace: Pace,
        context: EventContext,
        workers: int = 64,
        count: Callable[[Outcome], None] = lambda _: None,
        timer: WakeUp | None = None,
    ) -> None:
        """Build it for one term.

        `count` gets each outcome, for metrics. `timer` is the clock of all waits.
        """
        self._calls, self._campaigns = calls, campaigns
        self._provider, self._pace, self._context = provider, pace, context
        self._count = count
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="dial")
        self._timer = timer or WakeUp()
        self._lock = Lock()
        self._under_way: dict[UUID, Future[None]] = {}
        self._settlement = Settlement(
            calls=calls,
            campaigns=campaigns,
            pace=pace,
            lock=self._lock,
            context=context,
            timer=self._timer,
        )
        self._failures: defaultdict[UUID, int] = defaultdict(int)

    def dial(self, claimed: Sequence[ClaimedCall]) -> None:
        """Start each call at its turn; return when all are started, not settled.

        A claim is released if the provider has put its line on hold meanwhile. After
        `stop` the remaining claims stay as they are; the next leader releases them.
        """
        for one in claimed:
            if self._wait_for_turn(one):
                self._start(one)
            elif self._timer.stopped:
                return

    def hang_up(self, provider_call_id: str) -> None:
        """Hang up a call in the background; an error is logged, not repeated."""
        self._submit(self._hang_up, provider_call_id)

    def slow_down(self, line: str) -> None:
        """Back off on a line where a call ended for lack of capacity."""
        self._settlement.back_off(line)

    def is_under_way(self, call_id: UUID) -> bool:
        """Return whether this process is requesting or settling the call."""
        with self._lock:
            return call_id in self._under_way

    def under_way(self) -> list[Future[None]]:
        """Return the calls that are being requested or settled."""
        with self._lock:
            return list(self._under_way.values())

    def stop(self) -> None:
        """Start no further call; wait until the outcomes of all others are stored."""
        with self._lock:
            self._timer.stop()
        self._workers.shutdown(wait=True)

    def _submit[T](self, work: Callable[[T], None], subject: T) -> None:
        """Do it in the background, unless `stop` has closed the pool."""
        with self._lock:
            if not self._timer.stopped:
                self._workers.submit(work, subject)

    def _wait_for_turn(self, one: ClaimedCall) -> bool:
        """Return whether the call may be started now; release it if its line is held.

        A call may not be started any more after `stop`.
        """
        with self._lock:
            held = self._pace.is_held(one.line, self._timer.now())
            if not held:
                turn = self._pace.take_turn(one.line, self._timer.now())
        if held:
            self._submit(self._settlement.release, one)
            return False
        self._timer.rest(turn)
        return not self._timer.stopped

    def _start(self, one: ClaimedCall) -> None:
        with self._lock:
            if self._timer.stopped:
                return
            future = self._workers.submit(self._dial, one)
            self._under_way[one.call_id] = future
        future.add_done_callback(lambda done: self._done(one, done))

    def _done(self, one: ClaimedCall, done: Future[None]) -> None:
        with self._lock:
            self._under_way.pop(one.call_id, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("call %s was not settled", one.call_id, exc_info=error)

    def _hang_up(self, provider_call_id: str) -> None:
        try:
            self._provider.hang_up(provider_call_id)
        except (ProviderUnavailable, ProviderRefused) as error:
            log.warning("call %s cannot be hung up: %s", provider_call_id, error)

    # --- One call -------------------------------------------------------------------

    def _dial(self, one: ClaimedCall) -> None:
        ids = {"campaign": str(one.campaign_id), "call": str(one.call_id)}
        try:
            with bound_contextvars(**ids):
                self._request_and_settle(one)
        except BAD_DATA as error:
            self._count_failure(one, error)
            raise
        with self._lock:
            self._failures.pop(one.campaign_id, None)

    def _count_failure(self, one: ClaimedCall, error: Exception) -> None:
        """End a campaign as failed after several failures in a row on its own data."""
        with self._lock:
            self._failures[one.campaign_id] += 1
            if self._failures[one.campaign_id] < FAILURES_IN_A_ROW:
                return
            del self._failures[one.campaign_id]
        reason = f"{type(error).__name__}: {error}"
        self._campaigns.fail(one.campaign_id, reason=reason)

    def _request_and_settle(self, one: ClaimedCall) -> None:
        sent = self._request(one)
        if sent is None:
            self._settlement.release(one)
        else:
            self._settlement.settle(one, sent)

    def _request(self, one: ClaimedCall) -> Sent | None:
        """Request the call; repeat the request only if it provably never left.

        Returns None if the call may not be requested: its campaign is paused or
        canceled, its contact was erased, or another process has claimed it.
        """
        last: Sent | None = None

        def attempt() -> Sent | None:
            nonlocal last
            ask = self._calls.renew_request if last else self._calls.request
            sent = self._send(one, ask)
            if sent is None and last is not None:
                sent = replace(last, may_go_on=False)
            last = sent
            return sent

        again = Retrying(
            retry=retry_if_result(lambda sent: sent is not None and sent.never_left),
            wait=RENEWALS,
            stop=self._may_not_repeat,
            sleep=self._sleep,
            retry_error_callback=_last_result,
        )
        return again(attempt)

    def _may_not_repeat(self, state: RetryCallState) -> bool:
        return self._timer.stopped or state.attempt_number >= MOST_SENDINGS

    def _send(
        self, one: ClaimedCall, ask: Callable[..., SendPermission | None]
    ) -> Sent | None:
        send_before = monotonic_now() + SEND_WITHIN_SECONDS
        dial_before = self._context.now() + timedelta(seconds=SEND_WITHIN_SECONDS)
        permission = ask(one.call_id, dial_before=dial_before)
        if permission is None:
            return None
        outcome = self._provider.create_call(permission.order, send_before=send_before)
        self._count(outcome)
        return Sent(permission.order.request, outcome)

    def _sleep(self, seconds: float) -> None:
        self._timer.rest(self._timer.now() + seconds)


def _last_result(state: RetryCallState) -> Sent | None:
    assert state.outcome is not None
    result: Sent | None = state.outcome.result()
    return result
