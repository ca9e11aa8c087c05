"""The scenarios of a rehearsal: how people and the provider behave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from provider.simulator.settings import OUTCOMES, SimulatorSettings
from storage.process.rehearsal_order import RehearsalScenario

OUTAGE_LASTS = timedelta(minutes=30)
"""How long the provider gives no answer in a PROVIDER_OUTAGE."""

NO_LIMIT = 1_000_000
"""Calls that the account may have at once: only the campaign's cap limits them."""

REFUSING_LIMIT = 2
"""The same in PROVIDER_REFUSES; requests above it are refused."""

FEW: Mapping[str, float] = {
    "customer-ended-call": 8,
    "assistant-ended-call": 4,
    "voicemail": 28,
    "customer-did-not-answer": 46,
    "customer-busy": 9,
    "twilio-failed-to-connect-call": 5,
}
EVERYBODY: Mapping[str, float] = {"customer-ended-call": 70, "assistant-ended-call": 30}

_OUTCOMES: Mapping[RehearsalScenario, Mapping[str, float]] = {
    RehearsalScenario.FEW_ANSWER: FEW,
    RehearsalScenario.EVERYBODY_ANSWERS: EVERYBODY,
}


def settings_of(scenario: RehearsalScenario, seed: int) -> SimulatorSettings:
    """Return the settings of the simulated provider."""
    refuses = scenario is RehearsalScenario.PROVIDER_REFUSES
    return SimulatorSettings(
        seed=seed,
        outcomes=dict(_OUTCOMES.get(scenario, OUTCOMES)),
        concurrency_limit=REFUSING_LIMIT if refuses else NO_LIMIT,
    )


def outage_of(scenario: RehearsalScenario) -> "Outage":
    """Return the outage of a scenario: in the middle of the list, or never."""
    return Outage(0.5 if scenario is RehearsalScenario.PROVIDER_OUTAGE else None)


@dataclass
class Outage:
    """A time without any answer of the provider.

    It begins once `share` of the expected calls were requested; None means never.
    """

    share: float | None = None
    expected: int = 0
    _requests: int = 0
    _until: datetime | None = field(default=None, repr=False)

    def count_request(self, now: datetime) -> None:
        """Count a request; the outage may begin with it."""
        self._requests += 1
        if self.share is None or self._until is not None:
            return
        if self._requests > self.share * self.expected:
            self._until = now + OUTAGE_LASTS

    def is_on(self, now: datetime) -> bool:
        """Return whether the provider gives no answer at that time."""
        return self._until is not None and now < self._until
