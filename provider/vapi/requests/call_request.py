"""The request that places a call."""

from collections.abc import Mapping
from typing import Any

from application.ports import CallOrder

LONGEST_NAME = 40
"""Longest name of a customer that the provider accepts."""

SERVER_MESSAGES = ["status-update", "end-of-call-report", "tool-calls"]


def call_request(order: CallOrder, server: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON body of POST /call.

    `server` overrides where the provider sends messages about the call, {} to keep the
    assistant's own server.
    """
    call_id = str(order.call_id)
    name = order.name[:LONGEST_NAME]
    customer = {
        "number": order.phone,
        "extension": order.extension,
        "name": name,
        "externalId": call_id,
    }
    return {
        "name": call_id,
        "assistantId": order.provider_assistant_id,
        **_version(order),
        "phoneNumberId": order.phone_number_id,
        "customer": {key: value for key, value in customer.items() if value},
        "assistantOverrides": {
            "variableValues": variable_values(order.name, order.variables),
            "metadata": _metadata(order),
            "serverMessages": SERVER_MESSAGES,
            **_without_voicemail(order),
            **server,
        },
    }


def _version(order: CallOrder) -> dict[str, str]:
    """Return the assistant's version, such as `v3`; without it the newest is used."""
    version = order.assistant_version
    return {"assistantVersion": version} if version else {}


def _without_voicemail(order: CallOrder) -> dict[str, str]:
    """Return the override by which a detected machine gets no message.

    Without a message the provider hangs up (docs.vapi.ai, `calls/voicemail-detection`).
    It covers the detection and the voicemail tool that speaks the assistant's message,
    but not a tool with a text of its own.
    """
    return {} if order.voicemail_allowed else {"voicemailMessage": ""}


def variable_values(name: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a call; a column called name goes before the name."""
    return {"name": name, **variables}


def _metadata(order: CallOrder) -> dict[str, Any]:
    return {
        "autolynx_call_id": str(order.call_id),
        "autolynx_campaign_id": str(order.campaign_id),
        "autolynx_contact_id": str(order.contact_id),
        "attempt": order.attempt,
        "request": order.request,
    }
