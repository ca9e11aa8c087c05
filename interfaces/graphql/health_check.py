"""Health of the system's components, checked at most once a second for all clients."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock

from psycopg import Error

from application.errors import StoreUnavailable
from domain.settings import ENVIRONMENT, RulesMode, SettingsValues
from interfaces.graphql.lines import LineActivity
from interfaces.graphql.provider_watch import ProviderStatus, ProviderWatch
from projections.calls.dial_queue import dialling_is_stopped
from projections.campaigns.campaign_board import open_lines
from projections.monitoring.lag import Lag, lag
from projections.monitoring.webhook_silence import silence
from projections.registers import settings_board
from projections.registers.list_faults import list_faults
from projections.registers.suppression_list_board import versions
from storage.database import Conn, Pool, Retry, RetryPolicy
from storage.fitness import why_unwritable
from storage.process.decisions import Heartbeat, ProcessClock, ProcessRecords

KEPT_SECONDS = 1.0
LISTS_KEPT_SECONDS = 10.0
"""How long suppression lists are not checked again, which counts their rows."""
PROVIDER_PATIENCE_SECONDS, DATABASE_PATIENCE_SECONDS = 2.0, 2.0
LATE_SECONDS, TOO_LATE_SECONDS = 10.0, 60.0
LONGEST_SILENCE = timedelta(minutes=1)
MOST_SKEW_SECONDS = 2.0
SCHEDULER = "scheduler"
REFUSING_WEBHOOKS = (
    "AUTOLYNX_WEBHOOK_SECRET is not set: webhooks are refused, so results arrive late."
)
DIALLING_STOPPED = (
    "All dialling is stopped: the provider shows two calls for one of our calls, so"
    " somebody may have been called twice. Check both calls at the provider; then an"
    " admin can allow requests again in the settings."
)
SILENT_WEBHOOKS = (
    "Calls are in progress, but no webhook has arrived for {minutes} min."
    " Usually the provider cannot reach {url}/webhooks/vapi: check that"
    " AUTOLYNX_PUBLIC_URL is reachable from the internet. Or it sends a secret other"
    " than AUTOLYNX_WEBHOOK_SECRET. Until then results are polled and arrive late."
)


RULES_OFF = (
    "The calling rules are switched off for all campaigns by {who}. An admin can"
    " enforce them in the settings."
)
RULES_UNREADABLE = (
    "The calling rules cannot be read, so nobody is called: {problem} Repair the file."
)


class HealthStatus(StrEnum):
    """Health of one component, or of the system: that of its worst component."""

    OK = "OK"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class Component:
    """One component's health; `detail` says what is wrong and what to do."""

    name: str
    status: HealthStatus
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Health of all components.

    `lag_seconds` and `last_tick_at` are unknown (0 and None) without a database.
    """

    components: tuple[Component, ...]
    lag_seconds: float = 0.0
    last_tick_at: datetime | None = None

    @property
    def status(self) -> HealthStatus:
        """The worst status of all components."""
        found = {component.status for component in self.components}
        worst = (HealthStatus.DOWN, HealthStatus.DEGRADED)
        return next((one for one in worst if one in found), HealthStatus.OK)


@dataclass(frozen=True, slots=True)
class _Found:
    """The state of the system according to the read model."""

    behind: Lag
    silent: timedelta
    used_lines: frozenset[str]
    is_stopped: bool
    settings: SettingsValues
    list_faults: list[str]


class HealthCheck:
    """Safe to share between threads.

    Browsers and the provider reach the API at `own_url`; `url` is the database's.
    `provider_actor` is the actor of events that the provider's messages cause.
    `key_fault` returns why suppressed numbers cannot be recognised, None if they can;
    `rules_problem` why the calling rules cannot be read. `first_settings` apply until
    settings are stored.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        process_records: ProcessRecords,
        provider: ProviderWatch,
        provider_actor: str,
        webhooks: bool,
        own_url: str,
        url: str,
        now: Callable[[], datetime],
        key_fault: Callable[[], str | None] = lambda: None,
        rules_problem: Callable[[], str | None] = lambda: None,
        first_settings: SettingsValues | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool, self._process_records, self._provider = (
            pool,
            process_records,
            provider,
        )
        self._key_fault, self._rules_problem = key_fault, rules_problem
        self._first_settings = first_settings or SettingsValues()
        self._webhooks, self._own_url = webhooks, own_url
        self._url, self._provider_actor = url, provider_actor
        self._now, self._clock = now, clock
        self._lock = Lock()
        self._known: HealthReport | None = None
        self._until = self._lists_until = 0.0
        self._list_faults: list[str] = []

    def report(self) -> HealthReport:
        """Return the health report; it is at most KEPT_SECONDS old."""
        with self._lock:
            if self._known is None or self._clock() >= self._until:
                self._known = self._report()
                self._until = self._clock() + KEPT_SECONDS
            return self._known

    def _report(self) -> HealthReport:
        status = self._provider.status(PROVIDER_PATIENCE_SECONDS)
        try:
            return self._with_database(status)
        except (Error, StoreUnavailable) as error:
            reason = str(error).partition("\n")[0]
            down = Component("database", HealthStatus.DOWN, reason)
            return HealthReport((down, _provider(status), _lines(status, frozenset())))

    def _with_database(self, status: ProviderStatus) -> HealthReport:
        found = RetryPolicy(DATABASE_PATIENCE_SECONDS).run(self._pool, self._read)
        sign = self._process_records.heartbeat(SCHEDULER)
        parts = (
            _database(why_unwritable(self._url)),
            _projector(found.behind),
            _scheduler(sign),
            _dialling(self._key_fault(), is_stopped=found.is_stopped),
            _calling_rules(found.settings, self._rules_problem()),
            _suppression_lists(found.list_faults),
            _provider(status),
            _lines(status, found.used_lines),
            self._webhook(found.silent),
            _clock(self._process_records.clocks()),
        )
        return HealthReport(parts, found.behind.seconds, sign.beat_at if sign else None)

    def _read(self, connection: Conn, _: Retry) -> "_Found":
        return _Found(
            behind=lag(connection, self._now()),
            silent=silence(connection, self._provider_actor),
            used_lines=open_lines(connection).lines,
            is_stopped=dialling_is_stopped(connection),
            settings=settings_board.in_force(connection, self._first_settings),
            list_faults=self._faults_of_lists(connection),
        )

    def _faults_of_lists(self, connection: Conn) -> list[str]:
        """Return why suppression lists hold numbers, at most LISTS_KEPT_SECONDS old."""
        if self._clock() >= self._lists_until:
            today = self._now().astimezone(UTC).date()
            self._list_faults = list_faults(connection, versions(connection), today)
            self._lists_until = self._clock() + LISTS_KEPT_SECONDS
        return self._list_faults

    def _webhook(self, silent: timedelta) -> Component:
        detail = None
        if not self._webhooks:
            detail = REFUSING_WEBHOOKS
        elif silent > LONGEST_SILENCE:
            minutes = silent // timedelta(minutes=1)
            detail = SILENT_WEBHOOKS.format(minutes=minutes, url=self._own_url)
        return Component("webhooks", _degraded_if(detail), detail)


