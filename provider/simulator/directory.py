"""The assistants and phone numbers of the simulated account at its start."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    ORG_ID,
    SimulatorSettings,
)


def first_assistants(settings: SimulatorSettings) -> Iterator[dict[str, Any]]:
    """Yield the assistants at the start: a default and configured ones."""
    server = {"url": settings.webhook_url, "timeoutSeconds": 20}
    if settings.webhook_secret:
        server["secret"] = settings.webhook_secret
    yield {
        "id": DEFAULT_ASSISTANT_ID,
        "orgId": ORG_ID,
        "name": "Appointment reminder",
        "createdAt": "2026-08-01T09:05:00.000Z",
        "updatedAt": "2026-09-10T08:12:44.101Z",
        "firstMessage": "Hi, this is the clinic calling about your appointment.",
        "model": {
            "provider": "openai",
            "model": "gpt-4o-mini",
            "messages": [{"role": "system", "content": "You confirm appointments."}],
        },
        "voice": {"provider": "vapi", "voiceId": "Elliot"},
        "transcriber": {"provider": "deepgram", "model": "nova-2", "language": "en"},
        **({"server": server} if settings.webhook_url else {}),
        "serverMessages": ["status-update", "end-of-call-report"],
        "maxDurationSeconds": 300,
    }
    yield from (_completed(assistant) for assistant in settings.assistants)


def first_lines(settings: SimulatorSettings) -> Iterator[dict[str, Any]]:
    """Yield the phone numbers at the start: a default and configured ones."""
    first = {
        "id": DEFAULT_PHONE_NUMBER_ID,
        "number": "+12025550100",
        "name": "Outbound line 1",
    }
    for line in (first, *settings.phone_numbers):
        yield {
            "provider": "twilio",
            "twilioAccountSid": "AC00000000000000000000000000000001",
            "twilioAuthToken": "simulated-twilio-auth-token",
            "status": "active",
            **_completed(line),
        }


def _completed(item: dict[str, Any]) -> dict[str, Any]:
    since = "2026-08-01T09:00:00.000Z"
    UUID(item["id"])
    return {"orgId": ORG_ID, "createdAt": since, "updatedAt": since, **item}
