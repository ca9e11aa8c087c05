"""Webhooks: their content, authentication and delivery."""

import asyncio
import base64
import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import orjson

from provider.simulator.calls.calls import (
    Delivery,
    SimulatedCall,
    epoch_ms,
    iso,
    utc_now,
)
from provider.simulator.calls.ledger import Ledger
from provider.simulator.calls.outcomes import ending, outcome
from provider.simulator.calls.recordings import Recordings
from provider.simulator.faults.fault_plan import FaultDesk, WebhookFault
from provider.simulator.settings import SimulatorSettings, WebhookCredential

REPORT = "end-of-call-report"

type Message = dict[str, Any]
type Spawn = Callable[[Coroutine[Any, Any, None]], object]


def status_update(call: SimulatedCall, status: str) -> Message:
    """Return the message about a new status; only that of the end has a reason."""
    ended = ending(call) if status == "ended" else {}
    artifact: dict[str, Any] = {"messages": [], "messagesOpenAIFormatted": []}
    message = {"type": "status-update", "status": status, **ended, "artifact": artifact}
    return call.reporting.with_placed_reason(message)


def end_of_call_report(call: SimulatedCall, recordings: Recordings) -> Message:
    """Return the complete report, before faults change it."""
    times = {"startedAt": call.started_at, "endedAt": call.ended_at}
    return {
        "type": REPORT,
        **{key: iso(time) for key, time in times.items() if time},
        **ending(call),
        **outcome(call, recordings),
        "durationMs": round(call.talked * 1000),
        "durationSeconds": round(call.talked, 3),
        "durationMinutes": round(call.talked / 60, 4),
    }


def envelope(call: SimulatedCall, timestamp: int, own: Message) -> bytes:
    """Wrap a message like the provider, with an old copy of the call and secrets."""
    common = {
        "timestamp": timestamp,
        "assistantVersion": None,
        **own,
        "call": {**call.snapshot(), **own.get("call", {})},
        "phoneNumber": call.line,
        "customer": call.request["customer"],
        "assistant": {**call.assistant, **call.overrides},
    }
    return orjson.dumps({"message": common})


@dataclass(frozen=True)
class Courier:
    """Delivers messages: those of one call in order, different calls concurrently."""

    client: httpx2.AsyncClient
    settings: SimulatorSettings
    desk: FaultDesk
    ledger: Ledger
    spawn: Spawn

    def post(self, call: SimulatedCall, label: str, own: Callable[[], Message]) -> None:
        """Start the delivery of a message, unless a fault loses it."""
        server = call.server
        message_type = REPORT if label == REPORT else "status-update"
        if server is None or not call.wants(message_type):
            return
        faults = self.desk.for_message(call.key, call.number, label)
        delivery = Delivery(label, epoch_ms(utc_now()))
        previous = call.deliveries[-1] if call.deliveries else None
        call.deliveries.append(delivery)
        self.ledger.open_deliveries += 1

        def body() -> bytes:
            return envelope(call, delivery.timestamp, own())

        trip = _Trip(self, call, server, delivery, previous, body, faults)
        self.spawn(trip.run())

    async def ask(
        self, call: SimulatedCall, server: dict[str, Any] | None, own: Message
    ) -> object:
        """Send a message that needs an answer; return its JSON, None without one.

        The provider waits for the answer while the call goes on, and never retries.
        """
        label = str(own["type"])
        if server is None or not call.wants(label):
            return None
        faults = self.desk.for_message(call.key, call.number, label)
        delivery = Delivery(label, epoch_ms(utc_now()))
        call.deliveries.append(delivery)
        if WebhookFault.LOST in faults:
            delivery.outcome = "lost"
            delivery.sent_once.set()
            return None
        if WebhookFault.LATE in faults:
            await asyncio.sleep(self.desk.plan.late_seconds)
        times = 2 if WebhookFault.TWICE in faults else 1
        content = envelope(call, delivery.timestamp, own)
        answers = [await self._asked(server, delivery, content) for _ in range(times)]
        delivery.sent_once.set()
        self.ledger.webhooks[delivery.outcome] += 1
        return answers[0]

    async def _asked(
        self, server: dict[str, Any], delivery: Delivery, content: bytes
    ) -> object:
        delivery.attempts += 1
        self.ledger.webhooks["attempts"] += 1
        response = await self.send(server, content)
        delivery.outcome = _outcome(response.status_code if response else None)
        if response is None or delivery.outcome != "delivered":
            return None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            return None

    async def send(self, server: dict[str, Any], body: bytes) -> httpx2.Response | None:
        """Post a body once; return None if there was no answer in time."""
        limit = server.get("timeoutSeconds", self.settings.webhook_timeout_seconds)
        headers = authenticated(server, body, self.settings.credentials)
        try:
            async with asyncio.timeout(limit):
                return await self.client.post(
                    server["url"], content=body, headers=headers
                )
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError):
            return None


