"""The simulated telephone exchange: creates, runs and ends calls."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from operator import ge, gt, le, lt
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from provider.simulator.calls.call_plan import FOREVER, CallPlan, plan_call
from provider.simulator.calls.calls import (
    SimulatedCall,
    ToolResult,
    iso,
    provider_id,
    utc_now,
)
from provider.simulator.calls.ledger import Ledger
from provider.simulator.calls.outcomes import shown
from provider.simulator.calls.recordings import Recordings
from provider.simulator.directory import first_assistants, first_lines
from provider.simulator.faults.fault_plan import (
    CREATION,
    CallFault,
    FaultDesk,
    WebhookFault,
)
from provider.simulator.faults.reporting import reporting_of
from provider.simulator.people.scenes import ToolUse, tool_use
from provider.simulator.settings import NEVER_RINGS, ORG_ID, SimulatorSettings
from provider.simulator.tools import result_of, tool_calls, tools_by_name
from provider.simulator.validation import ApiError, check_call
from provider.simulator.webhooks import (
    REPORT,
    Courier,
    Message,
    end_of_call_report,
    status_update,
    wait_at_most,
)

LIMIT_REACHED = "call.start.error-subscription-concurrency-limit-reached"
COMPARE = {"Gt": gt, "Lt": lt, "Ge": ge, "Le": le}
ATTRIBUTE = {"createdAt": "created_at", "updatedAt": "updated_at"}
LONGEST_WAIT_FOR_A_MESSAGE = 5.0


@dataclass
class Exchange:
    """The whole state of the simulator, used on one event loop."""

    settings: SimulatorSettings
    client: httpx2.AsyncClient
    ledger: Ledger = field(init=False)
    desk: FaultDesk = field(init=False)
    recordings: Recordings = field(init=False)
    courier: Courier = field(init=False)
    assistants: dict[str, dict[str, Any]] = field(init=False)
    lines: dict[str, dict[str, Any]] = field(init=False)
    tools: dict[str, dict[str, Any]] = field(default_factory=dict)
    _dialled: Counter[str] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        settings = self.settings
        self.desk = FaultDesk(settings.seed, settings.faults)
        self.recordings = Recordings(settings.base_url, settings.seed, utc_now)
        self.reset()

    def reset(self) -> None:
        """Drop all calls and restore the state after the start."""
        for task in self._tasks:
            task.cancel()
        settings = self.settings
        self.ledger = Ledger()
        self.desk.restart(settings.faults)
        self.courier = Courier(
            self.client, settings, self.desk, self.ledger, self.spawn
        )
        self.assistants = {a["id"]: a for a in first_assistants(settings)}
        self.lines = {line["id"]: line for line in first_lines(settings)}
        self.tools.clear()
        self._dialled.clear()

    async def close(self) -> None:
        """Cancel all tasks and wait for their end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that `close` and `reset` cancel."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Calls

    async def create(self, request: object, *, blocked: bool = False) -> dict[str, Any]:
        """Create and start a call; return the answer of POST /call.

        Raises ApiError for a bad request, for one that the faults refuse, and, with
        `over_limit` = "refuse", above the concurrency limit.
        """
        body = check_call(request)
        self._refuse(body)
        assistant, line = self._parties(body)
        full = self.ledger.live >= self.settings.concurrency_limit
        if full and self.settings.over_limit == "refuse":
            status = self.settings.over_limit_status
            raise ApiError(status, "Over Concurrency Limit")
        blocked = blocked or (full and self.settings.over_limit == "block")
        call = self._new_call(body, assistant, line, blocked=blocked)
        if full or blocked:
            call.plan = _refused_for_capacity(call.plan)
        self.ledger.opened(call)
        await self._begin(call)
        return {"subscriptionLimits": self._limits(call), **call.snapshot()}

    def get(self, call_id: str) -> SimulatedCall:
        """Return a call that is shown already; raises ApiError 404 otherwise."""
        call = self.ledger.calls.get(call_id)
        if call is None or not call.shows(CallFault.FOUND_LATE):
            raise ApiError(
                HTTPStatus.NOT_FOUND, f"Couldn't find call with ID {call_id}"
            )
        return call

    def list_calls(
        self, same: dict[str, str], times: dict[str, datetime], limit: int
    ) -> list[dict[str, Any]]:
        """List up to `limit` matching calls, newest first.

        Raises ApiError 404 for a line that the faults deleted.
        """
        if same.get("phoneNumberId") in self.desk.plan.deleted_lines:
            raise ApiError(HTTPStatus.NOT_FOUND, "Phone number not found")
        found = (
            call
            for call in self._matching(same, times)
            if call.shows(CallFault.LISTED_LATE)
        )
        return [
            shown(call, self.recordings)
            for call, _ in zip(found, range(limit), strict=False)
        ]

    def hang_up(self, call_id: str) -> None:
        """End a live call; raise ApiError 404 for one that is not."""
        call = self.ledger.calls.get(call_id)
        if call is None or call.status == "ended":
            raise ApiError(HTTPStatus.NOT_FOUND, "Call is not live")
        if call.life is not None:
            call.life.cancel()
        call.life = self.spawn(self._finish(call, "manually-canceled"))

    def _matching(
        self, same: dict[str, str], times: dict[str, datetime]
    ) -> Iterator[SimulatedCall]:
        tests = [
            (ATTRIBUTE[key[:-2]], COMPARE[key[-2:]], time)
            for key, time in times.items()
        ]
        for call in reversed(self.ledger.calls.values()):
            known = {"id": call.id, **call.request}
            if all(known.get(key) == value for key, value in same.items()) and all(
                compare(getattr(call, name), time) for name, compare, time in tests
            ):
                yield call

    def _refuse(self, body: dict[str, Any]) -> None:
        for entry in self.desk.plan.refused:
            if entry.fits(body, self.settings.seed):
                error = ApiError(entry.status, entry.message)
                if entry.retry_after is not None:
                    error.headers["Retry-After"] = entry.retry_after
                raise error

    def _parties(self, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        assistant_id, line_id = body.get("assistantId"), body.get("phoneNumberId")
        if line_id not in self.open_lines():
            text = (
                f"Couldn't Get Phone Number. `phoneNumberId` {line_id} Does Not Exist"
            )
            raise ApiError(HTTPStatus.BAD_REQUEST, f"{text}.")
        if assistant_id not in self.assistants:
            text = (
                f"Couldn't Get Assistant. `assistantId` {assistant_id} Does Not Exist"
            )
            raise ApiError(HTTPStatus.BAD_REQUEST, f"{text}.")
        return self.assistants[assistant_id], self.lines[line_id]

    def _new_call(
        self,
        body: dict[str, Any],
        assistant: dict[str, Any],
        line: dict[str, Any],
        *,
        blocked: bool,
    ) -> SimulatedCall:
        number, now = body["customer"]["number"], utc_now()
        self._dialled[number] += 1
        key = f"{number}/{self._dialled[number]}"
        dice = Random(f"{self.settings.seed}/{key}")  # noqa: S311 - a plan, no secret
        reason, message = self._ending(body, number)
        settings, reach = self.settings, self.settings.reach
        later = now + timedelta(seconds=settings.callback_seconds)
        return SimulatedCall(
            id=provider_id(now, dice),
            key=key,
            request=body,
            plan=plan_call(
                settings,
                dice,
                reason,
                message,
                reach=reach.factor(number, self._dialled[number], now, settings.seed),
                scene=self.desk.plan.scenes.get(number),
            ),
            assistant=assistant,
            line=line,
            base_url=self.settings.base_url,
            created_at=now,
            callback_at=later.astimezone(ZoneInfo(reach.time_zone)),
            speed=settings.speed,
            blocked=blocked,
            faults=self.desk.for_call(key, number),
            reporting=reporting_of(self.desk.plan.reports, body, settings.seed),
        )

    def _ending(
        self, body: dict[str, Any], number: str
    ) -> tuple[str | None, str | None]:
        """Return the reason and message with which the faults end the call, if any."""
        plan = self.desk.plan
        for entry in plan.ended:
            if entry.fits(body, self.settings.seed):
                return entry.reason, entry.message
        return plan.endings.get(number), None

    async def _begin(self, call: SimulatedCall) -> None:
        if self.settings.announce_queued:
            self._announce(call, "queued")
        faults = self.desk.for_message(call.key, call.number, CREATION)
        early = WebhookFault.BEFORE_ANSWER in faults and call.server is not None
        call.life = self.spawn(self._live(call, 0.0 if early else call.plan.queue))
        if early:
            await wait_at_most(LONGEST_WAIT_FOR_A_MESSAGE, call.first_message_sent)

    def _limits(self, call: SimulatedCall) -> dict[str, Any]:
        limit = self.settings.concurrency_limit
        return {
            "concurrencyBlocked": call.blocked,
            "concurrencyLimit": limit,
            "remainingConcurrentCalls": max(limit - self.ledger.live, 0),
        }

    # The course of a call

    async def _live(self, call: SimulatedCall, queue: float) -> None:
        await self._pass(queue)
        if call.plan.reason == NEVER_RINGS:
            await asyncio.sleep(FOREVER)
        if not call.plan.refused:
            await self._ring(call)
        if call.plan.answered:
            await self._talk(call)
        await self._finish(call, _reason(call))

    async def _ring(self, call: SimulatedCall) -> None:
        call.status, call.ringing_at = "ringing", utc_now()
        self._announce(call, "ringing")
        await self._pass(call.plan.ring)

    async def _talk(self, call: SimulatedCall) -> None:
        call.status, call.started_at = "in-progress", utc_now()
        self._announce(call, "in-progress")
        use = self._tool_use(call)
        await self._pass(call.planned_talk / (2 if use else 1))
        if use:
            await self._use_tool(call, use)
            await self._pass(call.planned_talk / 2)

    def _tool_use(self, call: SimulatedCall) -> ToolUse | None:
        """Return the tool that the assistant uses, if it has the one of the scene."""
        if call.scene is None:
            return None
        use = tool_use(call.scene, call.callback_at)
        tools = tools_by_name(call.assistant, call.overrides, self.tools)
        return use if use and use.name in tools else None

    async def _use_tool(self, call: SimulatedCall, use: ToolUse) -> None:
        """Ask the server for the result of a tool, and wait for its answer."""
        dice = Random(f"{call.id}/{use.name}")  # noqa: S311 - an id, no secret
        tool_call_id = f"call_{dice.getrandbits(64):016x}"
        tools = tools_by_name(call.assistant, call.overrides, self.tools)
        server = tools[use.name].get("server") or call.server
        message = tool_calls(use, tool_call_id)
        answer = await self.courier.ask(call, server, message)
        result = result_of(answer, tool_call_id)
        call.tool_results.append(ToolResult(use.name, use.arguments, result))

    async def _finish(self, call: SimulatedCall, reason: str) -> None:
        call.end(reason, utc_now())
        self.ledger.closed(call)
        self._announce(call, "ended")
        await self._pass(call.plan.report)
        form = call.reporting
        if form.first != "none":
            call.first_reported_at = utc_now()
            self._report(call, form.first_report)
            await asyncio.sleep(form.gap_seconds)
        call.reported_at = utc_now()
        call.first_reported_at = call.first_reported_at or call.reported_at
        self._report(call, form.last_report)
        self.ledger.reported()

    def _report(self, call: SimulatedCall, form: Callable[[Message], Message]) -> None:
        if call.started_at or self.settings.report_unanswered:
            self.courier.post(
                call, REPORT, lambda: form(end_of_call_report(call, self.recordings))
            )

    def _announce(self, call: SimulatedCall, status: str) -> None:
        self.courier.post(call, status, lambda: status_update(call, status))

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.settings.speed)

    # Assistants and phone numbers

    def assistant(self, assistant_id: str) -> dict[str, Any]:
        """Return an assistant; raises ApiError 404 if there is none."""
        return _one(self.assistants, assistant_id, "assistant")

    def line(self, line_id: str) -> dict[str, Any]:
        """Return a phone number; raises ApiError 404 if there is none."""
        return _one(self.open_lines(), line_id, "phone number")

    def open_lines(self) -> dict[str, dict[str, Any]]:
        """Return the phone numbers by id, without those that the faults deleted."""
        deleted = self.desk.plan.deleted_lines
        return {id_: line for id_, line in self.lines.items() if id_ not in deleted}

    def tool(self, tool_id: str) -> dict[str, Any]:
        """Return a tool; raises ApiError 404 if there is none."""
        return _one(self.tools, tool_id, "tool")

    def save_tool(self, tool_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create a tool or replace some of its top-level keys."""
        return self._saved(self.tools, tool_id, body)

    def save_assistant(self, assistant_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an assistant or replace some of its top-level keys.

        An assistant that has versions gets a new one.
        """
        known = self.assistants.get(assistant_id, {}).get("latestVersion")
        newer = {"latestVersion": f"v{int(known[1:]) + 1}"} if known else {}
        return self._saved(self.assistants, assistant_id, {**body, **newer})

    @staticmethod
    def _saved(
        items: dict[str, dict[str, Any]], id_: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        now = iso(utc_now())
        known = items.get(id_, {"createdAt": now})
        items[id_] = {**known, **body, "id": id_, "orgId": ORG_ID, "updatedAt": now}
        return items[id_]


def _refused_for_capacity(plan: CallPlan) -> CallPlan:
    return CallPlan(LIMIT_REACHED, plan.queue, 0, 0, plan.report, plan.scene)


def _reason(call: SimulatedCall) -> str:
    cut = call.plan.answered and call.planned_talk < call.plan.talk
    return "exceeded-max-duration" if cut else call.plan.reason


def _one(known: dict[str, dict[str, Any]], wanted: str, kind: str) -> dict[str, Any]:
    if wanted not in known:
        raise ApiError(HTTPStatus.NOT_FOUND, f"Couldn't find {kind} with ID {wanted}")
    return known[wanted]
