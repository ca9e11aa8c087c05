"""Simulated faults, by rate and by script, determined by the seed alone."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import ClassVar

from pydantic import ConfigDict

from provider.simulator.faults.refusing import Ended, Refused
from provider.simulator.faults.reporting import Reporting
from provider.simulator.people.scenes import Scene

POST_CALL = "POST /call"
CREATION = "creation"


class RequestFault(StrEnum):
    """Faults of answers; `..._after` means after the request was carried out."""

    RATE_LIMITED = "rate_limited"
    RATE_LIMITED_RETRY_AFTER = "rate_limited_retry_after"
    RATE_LIMIT_STORM = "rate_limit_storm"
    OVER_CONCURRENCY = "over_concurrency"
    CONCURRENCY_BLOCKED = "concurrency_blocked"
    PAYMENT_REQUIRED = "payment_required"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    GARBAGE_BEFORE = "garbage_before"
    GARBAGE_AFTER = "garbage_after"
    ANSWER_BEFORE = "answer_before"
    ANSWER_AFTER = "answer_after"


class WebhookFault(StrEnum):
    """Faults in the delivery of a webhook."""

    LOST = "lost"
    LATE = "late"
    TWICE = "twice"
    REORDERED = "reordered"
    BEFORE_ANSWER = "before_answer"


class CallFault(StrEnum):
    """Faults of reads: for a while a call is missing or shown in an older state."""

    LISTED_LATE = "listed_late"
    FOUND_LATE = "found_late"
    SHOWN_STALE = "shown_stale"


@dataclass(frozen=True)
class ScriptedRequest:
    """The next `times` requests of a route (to a number), after `skip` good ones.

    `status` and `message` are what `answer_before` and `answer_after` answer.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    fault: RequestFault
    route: str = POST_CALL
    number: str | None = None
    times: int = 1
    skip: int = 0
    status: int = 409
    message: str = "Conflict"


@dataclass(frozen=True)
class ScriptedWebhook:
    """The next `times` messages with this label: a status or `end-of-call-report`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    fault: WebhookFault
    label: str | None = None
    number: str | None = None
    times: int = 1


@dataclass(frozen=True)
class ScriptedCall:
    """The next `times` calls (to a number), after `skip` good ones, for `seconds`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    fault: CallFault
    seconds: float
    number: str | None = None
    times: int = 1
    skip: int = 0


