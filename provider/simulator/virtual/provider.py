"""The simulated provider in virtual time: the port without a network.

Calls proceed as those of the simulator's HTTP API do, with the same plans,
conversations and messages. Time is an argument: nothing waits, and no message is lost.
The messages may be fetched some time after they are due; the times within a call do not
depend on that.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random
from threading import RLock
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from application.ports import (
    Accepted,
    CallOrder,
    NotNow,
    Outcome,
    ProviderCall,
    ProviderUnavailable,
    Unknown,
)
from provider.simulator.calls.call_plan import plan_call
from provider.simulator.calls.calls import (
    SimulatedCall,
    ToolResult,
    epoch_ms,
    provider_id,
)
from provider.simulator.calls.outcomes import shown
from provider.simulator.calls.recordings import Recordings
from provider.simulator.people.scenes import tool_use
from provider.simulator.scenarios import Outage
from provider.simulator.settings import NEVER_RINGS, SimulatorSettings
from provider.simulator.tools import result_of, tool_calls, tools_by_name
from provider.simulator.virtual.account import VirtualAccount
from provider.simulator.webhooks import (
    Message,
    end_of_call_report,
    envelope,
    status_update,
)
from provider.vapi.messages.reading import read_call
from provider.vapi.requests.call_request import call_request

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class _Step:
    """Something that happens in a call at a time; `number` orders equal times."""

    at: datetime
    number: int
    call_id: str = field(compare=False)
    run: Callable[[SimulatedCall], Document | None] = field(compare=False)


@dataclass(kw_only=True)
class VirtualExchange(VirtualAccount):
    """All calls of a simulated account, in virtual time; safe between threads.

    `now` is the virtual clock. `take_due` frees the slots of calls that have ended. The
    next calls begin at the times at which the slots became free, so that fetching
    messages late leaves no slot idle. During the `outage` no request gets an answer.
    """

    settings: SimulatorSettings
    now: Callable[[], datetime]
    outage: Outage = field(default_factory=Outage)
    _calls: dict[str, SimulatedCall] = field(default_factory=dict)
    _live: set[str] = field(default_factory=set)
    _dialled: Counter[str] = field(default_factory=Counter)
    _steps: list[_Step] = field(default_factory=list)
    _number: int = 0
    _happened_at: datetime | None = None
    _freed: list[datetime] = field(default_factory=list)
    _settled: dict[str, ProviderCall | None] = field(default_factory=dict)
    _guard: Any = field(default_factory=RLock, repr=False)

    def __post_init__(self) -> None:
        self._recordings = Recordings(
            self.settings.base_url, self.settings.seed, self._time
        )

    # --- Time -----------------------------------------------------------------------

    @property
    def next_at(self) -> datetime | None:
        """When something happens next in a call; None without a live call."""
        with self._guard:
            return self._steps[0].at if self._steps else None

    def take_due(self) -> list[Document]:
        """Return the messages that are due by now, in their order."""
        with self._guard:
            due, now = [], self.now()
            self._freed.clear()
            while self._steps and self._steps[0].at <= now:
                step = heappop(self._steps)
                self._happened_at = step.at
                message = step.run(self._calls[step.call_id])
                if message is not None:
                    due.append(message)
            self._happened_at = None
            self._freed.sort(reverse=True)
            return due

    def _time(self) -> datetime:
        """Return the time of what happens now in a call, else the virtual time."""
        return self._happened_at or self.now()

    def expect(self, calls: int) -> None:
        """Announce how many calls will be requested, without repeated ones."""
        self.outage.expected = calls

    def answer(self, message: Document, results: Document) -> None:
        """Accept the answer to a message with tool calls."""
        body = message["message"]
        call = self._calls[body["call"]["id"]]
        for asked in body["toolCalls"]:
            function = asked["function"]
            result = result_of(results, asked["id"])
            call.tool_results.append(
                ToolResult(function["name"], function["arguments"], result)
            )

    def _schedule(
        self,
        call: SimulatedCall,
        seconds: float,
        run: Callable[[SimulatedCall], Document | None],
    ) -> None:
        self._number += 1
        at = (self._happened_at or call.updated_at) + timedelta(seconds=seconds)
        heappush(self._steps, _Step(at, self._number, call.id, run))

    # --- Calls ----------------------------------------------------------------------

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:  # noqa: ARG002 - no request takes time
        with self._guard:
            self.outage.count_request(self.now())
            if self.outage.is_on(self.now()):
                return Unknown("503: Service Unavailable")
            if len(self._live) >= self.settings.concurrency_limit:
                return NotNow("429: Over Concurrency Limit", rule="over-limit")
            call = self._new_call(order)
            self._calls[call.id] = call
            self._live.add(call.id)
            if call.plan.reason != NEVER_RINGS:
                first = self._finish if call.plan.refused else self._ring
                self._schedule(call, call.plan.queue, first)
            return Accepted(call.id, call.created_at)

    def _new_call(self, order: CallOrder) -> SimulatedCall:
        settings, number = self.settings, order.phone
        now = self._freed.pop() if self._freed else self.now()
        self._dialled[number] += 1
        attempt = self._dialled[number]
        key = f"{number}/{attempt}"
        dice = Random(f"{settings.seed}/{key}")  # noqa: S311 - a plan, no secret
        assistant = self.assistants[order.provider_assistant_id]
        later = now + timedelta(seconds=settings.callback_seconds)
        reach = settings.reach.factor(number, attempt, now, settings.seed)
        return SimulatedCall(
            id=provider_id(now, dice),
            key=key,
            request=call_request(order, {}),
            plan=plan_call(settings, dice, None, reach=reach),
            assistant={"id": assistant.id, "name": assistant.name, **assistant.config},
            line={"id": order.phone_number_id},
            base_url=settings.base_url,
            created_at=now,
            callback_at=later.astimezone(ZoneInfo(settings.reach.time_zone)),
            speed=1.0,
        )

    def _ring(self, call: SimulatedCall) -> Document:
        call.status, call.ringing_at = "ringing", self._time()
        after = self._talk if call.plan.answered else self._finish
        self._schedule(call, call.plan.ring, after)
        return self._sent(call, status_update(call, "ringing"))

    def _talk(self, call: SimulatedCall) -> Document:
        call.status, call.started_at = "in-progress", self._time()
        seconds = call.planned_talk
        if self._tool_message(call) is not None:
            self._schedule(call, seconds / 2, self._tool_message)
        self._schedule(call, seconds, self._finish)
        return self._sent(call, status_update(call, "in-progress"))

    def _tool_message(self, call: SimulatedCall) -> Document | None:
        """Return the message by which the assistant uses a tool, if it does."""
        use = tool_use(call.plan.scene, call.callback_at) if call.scene else None
        tools = tools_by_name(call.assistant, call.overrides, {})
        if use is None or use.name not in tools or call.status == "ended":
            return None
        dice = Random(f"{call.id}/{use.name}")  # noqa: S311 - an id, no secret
        message = tool_calls(use, f"call_{dice.getrandbits(64):016x}")
        return self._sent(call, message)

    def _finish(
        self, call: SimulatedCall, reason: str | None = None
    ) -> Document | None:
        if call.status == "ended":
            return None
        cut = call.plan.answered and call.planned_talk < call.plan.talk
        usual = "exceeded-max-duration" if cut else call.plan.reason
        call.end(reason or usual, self._time())
        self._live.discard(call.id)
        self._freed.append(self._time())
        self._schedule(call, call.plan.report, self._report)
        return self._sent(call, status_update(call, "ended"))

    def _report(self, call: SimulatedCall) -> Document | None:
        call.reported_at = call.first_reported_at = self._time()
        if not (call.started_at or self.settings.report_unanswered):
            return None
        return self._sent(call, end_of_call_report(call, self._recordings))

    def _sent(self, call: SimulatedCall, own: Message) -> Document:
        document: Document = orjson.loads(envelope(call, epoch_ms(self._time()), own))
        return document

    def call(self, provider_call_id: str) -> ProviderCall | None:
        self._check_answers()
        with self._guard:
            call = self._calls.get(provider_call_id)
            return self._shown(call) if call else None

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        self._check_answers()
        with self._guard:
            found = [
                self._shown(call)
                for call in reversed(self._calls.values())
                if call.created_at >= since
                and phone_number_id in {None, call.request["phoneNumberId"]}
            ]
        return [call for call in found if call is not None]

    def _check_answers(self) -> None:
        """Raise ProviderUnavailable during an outage."""
        if self.outage.is_on(self.now()):
            raise ProviderUnavailable("503: Service Unavailable")

    def _shown(self, call: SimulatedCall) -> ProviderCall | None:
        """Return what a request shows of a call; it is remembered once it is final."""
        if call.id in self._settled:
            return self._settled[call.id]
        found = read_call(shown(call.as_of(self.now()), self._recordings))
        if call.reported_at is not None:
            self._settled[call.id] = found
        return found

    def hang_up(self, provider_call_id: str) -> None:
        with self._guard:
            call = self._calls.get(provider_call_id)
            if call is not None and call.status != "ended":
                ahead = (self.now() - call.updated_at).total_seconds()
                self._schedule(
                    call, ahead, lambda it: self._finish(it, "manually-canceled")
                )
