"""The calls of one contact, and the policies of a campaign, as the log has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.retries.event_log import LoggedEvent
from tests.faults.virtual_call import VirtualCall

type Policy = Mapping[str, Any]

ONE_CALL: Policy = {
    "attempts": 1,
    "per_day": 1,
    "min_gap_minutes": 60,
    "expires_after_days": 1,
    "rules": [],
}


@dataclass(frozen=True)
class Attempt:
    """One call of a contact: its event of creation, its request and its true course.

    `before` is the contact's call before it, None for the first one.
    """

    created: LoggedEvent
    events: tuple[LoggedEvent, ...]
    made: VirtualCall | None
    before: "Attempt | None" = None

    @property
    def plan(self) -> str | None:
        """Why the call was planned; one that repeats a fault takes its place."""
        plan: str | None = self.created.values.get("plan")
        return plan or (self.before.plan if self.before else None)

    @property
    def claimed(self) -> LoggedEvent:
        """The event by which it was claimed last; a deferred call is claimed again."""
        claims = {"call.created", "call.requeued"}
        return [one for one in self.events if one.topic in claims][-1]

    @property
    def rang(self) -> bool:
        return self.made is not None and self.made.refusal is None

    @property
    def outcome(self) -> str | None:
        """The outcome that is known now."""
        return next((one.outcome for one in reversed(self.events) if one.outcome), None)

    @property
    def settled(self) -> LoggedEvent | None:
        """The event after which no further report was awaited."""
        return next(
            (
                one
                for one in self.events
                if one.topic == "call.reported"
                and one.values["awaited"]
                and one.values["settled"]
            ),
            None,
        )

    @property
    def dispositions(self) -> set[str]:
        return {
            one.values["disposition"]
            for one in self.events
            if one.topic == "call.disposition_set"
        }

    @property
    def timed_out(self) -> bool:
        return any(one.topic == "call.timed_out" for one in self.events)


def policies_of(log: list[LoggedEvent]) -> Iterator[tuple[int, Policy]]:
    """Yield each policy of a campaign and the position from which it is in force."""
    for event in log:
        if event.topic in {"campaign.created", "campaign.changed"}:
            yield event.position, event.values.get("retry_policy") or ONE_CALL


def rule_of(policy: Policy, outcome: str | None) -> dict[str, Any] | None:
    return next((one for one in policy["rules"] if outcome in one["outcomes"]), None)


def wants_callback(attempt: Attempt) -> bool:
    return any(one.topic == "call.callback_requested" for one in attempt.events)


def concludes(attempt: Attempt) -> bool:
    """Return whether the call says, now or earlier, that no other call is needed."""
    outcomes = {one.outcome for one in attempt.events}
    final = {"OPTED_OUT", "GOAL_REACHED", "WRONG_PERSON"}
    return "HUMAN" in outcomes or bool(attempt.dispositions & final)
