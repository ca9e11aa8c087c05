"""How the parts of the system are, looked at once however many want to know."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock

from psycopg import Error

from application.errors import StoreUnavailable
from application.ports import Provider, ProviderRefused, ProviderUnavailable
from projections.lag import Lag, lag
from storage.database import Attempt, Conn, Patience, Pool
from storage.operations import Heartbeat, Operations

KEPT_SECONDS = 1.0
PROVIDER_KEPT_SECONDS = 15.0
PATIENCE_SECONDS = 2.0
LATE_SECONDS, TOO_LATE_SECONDS = 10.0, 60.0
SCHEDULER = "scheduler"
REFUSING_WEBHOOKS = (
    "AUTOLYNX_WEBHOOK_SECRET is not set: webhooks are refused, so results come late."
)


class HealthStatus(StrEnum):
    OK = "OK"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    status: HealthStatus
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Vital:
    """`lag_seconds` and `last_tick_at` as far as the database could be asked."""

    components: tuple[Component, ...]
    lag_seconds: float = 0.0
    last_tick_at: datetime | None = None

    @property
    def status(self) -> HealthStatus:
        found = {component.status for component in self.components}
        worst = (HealthStatus.DOWN, HealthStatus.DEGRADED)
        return next((one for one in worst if one in found), HealthStatus.OK)


class Vitals:
    """Safe to share between threads; `tick_seconds` is asked for each time."""

    def __init__(
        self,
        *,
        pool: Pool,
        operations: Operations,
        provider: Provider,
        tick_seconds: Callable[[], int],
        webhooks: bool,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool, self._operations, self._provider = pool, operations, provider
        self._tick_seconds, self._webhooks = tick_seconds, webhooks
        self._now, self._clock = now, clock
        self._lock = Lock()
        self._known: Vital | None = None
        self._until = self._provider_until = 0.0
        self._provider_known = Component("provider", HealthStatus.OK)

    def look(self) -> Vital:
        """Return how things are, as of a second ago at most."""
        with self._lock:
            if self._known is None or self._clock() >= self._until:
                self._known = self._look()
                self._until = self._clock() + KEPT_SECONDS
            return self._known

    def _look(self) -> Vital:
        beside = (self._ask_provider(), self._webhook())
        try:
            behind = Patience(PATIENCE_SECONDS).run(self._pool, self._lag)
            sign = self._operations.heartbeat(SCHEDULER)
            parts = (_projector(behind), _scheduler(sign, self._tick_seconds()))
        except (Error, StoreUnavailable) as error:
            words = str(error).partition("\n")[0]
            return Vital((Component("database", HealthStatus.DOWN, words), *beside))
        database = Component("database", HealthStatus.OK)
        ticked = sign.beat_at if sign else None
        return Vital((database, *parts, *beside), behind.seconds, ticked)

    def _lag(self, connection: Conn, _: Attempt) -> Lag:
        return lag(connection, self._now())

    def _ask_provider(self) -> Component:
        if self._clock() >= self._provider_until:
            trouble = next(self._trouble(), None)
            status = HealthStatus.DOWN if trouble else HealthStatus.OK
            self._provider_known = Component("provider", status, trouble)
            self._provider_until = self._clock() + PROVIDER_KEPT_SECONDS
        return self._provider_known

    def _trouble(self) -> Iterator[str]:
        try:
            self._provider.phone_numbers()
        except (ProviderUnavailable, ProviderRefused) as error:
            yield str(error)

    def _webhook(self) -> Component:
        if self._webhooks:
            return Component("webhooks", HealthStatus.OK)
        return Component("webhooks", HealthStatus.DEGRADED, REFUSING_WEBHOOKS)


def _projector(behind: Lag) -> Component:
    if behind.seconds <= LATE_SECONDS:
        return Component("projector", HealthStatus.OK)
    late = behind.seconds > TOO_LATE_SECONDS
    status = HealthStatus.DOWN if late else HealthStatus.DEGRADED
    said = (
        f"What is shown is {behind.seconds:.0f} s behind: see that a projector runs"
        f" and does not stop at {behind.next_event}."
    )
    return Component("projector", status, said)


def _scheduler(sign: Heartbeat | None, tick_seconds: int) -> Component:
    """Two ticks without a sign are what a standby waits before it takes over."""
    if sign is None:
        said = "No scheduler has ever run: nothing is dialled."
        return Component("scheduler", HealthStatus.DOWN, said)
    if sign.age_seconds <= 2 * tick_seconds + LATE_SECONDS:
        return Component("scheduler", HealthStatus.OK)
    said = f"No sign of life for {sign.age_seconds:.0f} s: nothing is dialled."
    return Component("scheduler", HealthStatus.DOWN, said)
