"""Asks the gate once for each group of a campaign, and remembers its hours.

A group's decision concerns its places, its consent and the campaign's terms. What is
known of a single number, such as earlier calls and suppression, is decided at the
request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from application.calls.call_gate import REQUEST_LIMIT, terms_of
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import Gate, Numbers
from domain.gate.groups import ContactGroup
from domain.gate.permit import Decision, Wait
from domain.gate.rules import RuleBook
from domain.settings import SettingsValues, values_in_force

KEPT_FOR = timedelta(hours=1)
"""How long computed hours are used; a change of rules or terms has hours of its own."""

DECIDED_FOR = timedelta(seconds=15)
"""How long a decision is repeated; each request decides again in any case."""

MOST_KEPT = 20_000

SENT_WITHIN = timedelta(seconds=30)
"""How long after the plan a request is usually sent; the request decides again."""

NOTHING_KNOWN = Numbers()
"""No earlier calls and no suppression: the decision is about the group alone."""


@dataclass(frozen=True, slots=True)
class TermsOfCampaign:
    """The calling terms of a campaign, with their version."""

    campaign_id: UUID
    version: int
    terms: CallingTerms


@dataclass(frozen=True, slots=True)
class _Decided:
    """A gate with its last decision, which is repeated before `valid_until`."""

    gate: Gate
    decision: Decision
    decided_at: datetime
    valid_until: datetime


class GroupGates:
    """Decides for groups; safe to share between threads.

    `rule_book` returns the present rule book, None if it cannot be read.
    `first_settings` apply until settings are stored.
    """

    def __init__(
        self,
        rule_book: Callable[[], RuleBook | None],
        first_settings: SettingsValues,
        request_limit: timedelta = REQUEST_LIMIT,
    ) -> None:
        self._rule_book, self._first = rule_book, first_settings
        self._request_limit = request_limit + SENT_WITHIN
        self._kept: dict[object, _Decided] = {}
        self._lock = Lock()

    def decide(
        self,
        campaign: TermsOfCampaign,
        settings: SettingsValues | None,
        group: ContactGroup | None,
        now: datetime,
    ) -> Decision:
        """Decide whether contacts of a group may be called now; None: no group yet."""
        return self._decided_group(campaign, settings, group, now).decision

    def decide_number(
        self,
        campaign: TermsOfCampaign,
        settings: SettingsValues | None,
        group: ContactGroup | None,
        number: Numbers,
        now: datetime,
    ) -> Decision:
        """Decide about one number of a group, as its request would be decided."""
        gate = self._decided_group(campaign, settings, group, now).gate
        return self._ask(gate, group, number, now)

    def _decided_group(
        self,
        campaign: TermsOfCampaign,
        settings: SettingsValues | None,
        group: ContactGroup | None,
        now: datetime,
    ) -> _Decided:
        book, values = self._rule_book(), values_in_force(settings, self._first)
        key = (
            campaign.campaign_id,
            campaign.version,
            (values.calling_rules, values.rules_waived_by, values.frequency_caps),
            book.version if book else None,
            group,
        )
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept.decided_at <= now < kept.valid_until:
            return kept
        gate = kept.gate if kept is not None else None
        if gate is None or not gate.computed_at <= now < gate.computed_at + KEPT_FOR:
            places = group.places if group else None
            terms = terms_of(campaign.terms, values, book)
            gate = Gate(terms, places, computed_at=now)
        decided = self._decided(gate, group, now)
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = decided
        return decided

    def _decided(
        self, gate: Gate, group: ContactGroup | None, now: datetime
    ) -> _Decided:
        decision = self._ask(gate, group, NOTHING_KNOWN, now)
        until = now + DECIDED_FOR
        if isinstance(decision, Wait) and decision.until is not None:
            until = min(until, decision.until)
        return _Decided(gate, decision, now, until)

    def _ask(
        self, gate: Gate, group: ContactGroup | None, number: Numbers, now: datetime
    ) -> Decision:
        return gate.decide(
            number,
            has_consent=group is not None and group.has_consent,
            now=now,
            request_limit=self._request_limit,
        )