def _degraded_if(trouble: object) -> HealthStatus:
    return HealthStatus.DEGRADED if trouble else HealthStatus.OK


def _database(unwritable: str | None) -> Component:
    if unwritable is None:
        return Component("database", HealthStatus.OK)
    detail = f"The database is {unwritable}. Until then nothing can be changed."
    return Component("database", HealthStatus.DOWN, detail)


def _projector(behind: Lag) -> Component:
    if behind.seconds <= LATE_SECONDS:
        return Component("projector", HealthStatus.OK)
    late = behind.seconds > TOO_LATE_SECONDS
    status = HealthStatus.DOWN if late else HealthStatus.DEGRADED
    detail = (
        f"The read model is {behind.seconds:.0f} s behind: check that a projector runs"
        f" and does not stop at {behind.next_event}."
    )
    return Component("projector", status, detail)


def _scheduler(sign: Heartbeat | None) -> Component:
    """Report the leader; it counts as dead after the silence that it announced."""
    if sign is None:
        detail = "No scheduler has ever run: nothing is dialled."
        return Component("scheduler", HealthStatus.DOWN, detail)
    if sign.age_seconds <= sign.silent_after + LATE_SECONDS:
        return Component("scheduler", HealthStatus.OK, f"{sign.holder} leads.")
    detail = f"No heartbeat for {sign.age_seconds:.0f} s: nothing is dialled."
    return Component("scheduler", HealthStatus.DOWN, detail)


