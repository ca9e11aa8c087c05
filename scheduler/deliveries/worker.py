"""Sends what waits in the queue of webhooks: in order, and each endpoint on its own."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from threading import Event, Thread
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from psycopg import Error
from psycopg_pool import PoolTimeout

from application.errors import StoreUnavailable
from domain.errors import Refused
from projections.deliveries import queue
from projections.deliveries.payloads import MOST_COMPOSED, compose_bodies
from projections.deliveries.queue import GIVE_UP_SECONDS, Attempt, Outgoing, Waiting
from scheduler.deliveries.order import sendable
from storage.database import Conn, Pool

RETRY_GAPS = (
    *(5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0),
    *(72_000.0, 72_000.0),
)
"""Seconds before each repetition: 5 s, 5 min, 30 min, then 2, 5, 10, 14, 20, 20 h."""

MOST_AT_ONCE = 8
"""Requests to one endpoint at the same time; one if its last delivery failed."""

COLLECTING_SECONDS = 0.05
"""Pause after something changed, so that several changes are handled in one pass."""

RESULTS_SECONDS = 0.02
"""Pause after a request has ended, so that several results are stored in one pass."""

LONGEST_WAIT_SECONDS = 5.0
STOP_SECONDS = 3.0
START_SECONDS = 10.0

UNAVAILABLE = (StoreUnavailable, Error, PoolTimeout)

log = logging.getLogger(__name__)


class GiveUp(Protocol):
    """Disables an endpoint."""

    def __call__(self, id_: UUID, *, failing_since: datetime) -> object:
        """Record that no delivery has succeeded since then."""


class CountAttempt(Protocol):
    """Counts an attempt for the metrics."""

    def __call__(self, endpoint_id: UUID, /, *, is_delivered: bool) -> object:
        """Count an attempt to send a delivery to this endpoint."""


def _count_nothing(_endpoint_id: UUID, *, is_delivered: bool) -> None:
    """Count nothing: nobody reads the metrics."""
    del is_delivered


@dataclass(frozen=True, slots=True)
class Step:
    """The deliveries to send now, and the seconds until the next one is due."""

    outgoing: list[Outgoing]
    due_in: float


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The queue of one installation.

    `pool` has connections that can write, with the read tables in their search path.
    `own_url` is where members reach the dashboard. `gaps` are the seconds before each
    repetition, `give_up_seconds` how long there are any.
    """

    pool: Pool
    give_up: GiveUp
    own_url: str
    gaps: Sequence[float] = RETRY_GAPS
    give_up_seconds: float = GIVE_UP_SECONDS
    count: CountAttempt = _count_nothing

    def step(self, done: Sequence[Attempt], in_flight: Mapping[UUID, UUID]) -> Step:
        """Record the attempts that are done, and return what may be sent now.

        `in_flight` maps the deliveries that are being sent to their endpoints.
        """
        with self.pool.connection() as conn:
            if done:
                self._record(conn, done)
            while compose_bodies(conn, self.own_url) == MOST_COMPOSED:
                pass
            sent = Counter(in_flight.values())
            busy = [id_ for id_, count in sent.items() if count >= MOST_AT_ONCE]
            chosen = list(_chosen(queue.waiting(conn, busy), in_flight, sent))
            outgoing = queue.outgoing(conn, chosen) if chosen else []
            return Step(outgoing, queue.due_in(conn))

    def _record(self, conn: Conn, done: Sequence[Attempt]) -> None:
        queue.record(conn, done, gaps=self.gaps, give_up=self.give_up_seconds)
        for one in done:
            self.count(one.endpoint_id, is_delivered=one.is_delivered)
        failed = [one for one in done if not one.is_delivered]
        for one in failed:
            log.warning("delivery %s failed: %s", one.delivery_id, one.answer)
        if not failed:
            return
        for endpoint_id, since in queue.to_disable(conn, give_up=self.give_up_seconds):
            with suppress(IntegrityError, Refused):  # The next failure tries again.
                self.give_up(endpoint_id, failing_since=since)
                log.error("endpoint %s is disabled: it keeps failing", endpoint_id)


