"""The settings of the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from provider.simulator.faults.fault_plan import FaultPlan
from provider.simulator.people.reach import Reach
from provider.simulator.people.scenes import SCENES, VARIED_SCENES, Scene

DEFAULT_ASSISTANT_ID = "8a1e2c34-7b65-4d2f-9c01-5e6f7a8b9c0d"
DEFAULT_PHONE_NUMBER_ID = "c2d4e6f8-1a3b-4c5d-8e7f-901a2b3c4d5e"
DEFAULT_API_KEY = "simulator-key"
ORG_ID = "3f0c8f7e-51a2-4c6e-9d57-6f1d2b7a9e10"

NEVER_ENDS = "simulator-never-ends"
NEVER_RINGS = "simulator-never-rings"

OUTCOMES: Mapping[str, float] = {
    "customer-ended-call": 44,
    "assistant-ended-call": 20,
    "voicemail": 12,
    "customer-did-not-answer": 11,
    "customer-busy": 5,
    "silence-timed-out": 4,
    "twilio-failed-to-connect-call": 2,
    "call.start.error-vapifault-worker-not-available": 2,
}


VARIED_OUTCOMES: Mapping[str, float] = {
    **OUTCOMES,
    "vonage-rejected": 1,
    "twilio-reported-customer-misdialed": 1,
    "call.in-progress.error-providerfault-outbound-sip-480-temporarily-unavailable": 1,
    "call.in-progress.error-vapifault-transport-never-connected": 1,
    "call.in-progress.error-providerfault-openai-llm-failed": 1,
    "exceeded-max-duration": 1,
    "assistant-forwarded-call": 1,
}
"""Weights with which calls of every outcome occur."""


@dataclass(frozen=True)
class WebhookCredential:
    """How messages are authenticated when `server.credentialId` names this.

    The names and defaults are those of the provider's bearer and HMAC plans; only
    the unit of the timestamp, which the provider does not document, is ours.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    type: Literal["bearer", "hmac"]
    secret: str
    header_name: str = "Authorization"
    bearer_prefix: bool = True
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    signature_header: str = "x-signature"
    signature_prefix: str = ""
    signature_encoding: Literal["hex", "base64"] = "hex"
    timestamp_header: str = "x-timestamp"
    include_timestamp: bool = True
    timestamp_unit: Literal["s", "ms"] = "ms"
    payload_format: str = "{timestamp}.{body}"
    message_id_header: str | None = None


@dataclass(frozen=True)
class SimulatorSettings:
    """Settings that are fixed when the simulator starts.

    All `..._seconds` ranges are those of real calls and are divided by `speed`;
    `webhook_timeout_seconds` is not. `outcomes` weighs ended reasons; besides the
    provider's own there are NEVER_ENDS (talks on) and NEVER_RINGS (stays queued).
    `scenes` weighs what happens when a person or machine picks up and no fault ends the
    call, and `reach` how likely that is. A person who asks for a callback wants it
    `callback_seconds` (real ones) later, by the local time of `reach.time_zone`.
    `over_limit` says what a call above the concurrency limit meets: an error of the
    status `over_limit_status` (`refuse`), 201 with `concurrencyBlocked` (`block`), or
    201 and an early end (`end`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = 8055
    public_url: str | None = None
    seed: int = 1
    speed: float = 1.0
    api_keys: tuple[str, ...] = (DEFAULT_API_KEY,)
    concurrency_limit: int = 10
    over_limit: Literal["refuse", "block", "end"] = "refuse"
    over_limit_status: Literal[400, 403, 404, 429] = 400
    outcomes: dict[str, float] = field(default_factory=lambda: dict(OUTCOMES))
    scenes: dict[Scene, float] = field(default_factory=lambda: dict(SCENES))
    reach: Reach = field(default_factory=Reach)
    callback_seconds: float = 86_400.0
    queue_seconds: tuple[float, float] = (0.5, 2.0)
    ring_seconds: tuple[float, float] = (5.0, 25.0)
    talk_seconds: tuple[float, float] = (20.0, 120.0)
    report_seconds: tuple[float, float] = (3.0, 5.0)
    webhook_url: str | None = None
    webhook_secret: str | None = None
    webhook_timeout_seconds: float = 20.0
    webhook_connections: int = 100
    announce_queued: bool = False
    report_unanswered: bool = True
    credentials: dict[str, WebhookCredential] = field(default_factory=dict)
    assistants: tuple[dict[str, Any], ...] = ()
    phone_numbers: tuple[dict[str, Any], ...] = ()
    faults: FaultPlan = field(default_factory=FaultPlan)

    @property
    def base_url(self) -> str:
        """The URL of the API without a trailing slash."""
        return self.public_url or f"http://{self.host}:{self.port}"


def read_settings(values: Mapping[str, Any]) -> SimulatorSettings:
    """Build settings from plain JSON values.

    Raises pydantic.ValidationError for unknown names and wrong types.
    """
    return TypeAdapter(SimulatorSettings).validate_python(dict(values))


def varied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with outcomes and scenes of every kind unless they are set."""
    return {
        "outcomes": dict(VARIED_OUTCOMES),
        "scenes": dict(VARIED_SCENES),
        **values,
    }