@dataclass(frozen=True)
class FaultPlan:
    """Faults by rate (0..1) and by script; the script has priority.

    `requests` spoils POST /call, `reads` every other route of the API, `calls` what
    the API shows of a call: without a rate all calls, for `list_lag_seconds`,
    `get_lag_seconds` and `stale_seconds`. All seconds here are real ones: they are not
    divided by the speed. A storm refuses this many requests in a row, of all callers.
    `endings` fixes the ended reason for a customer's number, and `scenes` what happens
    when that number picks up. While `down`, every
    connection is reset.

    `refused` and `ended` refuse calls before and after the 201, for as long as the plan
    lasts; the first entry that fits counts. `deleted_lines` are no phone numbers any
    more: they are not listed, nothing is called from them, and neither are their calls
    listed by them. `reports` sets how calls that fit are reported, also for as long as
    the plan lasts when they are created.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    requests: dict[RequestFault, float] = field(default_factory=dict)
    reads: dict[RequestFault, float] = field(default_factory=dict)
    webhooks: dict[WebhookFault, float] = field(default_factory=dict)
    calls: dict[CallFault, float] = field(default_factory=dict)
    script: tuple[ScriptedRequest, ...] = ()
    webhook_script: tuple[ScriptedWebhook, ...] = ()
    call_script: tuple[ScriptedCall, ...] = ()
    endings: dict[str, str] = field(default_factory=dict)
    scenes: dict[str, Scene] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    ended: tuple[Ended, ...] = ()
    reports: tuple[Reporting, ...] = ()
    deleted_lines: tuple[str, ...] = ()
    retry_after_seconds: int = 1
    storm_requests: int = 10
    late_seconds: float = 2.0
    list_lag_seconds: float = 0.0
    get_lag_seconds: float = 0.0
    stale_seconds: float = 0.0
    down: bool = False

    def seconds_of(self, fault: CallFault) -> float:
        """Return the duration of a fault of reads in seconds."""
        return {
            CallFault.LISTED_LATE: self.list_lag_seconds,
            CallFault.FOUND_LATE: self.get_lag_seconds,
            CallFault.SHOWN_STALE: self.stale_seconds,
        }[fault]


@dataclass
class FaultDesk:
    """Decides the fault of each request and message.

    A decision depends on the seed, the subject and how often it was decided before, not
    on other requests in between.
    """

    seed: int
    plan: FaultPlan
    _asked: Counter[str] = field(default_factory=Counter)
    _used: Counter[int] = field(default_factory=Counter)
    _storm: Counter[str] = field(default_factory=Counter)

    def replace(self, plan: FaultPlan) -> None:
        """Use another plan from its beginning."""
        self.plan = plan
        self._used.clear()
        self._storm.clear()

    def restart(self, plan: FaultPlan) -> None:
        """Use a plan as after the start: earlier decisions are forgotten."""
        self.replace(plan)
        self._asked.clear()

    def for_request(self, route: str, subject: str) -> ScriptedRequest | None:
        """Return the fault of a request, if any; `subject` is the number or path."""
        dice = self._dice(f"{route} {subject}")
        scripted = self._scripted_request(route, subject)
        if scripted is not None:
            return scripted
        rates = self.plan.requests if route == POST_CALL else self.plan.reads
        fault = _one_of(rates, dice.random())
        if fault is RequestFault.RATE_LIMIT_STORM:
            self._storm[route] = max(self.plan.storm_requests, self._storm[route])
        if self._storm[route] > 0:
            self._storm[route] -= 1
            fault = RequestFault.RATE_LIMITED
        return None if fault is None else ScriptedRequest(fault, route=route)

    def for_call(self, call_key: str, number: str) -> dict[CallFault, float]:
        """Return the faults of reads of a new call, with their seconds."""
        dice, plan = self._dice(f"call {call_key}"), self.plan
        drawn = {
            fault: plan.seconds_of(fault)
            for fault in CallFault
            if dice.random() < plan.calls.get(fault, 1.0)
        }
        scripted = {
            entry.fault: entry.seconds
            for entry in plan.call_script
            if entry.number in (None, number)
            and self._turn(id(entry), entry.skip, entry.times)
        }
        return drawn | scripted

    def for_message(self, call_key: str, number: str, label: str) -> set[WebhookFault]:
        """Return the faults of a webhook, possibly several.

        The label CREATION asks only whether a webhook is sent before the POST's answer.
        """
        dice = self._dice(f"webhook {call_key} {label}")
        drawn = {
            k for k in WebhookFault if dice.random() < self.plan.webhooks.get(k, 0)
        }
        return drawn | set(self._scripted_webhooks(number, label))

    def _dice(self, key: str) -> Random:
        self._asked[key] += 1
        return Random(f"{self.seed}/{key}/{self._asked[key]}")  # noqa: S311 - a die

    def _scripted_request(self, route: str, subject: str) -> ScriptedRequest | None:
        for entry in self.plan.script:
            fits = entry.route == route and entry.number in (None, subject)
            if fits and self._turn(id(entry), entry.skip, entry.times):
                return entry
        return None

    def _scripted_webhooks(self, number: str, label: str) -> Iterator[WebhookFault]:
        for entry in self.plan.webhook_script:
            early = entry.fault is WebhookFault.BEFORE_ANSWER
            fits = early if label == CREATION else entry.label in (None, label)
            if (
                fits
                and entry.number in (None, number)
                and self._turn(id(entry), 0, entry.times)
            ):
                yield entry.fault

    def _turn(self, entry: int, skip: int, times: int) -> bool:
        self._used[entry] += 1
        return skip < self._used[entry] <= skip + times


def _one_of[Kind](rates: Mapping[Kind, float], roll: float) -> Kind | None:
    for kind, rate in rates.items():
        roll -= rate
        if roll < 0:
            return kind
    return None
