"""The calling rules in force: dated data with sources. No legal advice."""

from datetime import date
from typing import Self

import strawberry

from application.calling_rules.loader import hours_in_words, shipped_ids
from domain.gate.rules import CallPurpose, FrequencyCap, Rule, RuleBook
from interfaces.graphql.context import Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import EVERYBODY, query

strawberry.enum(CallPurpose)


@strawberry.type(name="FrequencyCap")
class FrequencyCapType:
    """At most `attempts` calls to one number within any `hours` hours."""

    attempts: int
    hours: int

    @classmethod
    def of(cls, cap: FrequencyCap) -> Self:
        """Build it from the domain's cap."""
        return cls(attempts=cap.attempts, hours=cap.hours)


@strawberry.type
class CallingRule:
    """One dated rule of a place; all rules of a place apply together."""

    id: str = strawberry.field()
    place: str = strawberry.field(description="ISO 3166-1, or 3166-2.")
    valid_from: date | None
    valid_to: date | None
    purposes: list[CallPurpose]
    hours: str = strawberry.field(description="Such as Mon-Fri 09:00-20:00.")
    holidays: str | None = strawberry.field(
        description="Name of the list of days with other hours."
    )
    frequency: list[FrequencyCapType]
    source: str
    read_on: date
    confidence: str = strawberry.field(
        description="H, M or L; where sources disagree, the stricter reading applies."
    )
    note: str = strawberry.field(description="Other duties that are not checked.")
    is_own: bool = strawberry.field(
        description="Whether the installation added the rule to those that are shipped."
    )

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """Build it from the domain's rule."""
        return cls(
            id=rule.id,
            place=rule.place,
            valid_from=rule.valid_from,
            valid_to=rule.valid_to,
            purposes=sorted(rule.purposes),
            hours=hours_in_words(rule),
            holidays=rule.holidays,
            frequency=[FrequencyCapType.of(cap) for cap in rule.caps],
            source=rule.source,
            read_on=rule.read_on,
            confidence=str(rule.confidence),
            note=rule.note,
            is_own=rule.id not in shipped_ids(),
        )


@strawberry.type(name="RuleBook")
class RuleBookType:
    """All rules in force: a starting point, not legal advice."""

    version: str = strawberry.field(description="A hash of the content.")
    rules: list[CallingRule]

    @classmethod
    def of(cls, book: RuleBook) -> Self:
        """Build it from the domain's rule book."""
        return cls(version=book.version, rules=[CallingRule.of(r) for r in book.rules])


@strawberry.type
class CallingRuleQueries:
    """Queries of the calling rules."""

    @query(EVERYBODY)
    async def calling_rules(self, info: Info) -> RuleBookType:
        """Return the rule book; an error names the file if it cannot be read."""
        backend = info.context.backend
        source = backend.services.rule_book
        book = await backend.run_reader(source.current)
        if book is None:
            raise bad_request(f"The calling rules cannot be read: {source.problem}")
        return RuleBookType.of(book)