def _dialling(key_fault: str | None, *, is_stopped: bool) -> Component:
    if key_fault is not None:
        return Component("dialling", HealthStatus.DOWN, key_fault)
    detail = DIALLING_STOPPED if is_stopped else None
    return Component("dialling", _degraded_if(detail), detail)


def _calling_rules(settings: SettingsValues, problem: str | None) -> Component:
    """Report rules that cannot be read, and who switched them off."""
    if settings.calling_rules is RulesMode.OFF:
        detail = RULES_OFF.format(who=settings.rules_waived_by or ENVIRONMENT)
        return Component("calling rules", HealthStatus.OK, detail)
    if problem is None:
        return Component("calling rules", HealthStatus.OK)
    detail = RULES_UNREADABLE.format(problem=problem)
    return Component("calling rules", HealthStatus.DOWN, detail)


def _suppression_lists(faults: list[str]) -> Component:
    return Component(
        "suppression lists", _degraded_if(faults), " ".join(faults) or None
    )


def _provider(status: ProviderStatus) -> Component:
    if status.waiting:
        detail = f"It has not answered a request for {status.waiting:.0f} s."
        return Component("provider", HealthStatus.DEGRADED, detail)
    if status.trouble:
        return Component("provider", HealthStatus.DOWN, status.trouble.text)
    last = status.last_trouble
    detail = f"It answers. Last error, {last.at:%H:%M} UTC: {last.text}" if last else ""
    return Component("provider", HealthStatus.OK, detail or None)


def _lines(status: ProviderStatus, used: frozenset[str]) -> Component:
    """Report faulty lines; `used` are the lines of campaigns that are not finished."""
    if status.trouble or status.waiting:
        detail = "Their activity is unknown while the provider cannot be reached."
        return Component("lines", HealthStatus.DEGRADED, detail)
    if not status.lines:
        detail = "The provider shows no phone number for this account: get one there."
        return Component("lines", HealthStatus.DEGRADED, detail)
    trouble = _troubles(status, used)
    live = sum(one.active_calls or 0 for one in status.lines)
    detail = f"Phone numbers: {len(status.lines)}. Calls live now, ours or not: {live}."
    return Component("lines", _degraded_if(trouble), " ".join([detail, *trouble]))


def _troubles(status: ProviderStatus, used: frozenset[str]) -> list[str]:
    unfit = [_name(one) for one in status.lines if one.line.status not in FIT]
    missing = sorted(used - {one.line.id for one in status.lines})
    detail = [
        f"The provider does not show the calls of {_name(one)}: {one.trouble}."
        for one in status.lines
        if one.trouble
    ]
    if unfit:
        detail.append(f"Not active at the provider: {', '.join(unfit)}.")
    if missing:
        names = ", ".join(missing)
        detail.append(f"Used by campaigns, but no longer at the provider: {names}.")
    return detail


FIT = {None, "active"}


def _name(activity: LineActivity) -> str:
    return activity.line.number or activity.line.name or activity.line.id


def _clock(clocks: list[ProcessClock]) -> Component:
    wrong = [one for one in clocks if abs(one.skew_seconds) > MOST_SKEW_SECONDS]
    detail = "; ".join(
        f"{one.role} {one.holder} is {abs(one.skew_seconds):.0f} s"
        f" {'ahead of' if one.skew_seconds > 0 else 'behind'} the database"
        for one in wrong
    )
    advice = f"{detail}: synchronize all hosts with NTP." if detail else None
    return Component("clock", _degraded_if(wrong), advice)
