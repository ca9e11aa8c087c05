"""Retry policies and output rules of campaigns, as types and as inputs."""

from typing import Self

import strawberry

from domain.campaigns import campaign_terms, retry_policy
from interfaces.graphql.permissions import EVERYBODY, query
from interfaces.graphql.types.enums import CallOutcome, Disposition
from interfaces.graphql.types.scalars import JSON


@strawberry.type
class RetryRule:
    """How contacts are called again after some outcomes."""

    outcomes: list[CallOutcome]
    attempts: int
    gaps_minutes: list[int] = strawberry.field(
        description="Minutes between the n-th call and the n-th retry; the last value"
        " repeats."
    )
    other_time_of_day: bool = strawberry.field(
        description="Plan the retry for a part of the contact's day (morning, midday,"
        " evening) not tried before."
    )

    @classmethod
    def of(cls, rule: retry_policy.RetryRule) -> Self:
        """Build it from the domain's rule."""
        return cls(
            outcomes=list(rule.outcomes),
            attempts=rule.attempts,
            gaps_minutes=list(rule.gaps_minutes),
            other_time_of_day=rule.other_time_of_day,
        )


@strawberry.type(
    description="attempts: maximum calls per contact over all outcomes. Each rule adds"
    " a sub-limit and delays for its outcomes."
)
class RetryPolicy:
    """The limits of all calls to one contact."""

    attempts: int
    per_day: int
    min_gap_minutes: int
    expires_after_days: int
    rules: list[RetryRule]

    @classmethod
    def of(cls, policy: retry_policy.RetryPolicy) -> Self:
        """Build it from the domain's policy."""
        return cls(
            attempts=policy.attempts,
            per_day=policy.per_day,
            min_gap_minutes=policy.min_gap_minutes,
            expires_after_days=policy.expires_after_days,
            rules=[RetryRule.of(rule) for rule in policy.rules],
        )


@strawberry.type
class RetryPreset:
    """A ready-made policy and its name."""

    name: str
    policy: RetryPolicy


@strawberry.type(
    description="If the output equals this value, the call gets this disposition."
    " output: name of a structured output, or a JSON pointer into the analysis."
)
class OutputRule:
    """What a value of an output means."""

    output: str
    equals: JSON
    means: Disposition

    @classmethod
    def of(cls, rule: campaign_terms.OutputRule) -> Self:
        """Build it from the domain's rule."""
        return cls(output=rule.output, equals=JSON(rule.equals), means=rule.means)


@strawberry.input
class RetryRuleInput:
    """Input form of `RetryRule`."""

    outcomes: list[CallOutcome]
    attempts: int
    gaps_minutes: list[int]
    other_time_of_day: bool | None = False


@strawberry.input(
    description="attempts 1 to 10, perDay 1 to 5, minGapMinutes 1 to 10,080,"
    " expiresAfterDays 1 to 60."
)
class RetryPolicyInput:
    """Input form of `RetryPolicy`."""

    attempts: int
    per_day: int | None = 2
    min_gap_minutes: int | None = 60
    expires_after_days: int | None = 7
    rules: list[RetryRuleInput]

    def to_policy(self) -> retry_policy.RetryPolicy:
        """Return the domain's policy; it is checked when it is used."""
        return retry_policy.RetryPolicy(
            attempts=self.attempts,
            per_day=2 if self.per_day is None else self.per_day,
            min_gap_minutes=60
            if self.min_gap_minutes is None
            else self.min_gap_minutes,
            expires_after_days=(
                7 if self.expires_after_days is None else self.expires_after_days
            ),
            rules=tuple(
                retry_policy.RetryRule(
                    outcomes=tuple(rule.outcomes),
                    attempts=rule.attempts,
                    gaps_minutes=tuple(rule.gaps_minutes),
                    other_time_of_day=bool(rule.other_time_of_day),
                )
                for rule in self.rules
            ),
        )


@strawberry.input
class OutputRuleInput:
    """Input form of `OutputRule`."""

    output: str
    equals: JSON
    means: Disposition

    def to_rule(self) -> campaign_terms.OutputRule:
        """Return the domain's rule."""
        return campaign_terms.OutputRule(self.output, self.equals, self.means)


@strawberry.type
class RetryQueries:
    """Queries of retry policies."""

    @query(EVERYBODY, "Ready-made retry policies: once, gentle, patient, urgent.")
    async def retry_presets(self) -> list[RetryPreset]:
        """Return the presets in this order."""
        return [
            RetryPreset(name=name, policy=RetryPolicy.of(policy))
            for name, policy in retry_policy.PRESETS.items()
        ]
