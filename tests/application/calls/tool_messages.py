"""Messages with tool calls, and the answers to them."""

from typing import Any
from uuid import UUID

from provider.vapi.messages.reading import read_message
from tests.application.calls.messages import message, place, requested, status
from tests.wiring import Services

PHONE = "+12025550000"
"""The number of the first contact of a campaign of `requested`."""


def tool_calls(
    call_id: UUID | None,
    name: str = "record_opt_out",
    tool_id: str = "call_51kj",
    phone: str | None = PHONE,
    **arguments: Any,
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    listed = [{"id": tool_id, "type": "function", "function": function}]
    customer: dict[str, Any] = {"customer": {"number": phone}} if phone else {}
    fields: dict[str, Any] = {"toolCallList": listed, "toolCalls": listed}
    return message(call_id, "tool-calls", **fields, **customer)


def answer(services: Services, *bodies: dict[str, Any]) -> list[str]:
    """Record messages; return the results of all their tool calls."""
    receipts = [services.calls.record_message(read_message(body)) for body in bodies]
    return [one.result for receipt in receipts for one in receipt.answers]


def in_a_call(services: Services) -> UUID:
    call_id = requested(services)
    place(services, call_id)
    answer(services, status(call_id, "in-progress"))
    return call_id