def _chosen(
    waiting: Iterable[Waiting], in_flight: Mapping[UUID, UUID], sent: Counter[UUID]
) -> Iterable[UUID]:
    """Choose for each endpoint as many deliveries as it may get at once."""
    for endpoint_id, own in groupby(waiting, key=attrgetter("endpoint_id")):
        rows = list(own)
        limit = 1 if rows[0].is_failing else MOST_AT_ONCE
        free = max(limit - sent[endpoint_id], 0)
        yield from [one.id for one in sendable(rows, in_flight)][:free]


type Send = Callable[[Outgoing], Awaitable[Attempt]]


@dataclass(slots=True)
class _Flights:
    """The requests under way, and the attempts that are not recorded yet."""

    by_task: dict[asyncio.Task[Attempt], Outgoing] = field(default_factory=dict)
    done: list[Attempt] = field(default_factory=list)

    @property
    def endpoints(self) -> dict[UUID, UUID]:
        """Map the deliveries that must not be sent again now to their endpoints."""
        flying = {one.id: one.endpoint_id for one in self.by_task.values()}
        return flying | {one.delivery_id: one.endpoint_id for one in self.done}

    def collect(self) -> None:
        """Move the results of finished requests to `done`."""
        for task in [task for task in self.by_task if task.done()]:
            outgoing = self.by_task.pop(task)
            error = task.exception()
            if error is None:
                self.done.append(task.result())
                continue
            log.error("a webhook could not be sent", exc_info=error)
            answer = type(error).__name__
            self.done.append(
                Attempt(outgoing.id, outgoing.endpoint_id, False, answer)  # noqa: FBT003 - it was not delivered
            )


class DeliveryWorker:
    """Runs `Deliveries` in a thread with an event loop of its own.

    A request that is under way when the worker stops is repeated by the next leader.
    `sender` is called in that thread and returns how to send, and how to close.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        sender: Callable[[], tuple[Send, Callable[[], Awaitable[None]]]],
    ) -> None:
        self._deliveries, self._sender = deliveries, sender
        self._stopped, self._started = Event(), Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._thread = Thread(target=self._run, name="deliveries", daemon=True)

    def start(self) -> None:
        """Start the thread; return once it runs, or after START_SECONDS."""
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            log.error("the deliveries have not started within %s s", START_SECONDS)

    def wake(self) -> None:
        """Look soon for something to send. Thread-safe."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # The loop is closed: the worker has stopped.
                loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Stop the thread; wait at most STOP_SECONDS for requests. Idempotent."""
        self._stopped.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(2 * STOP_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started.set()
        send, close = self._sender()
        flights = _Flights()
        try:
            while not self._stopped.is_set():
                await self._pass(flights, send)
            await self._finish(flights)
        finally:
            await close()

    async def _pass(self, flights: _Flights, send: Send) -> None:
        """Do what can be done now, then wait until there is more to do."""
        self._woken.clear()
        flights.collect()
        step = await self._step(flights)
        for outgoing in step.outgoing if step else ():
            task = asyncio.ensure_future(_attempt(send, outgoing))
            flights.by_task[task] = outgoing
        wait = min(step.due_in, LONGEST_WAIT_SECONDS) if step else 1.0
        waker = asyncio.create_task(self._woken.wait())
        await asyncio.wait(
            {waker, *flights.by_task},
            timeout=wait,
            return_when=asyncio.FIRST_COMPLETED,
        )
        waker.cancel()
        if not self._stopped.is_set():
            woken = self._woken.is_set()
            await asyncio.sleep(COLLECTING_SECONDS if woken else RESULTS_SECONDS)

    async def _step(self, flights: _Flights) -> Step | None:
        """Record results and choose what to send; None if the database is away."""
        done = list(flights.done)
        try:
            step = await asyncio.to_thread(
                self._deliveries.step, done, flights.endpoints
            )
        except UNAVAILABLE as error:
            log.warning("webhooks cannot be processed now: %s", error)
        except Exception:
            log.exception("processing the webhooks failed")
        else:
            del flights.done[: len(done)]
            return step
        return None

    async def _finish(self, flights: _Flights) -> None:
        """Wait a little for requests under way, and record their results."""
        if flights.by_task:
            await asyncio.wait(flights.by_task, timeout=STOP_SECONDS)
        flights.collect()
        for task in flights.by_task:
            task.cancel()
        if flights.done:
            await self._step(flights)


async def _attempt(send: Send, outgoing: Outgoing) -> Attempt:
    return await send(outgoing)
