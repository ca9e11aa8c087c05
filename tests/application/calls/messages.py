"""Messages of the provider about a call, and a call that they are about."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from application.ports import CallReport, ProviderCall
from provider.vapi.messages.reading import PHASES, read_message
from tests.wiring import NOON, Services

SOON = NOON + timedelta(seconds=5)
PROVIDER_ID = "0199f2c4-8d5e-7a31-9b42-6c7d8e9f0a1b"


def message(
    call_id: UUID | None, kind: str, provider_id: str = PROVIDER_ID, **fields: Any
) -> dict[str, Any]:
    call: dict[str, Any] = {"id": provider_id, "createdAt": "2026-03-02T12:00:00Z"}
    if call_id is not None:
        call["assistantOverrides"] = {"metadata": {"autolynx_call_id": str(call_id)}}
    return {"message": {"type": kind, "call": call, **fields}}


def status(call_id: UUID | None, value: str, **fields: Any) -> dict[str, Any]:
    return message(call_id, "status-update", status=value, timestamp=1, **fields)


def report(call_id: UUID | None, **fields: Any) -> dict[str, Any]:
    usual = {"endedReason": "customer-ended-call", "cost": 0.31, "artifact": {}}
    times = {"startedAt": "2026-03-02T12:00:05Z", "endedAt": "2026-03-02T12:01:05Z"}
    return message(call_id, "end-of-call-report", **{**usual, **times, **fields})


def record_message(services: Services, *bodies: dict[str, Any]) -> list[bool]:
    """Record messages of the provider; return which of them were repetitions."""
    return [
        services.calls.record_message(read_message(body)).repeated for body in bodies
    ]


def requested(services: Services, people: int = 1) -> UUID:
    [call_id, *_] = services.claim(services.campaign(people), people)
    assert services.calls.request(call_id, dial_before=SOON)
    return call_id


def place(services: Services, call_id: UUID, provider_id: str = PROVIDER_ID) -> None:
    services.calls.place(call_id, provider_call_id=provider_id, placed_at=NOON)


def documents(services: Services, subject_id: UUID) -> list[dict[str, Any]]:
    return [row.document for row in services.vault.messages_of(subject_id)]


def seen(call_id: UUID, shown: str = "ringing", **usual: Any) -> ProviderCall:
    return ProviderCall(
        provider_call_id=PROVIDER_ID,
        status=shown,
        phase=PHASES[shown],
        created_at=NOON,
        call_id=call_id,
        report=CallReport(**usual),
        document={"id": PROVIDER_ID, "status": shown},
    )
