"""Asks the gate at the last moment before a request: may this number be called now?

It gathers what the decision rests on; the decision itself is `domain/gate`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.calls.request_fence import Fence
from application.contacts.files.contact_groups import group_of
from application.contacts.files.contact_values import CONSENT_AT
from application.suppression_lists.number_lists import NumberLists, look_up
from application.vault import Callee, ContactRow
from domain.calls.call import Call
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import Gate, ListFinding, Numbers, Terms
from domain.gate.permit import Decision
from domain.gate.places import Places
from domain.gate.rules import CallPurpose, RuleBook
from domain.settings import (
    ENVIRONMENT,
    RulesMode,
    SettingsValues,
    stored_values,
    values_in_force,
)

REQUEST_LIMIT = timedelta(seconds=20)
"""How long one request to the provider may last, unless it is configured."""


@dataclass(frozen=True, slots=True)
class CallGate:
    """Decides with the streams of the fence and what was read of the contact.

    It reads blocks of a list only if they were not read with the contact.

    `first_settings` apply until settings are stored. `request_limit` is how long a
    request may last after it was sent.
    """

    rule_book: Callable[[], RuleBook | None]
    lists: NumberLists
    first_settings: SettingsValues
    request_limit: timedelta = REQUEST_LIMIT

    def decide(
        self,
        call: Call,
        fence: Fence,
        callee: Callee,
        *,
        at: datetime,
        dial_before: datetime,
    ) -> Decision:
        """Decide whether a request may be sent until `dial_before`.

        The gate must be open until that request has reached the provider.
        """
        terms, person = self._terms(fence), callee.person
        gate = Gate(terms, _places(call, person), computed_at=at)
        number = Numbers(
            attempts=fence.number.attempts_except(call.id),
            is_suppressed=fence.number.is_suppressed,
            lists=self._findings(fence, callee, terms.purpose, at),
        )
        return gate.decide(
            number,
            has_consent=bool((person.attributes or {}).get(CONSENT_AT)),
            now=at,
            request_limit=dial_before - at + self.request_limit,
        )

    def _terms(self, fence: Fence) -> Terms:
        stored = stored_values(fence.settings)
        settings = values_in_force(stored, self.first_settings)
        return terms_of(fence.campaign.terms, settings, self.rule_book())

    def _findings(
        self, fence: Fence, callee: Callee, purpose: CallPurpose, at: datetime
    ) -> tuple[ListFinding, ...] | None:
        return look_up(
            self.lists,
            fence.lists,
            callee.person.phone,
            purpose,
            at.date(),
            known=callee.listed,
        )


def terms_of(
    terms: CallingTerms, settings: SettingsValues, rule_book: RuleBook | None
) -> Terms:
    """Return what a campaign's terms and the settings demand of every call."""
    return Terms(
        purpose=terms.purpose,
        hours=terms.calling_hours,
        rule_book=rule_book,
        is_enforced=settings.calling_rules is RulesMode.ENFORCED,
        waived_by=settings.rules_waived_by or ENVIRONMENT,
        caps=settings.frequency_caps,
        requires_consent=terms.require_consent,
        starts_at=terms.starts_at,
    )


def _places(call: Call, person: ContactRow) -> Places:
    """Return the places of a contact now, and those recorded at the import."""
    places = group_of(person.phone, person.attributes).places
    return places if call.group is None else places.united_with(call.group.places)
