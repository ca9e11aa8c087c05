"""The plan of a simulated call, drawn at its creation from seed and number."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from provider.simulator.people.scenes import (
    LONGEST_SECONDS,
    Line,
    Person,
    Scene,
    machine,
    spoken,
)
from provider.simulator.settings import NEVER_ENDS, NEVER_RINGS, SimulatorSettings

FOREVER = 10.0**9
START_ERROR = "call.start.error-"
SIP = "call.in-progress.error-providerfault-outbound-sip-"
SIP_407 = f"{SIP}407-proxy-authentication-required"
NOT_DIALLED = frozenset(
    {
        "assistant-not-found",
        "assistant-not-valid",
        "call-start-error-neither-assistant-nor-server-set",
        SIP_407,
        "call.start.assistant-version-error-validation",
        "call.start.squad-version-error-validation",
        "call.in-progress.error-vapifault-transport-never-connected",
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
        "sip-outbound-carrier-released-call",
        "call.in-progress.error-sip-outbound-call-failed-to-connect",
        f"{SIP}403-forbidden",
        f"{SIP}408-request-timeout",
        f"{SIP}480-temporarily-unavailable",
        f"{SIP}503-service-unavailable",
    }
)
"""Ended reasons of calls that may ring and are not picked up."""

WITH_A_PERSON = frozenset({"customer-ended-call", "assistant-ended-call"})
"""Ended reasons of calls whose course is a scene."""


@dataclass(frozen=True)
class CallPlan:
    """How a call will go. Seconds are those of a real call, not yet divided by `speed`.

    `scene` is what happens if the reason is one of WITH_A_PERSON. `message` explains
    the reason, as `endedMessage`.
    """

    reason: str
    queue: float
    ring: float
    talk: float
    report: float
    scene: Scene
    message: str | None = None

    @property
    def refused(self) -> bool:
        """Whether the call never rings."""
        return self.reason.startswith(START_ERROR) or self.reason in NOT_DIALLED

    @property
    def answered(self) -> bool:
        """Whether a person or machine picks up."""
        return not (
            self.refused or self.reason in UNANSWERED or self.reason == NEVER_RINGS
        )


def plan_call(
    settings: SimulatorSettings,
    dice: Random,
    reason: str | None,
    message: str | None = None,
    *,
    reach: float = 1.0,
    scene: Scene | None = None,
) -> CallPlan:
    """Draw a plan; `reason` fixes the ended reason, and `message` explains it.

    `reach` is a factor for the probability that a person answers, and `scene` fixes
    what happens then.
    """
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
    drawn_scene = _weighted(settings.scenes, dice)
    reason = reason or _reached(settings.outcomes, drawn, reach, dice)
    talk = {"voicemail": talk / 4, NEVER_ENDS: FOREVER}.get(reason, talk)
    plan = CallPlan(
        reason, queue, ring, talk, report, scene or drawn_scene, message=message
    )
    if reason not in WITH_A_PERSON or plan.scene not in LONGEST_SECONDS:
        return plan
    return replace(plan, talk=min(talk, LONGEST_SECONDS[plan.scene]))


def _reached(
    outcomes: Mapping[str, float], drawn: str, reach: float, dice: Random
) -> str:
    """Change the drawn reason so that a person answers `reach` times as often."""
    others = {
        name: rate for name, rate in outcomes.items() if name not in WITH_A_PERSON
    }
    people = {name: rate for name, rate in outcomes.items() if name in WITH_A_PERSON}
    person = sum(people.values()) / sum(outcomes.values())
    if reach == 1.0 or not others or not people:
        return drawn
    wanted = min(person * reach, 1.0)
    if drawn in WITH_A_PERSON:
        return drawn if dice.random() < wanted / person else _weighted(others, dice)
    missing = max(wanted - person, 0.0) / (1.0 - person)
    return _weighted(people, dice) if dice.random() < missing else drawn


def _weighted[Kind](weights: Mapping[Kind, float], dice: Random) -> Kind:
    return dice.choices(list(weights), weights=list(weights.values()))[0]


def cost_of(talked_seconds: float) -> float:
    """Price a call in USD: 0.40 for two minutes."""
    return round(0.04 + 0.003 * min(talked_seconds, 120.0), 4)


def conversation(
    plan: CallPlan,
    reason: str,
    first_message: str,
    person: Person,
    answer: str | None,
) -> list[Line]:
    """Return the lines of the conversation as (role, text); roles: `bot`, `user`.

    `answer` is the result of the tool call, if the assistant used a tool.
    """
    greeting = [("bot", first_message)]
    if reason == "voicemail":
        heard, left = machine(person.name)
        return [heard, ("bot", f"{first_message} {left[1]}")]
    if reason == "silence-timed-out":
        return [*greeting, *spoken(Scene.SILENT, person, None)]
    if reason in (NEVER_ENDS, "manually-canceled"):
        return [*greeting, ("user", f"Yes, this is {person.name}.")]
    return [*greeting, *spoken(plan.scene, person, answer)]