@dataclass(frozen=True)
class _Trip:
    """The delivery of one message, with all its attempts."""

    courier: Courier
    call: SimulatedCall
    server: dict[str, Any]
    delivery: Delivery
    previous: Delivery | None
    body: Callable[[], bytes]
    faults: set[WebhookFault]

    async def run(self) -> None:
        try:
            await self._travel()
        finally:
            self._settle()

    async def _travel(self) -> None:
        if WebhookFault.LOST in self.faults:
            self.delivery.outcome = "lost"
            return
        await self._wait_for_its_turn()
        await self._send_until_taken()
        if WebhookFault.TWICE in self.faults:
            await self._attempt()
            self.courier.ledger.webhooks["repeated"] += 1

    async def _wait_for_its_turn(self) -> None:
        late = self.courier.desk.plan.late_seconds
        if WebhookFault.LATE in self.faults:
            self.delivery.sent_once.set()
            await asyncio.sleep(late)
        elif WebhookFault.REORDERED in self.faults:
            self.delivery.sent_once.set()
            await wait_at_most(late, self.delivery.overtaken)
        elif self.previous is not None:
            await self.previous.sent_once.wait()

    async def _send_until_taken(self) -> None:
        for delay in (0.0, *self._retry_delays()):
            await asyncio.sleep(delay)
            status = await self._attempt()
            self.delivery.outcome = _outcome(status)
            self._first_attempt_is_over()
            if not self._worth_another(status):
                return

    def _retry_delays(self) -> list[float]:
        """List the waits of `backoffPlan` in real seconds; none without a plan."""
        plan = self.server.get("backoffPlan") or {}
        base, grows = plan.get("baseDelaySeconds", 1), plan.get("type") == "exponential"
        speed = self.courier.settings.speed
        return [
            base * (2**attempt if grows else 1) / speed
            for attempt in range(int(plan.get("maxRetries", 0)))
        ]

    def _worth_another(self, status: int | None) -> bool:
        excluded = (self.server.get("backoffPlan") or {}).get("excludedStatusCodes")
        return self.delivery.outcome == "failed" and status not in (excluded or ())

    async def _attempt(self) -> int | None:
        """Post once; return the status, or None without an answer."""
        self.delivery.attempts += 1
        self.courier.ledger.webhooks["attempts"] += 1
        response = await self.courier.send(self.server, self.body())
        return None if response is None else response.status_code

    def _first_attempt_is_over(self) -> None:
        self.call.first_message_sent.set()
        self.delivery.sent_once.set()
        if self.previous is not None:
            self.previous.overtaken.set()

    def _settle(self) -> None:
        self._first_attempt_is_over()
        ledger = self.courier.ledger
        ledger.webhooks[self.delivery.outcome] += 1
        ledger.open_deliveries -= 1
        ledger.touch()


def authenticated(
    server: dict[str, Any], body: bytes, credentials: dict[str, WebhookCredential]
) -> dict[str, str]:
    """Build the headers; one in `server.headers` overrides the credential's."""
    headers = {"content-type": "application/json"}
    credential = credentials.get(str(server.get("credentialId")))
    if credential is not None:
        unit = 1000 if credential.timestamp_unit == "s" else 1
        timestamp = epoch_ms(utc_now()) // unit
        headers |= _credential_headers(credential, body, server["url"], timestamp)
    if server.get("secret"):
        headers["X-Vapi-Secret"] = server["secret"]
    given = {str(k): str(v) for k, v in (server.get("headers") or {}).items()}
    lowered = {key.lower() for key in given}
    return {k: v for k, v in headers.items() if k.lower() not in lowered} | given


def _credential_headers(
    plan: WebhookCredential, body: bytes, url: str, timestamp: int
) -> dict[str, str]:
    if plan.type == "bearer":
        prefix = "Bearer " if plan.bearer_prefix else ""
        return {plan.header_name: prefix + plan.secret}
    moment, message_id = str(timestamp), str(uuid4())
    signed = plan.payload_format.encode()
    known = {"timestamp": moment, "method": "POST", "url": url, "svix-id": message_id}
    for name, value in known.items():
        signed = signed.replace(b"{%b}" % name.encode(), value.encode())
    signed = signed.replace(b"{body}", body)
    digest = hmac.digest(plan.secret.encode(), signed, plan.algorithm)
    return {
        plan.signature_header: plan.signature_prefix + _encoded(plan, digest),
        **({plan.timestamp_header: moment} if plan.include_timestamp else {}),
        **({plan.message_id_header: message_id} if plan.message_id_header else {}),
    }


def _encoded(plan: WebhookCredential, digest: bytes) -> str:
    if plan.signature_encoding == "base64":
        return base64.b64encode(digest).decode()
    return digest.hex()


def _outcome(status: int | None) -> str:
    return "delivered" if status is not None and 200 <= status < 300 else "failed"  # noqa: PLR2004 - the family of success


async def wait_at_most(seconds: float, event: asyncio.Event) -> None:
    """Wait for the event or until the time is up, whichever comes first."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
