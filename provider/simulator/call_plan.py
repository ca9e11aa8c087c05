"""How a simulated call goes: planned when it is created, from seed and number."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from provider.simulator.settings import NEVER_ENDS, NEVER_RINGS, SimulatorSettings

type Line = tuple[str, str]

FOREVER = 10.0**9
AGREED = "Yes please, that suits me."
START_ERROR = "call.start.error-"
SIP_407 = (
    "call.in-progress.error-providerfault-outbound-sip-407"
    "-proxy-authentication-required"
)
NOT_DIALLED = frozenset(
    {
        "assistant-not-found",
        "assistant-not-valid",
        "call-start-error-neither-assistant-nor-server-set",
        SIP_407,
        "call.start.assistant-version-error-validation",
        "call.start.squad-version-error-validation",
        "license-check-failed",
        "sip-outbound-unallocated-number",
        "twilio-reported-customer-misdialed",
    }
)
"""Other ended reasons of calls that never ring."""

UNANSWERED = frozenset(
    {
        "customer-did-not-answer",
        "customer-busy",
        "twilio-failed-to-connect-call",
        "vonage-failed-to-connect-call",
        "vonage-rejected",
    }
)


@dataclass(frozen=True)
class CallPlan:
    """How a call will go. Seconds are those of a real call, not yet divided by `speed`.

    `message` explains the reason, as `endedMessage`.
    """

    reason: str
    queue: float
    ring: float
    talk: float
    report: float
    good_mood: bool
    message: str | None = None

    @property
    def refused(self) -> bool:
        return self.reason.startswith(START_ERROR) or self.reason in NOT_DIALLED

    @property
    def answered(self) -> bool:
        return not (
            self.refused or self.reason in UNANSWERED or self.reason == NEVER_RINGS
        )


def plan_call(
    settings: SimulatorSettings,
    dice: Random,
    reason: str | None,
    message: str | None = None,
) -> CallPlan:
    """Draw a plan; `reason` fixes the ended reason, and `message` explains it."""
    drawn = _weighted(settings.outcomes, dice)
    queue, ring, talk, report = (
        dice.uniform(*span)
        for span in (
            settings.queue_seconds,
            settings.ring_seconds,
            settings.talk_seconds,
            settings.report_seconds,
        )
    )
    reason = reason or drawn
    talk = {"voicemail": talk / 4, NEVER_ENDS: FOREVER}.get(reason, talk)
    agrees = dice.random() < 0.7  # noqa: PLR2004 - most people say yes
    return CallPlan(reason, queue, ring, talk, report, agrees, message)


def _weighted(outcomes: Mapping[str, float], dice: Random) -> str:
    return dice.choices(list(outcomes), weights=list(outcomes.values()))[0]


def cost_of(talked_seconds: float) -> float:
    """Price a call in USD: 0.40 for two minutes."""
    return round(0.04 + 0.003 * min(talked_seconds, 120.0), 4)


def conversation(
    plan: CallPlan, reason: str, first_message: str, name: str
) -> list[Line]:
    """Return the lines of the conversation as (role, text); roles: `bot`, `user`."""
    if reason == "voicemail":
        return _to_a_machine(first_message, name)
    greeting = [("bot", first_message)]
    if reason == "silence-timed-out":
        return [*greeting, ("bot", f"{name}, are you still there?")]
    if reason in (NEVER_ENDS, "manually-canceled"):
        return [*greeting, ("user", f"Yes, this is {name}.")]
    return [*greeting, *_between_people(name, good_mood=plan.good_mood)]


def _to_a_machine(first_message: str, name: str) -> list[Line]:
    return [
        ("user", f"You have reached {name}. Please leave a message after the tone."),
        ("bot", f"{first_message} We will call again, {name}. Goodbye."),
    ]


def _between_people(name: str, *, good_mood: bool) -> list[Line]:
    answer = AGREED if good_mood else "No, not this week, sorry."
    return [
        ("user", f"Yes, this is {name}."),
        ("bot", f"Thank you, {name}. Shall I keep it for you?"),
        ("user", answer),
        ("bot", "Understood. Have a good day."),
        ("user", "Thanks. Bye."),
    ]
