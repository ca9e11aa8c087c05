"""Permanent refusals: of some contacts, a line, an assistant or the whole account."""

from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from pydantic import ConfigDict


@dataclass(frozen=True)
class Subject:
    """The calls that an entry applies to: those that match all given fields.

    `number` is the customer's, `line` a `phoneNumberId`, `assistant` an `assistantId`.
    It applies to a `share` (0..1) of the customers, the same ones for the same seed.
    """

    number: str | None = None
    line: str | None = None
    assistant: str | None = None
    share: float = 1.0

    def fits(self, request: dict[str, Any], seed: int) -> bool:
        """Return whether the entry applies to this request of POST /call."""
        customer = request.get("customer")
        number = customer.get("number") if isinstance(customer, dict) else None
        return (
            self.number in (None, number)
            and self.line in (None, request.get("phoneNumberId"))
            and self.assistant in (None, request.get("assistantId"))
            and Random(f"{seed}/share/{number}").random() < self.share  # noqa: S311 - a die
        )


@dataclass(frozen=True)
class Refused(Subject):
    """POST /call is answered with this error until the plan is replaced."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    status: int = 400
    message: str = "Free Vapi numbers do not support international calls."
    retry_after: str | None = None


@dataclass(frozen=True)
class Ended(Subject):
    """The call is created and ends with this reason; `message` is `endedMessage`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    reason: str = "call.start.error-vapi-number-international"
    message: str | None = None
