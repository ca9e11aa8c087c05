"""Histories of campaigns, made step by step by the domain's own classes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from domain.calls.call import Call
from domain.calls.reports import Report, ReportGrade
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms
from domain.contacts.contact import Contact
from domain.contacts.contact_list import ContactList, Skipped
from domain.dispatcher import Claim, claim_calls
from domain.gate.groups import ContactGroup, GroupedRows, grouped
from domain.gate.places import Places, PlaceSource
from domain.planning.contact_status import status_of
from domain.planning.planning import history_of
from domain.values import ContactStatus, DialMode, Evidence, SkipReason, VaultText
from tests.projections.reported import finding

GROUPS = [
    ContactGroup(Places((code,), (zone,), PlaceSource.NUMBER), has_consent)
    for code, zone in (("US-FL", "America/New_York"), ("US-CA", "America/Los_Angeles"))
    for has_consent in (False, True)
]
START = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
BY = "ann@example.com"


class Life:
    """A history of one installation: its events in the order of the log."""

    def __init__(self, random: Random) -> None:
        self.random, self.now = random, START
        self.events: list[Any] = []
        self.campaigns: list[Campaign] = []
        self.contacts: dict[UUID, list[UUID]] = {}
        self.calls: dict[UUID, list[Call]] = {}
        self.people: dict[UUID, Contact] = {}
        self.groups: dict[UUID, ContactGroup | None] = {}
        self.claims = self.ids = 0

    # --- Chance and time --------------------------------------------------------

    def id(self) -> UUID:
        self.ids += 1
        return UUID(int=self.ids)

    def words(self) -> VaultText:
        return VaultText(self.id(), "digest")

    def evidence(self) -> Evidence | None:
        return self.random.choice((None, Evidence(self.id(), "digest")))

    def stamp(self) -> dict[str, Any]:
        self.now += timedelta(seconds=self.random.randint(0, 40))
        return {"at": self.now, "by": BY}

    def record(self, *changed: Any) -> None:
        for one in changed:
            events = one.collect_events() if hasattr(one, "collect_events") else [one]
            self.events.extend(events)

    # --- Campaigns and their people ----------------------------------------------

    def open_campaign(
        self, contacts: int, terms: CallingTerms = CALLED_ONCE
    ) -> Campaign:
        campaign = Campaign.create(
            campaign_id=self.id(),
            name=f"Campaign {len(self.campaigns)}",
            assistant_id=self.id(),
            provider_assistant_id="assistant-0",
            phone_number_id="line-1",
            cap=5,
            mode=DialMode.BATCH,
            line_quiet_gating=False,
            budget=Decimal(50),
            longest_call_seconds=600,
            terms=terms,
            **self.stamp(),
        )
        self.campaigns.append(campaign)
        self.contacts[campaign.id] = []
        self.record(campaign)
        self.import_list(campaign, [self.id() for _ in range(contacts)])
        return campaign

    def fill_list(self, campaign: Campaign, contact_ids: list[UUID]) -> ContactList:
        """Create a list that the campaign has not imported."""
        one = ContactList.create(
            list_id=self.id(),
            campaign_id=campaign.id,
            starts_at=campaign.contacts,
            filename=self.words(),
            key_digest=None,
            columns=self.words(),
            **self.stamp(),
        )
        self.record(one)
        for start in range(0, len(contact_ids), 2):
            accepted = tuple(contact_ids[start : start + 2])
            one.accept(
                contact_ids=accepted,
                digest="digest",
                staged_up_to=start,
                groups=self._groups(accepted),
                **self.stamp(),
            )
        skipped = (Skipped(7, SkipReason.MISSING_NAME),)
        one.skip(skipped=skipped, digest="digest", **self.stamp())
        self.record(one)
        return one

    def _groups(self, contact_ids: tuple[UUID, ...]) -> tuple[GroupedRows, ...]:
        """Choose a group for each contact, or none as in lists of release 1."""
        if self.random.random() < 0.2:
            self.groups |= dict.fromkeys(contact_ids)
            return ()
        chosen = [self.random.choice(GROUPS) for _ in contact_ids]
        self.groups |= dict(zip(contact_ids, chosen, strict=True))
        return grouped(chosen)

    def group_rest(self, one: ContactList) -> None:
        """Give a group to the contacts of the list that have none."""
        rest = tuple(
            id_
            for id_ in self.contacts[one.campaign_id]
            if self.groups.get(id_) is None
        )
        chosen = [self.random.choice(GROUPS) for _ in rest]
        self.groups |= dict(zip(rest, chosen, strict=True))
        one.group(rest, grouped(chosen), **self.stamp())
        self.record(one)

    def import_list(self, campaign: Campaign, contact_ids: list[UUID]) -> ContactList:
        one = self.fill_list(campaign, contact_ids)
        self.count_in(campaign, one, contact_ids)
        return one

    def count_in(
        self, campaign: Campaign, one: ContactList, contact_ids: list[UUID]
    ) -> None:
        one.close(**self.stamp())
        campaign.import_contacts(
            list_id=one.id,
            starts_at=one.starts_at,
            accepted=one.accepted,
            skipped=one.skipped,
            **self.stamp(),
        )
        self.record(one, campaign)
        self.contacts[campaign.id] += contact_ids
        self.calls.update({id_: [] for id_ in contact_ids})

    def start(self, campaign: Campaign) -> None:
        campaign.start(**self.stamp())
        self.record(campaign)

    # --- Calls ---------------------------------------------------------------------

    def contact(self, campaign_id: UUID, contact_id: UUID) -> Contact:
        """Return the contact, which has no event until something is recorded."""
        blank = Contact.unrecorded(contact_id, campaign_id, self.now)
        return self.people.setdefault(contact_id, blank)

    def latest(self, contact_id: UUID) -> Call | None:
        """Return the contact's last call, None without any."""
        calls = self.calls[contact_id]
        return calls[-1] if calls else None

    def status_of(self, contact_id: UUID) -> ContactStatus:
        """Return the contact's status, derived from its aggregates."""
        latest = self.latest(contact_id)
        if contact_id in self.people:
            return status_of(self.people[contact_id], latest)
        return latest.contact_status if latest else ContactStatus.PENDING

    def claim(self, campaign: Campaign, most: int, batch: int | None = None) -> None:
        waiting = [
            id_
            for id_ in self.contacts[campaign.id]
            if self.status_of(id_) is ContactStatus.PENDING
        ]
        claim_id = self.id()
        calls = [
            self._taken(campaign, contact_id, claim_id, batch)
            for contact_id in waiting[:most]
        ]
        claims = tuple(
            Claim(campaign.id, call.contact_id, call.id, call.attempt, batch)
            for call in calls
        )
        claimed = claim_calls(
            seen=self.claims, claim_id=claim_id, claims=claims, **self.stamp()
        )
        self.claims += 1
        self.record(claimed, *calls)

    def _taken(
        self, campaign: Campaign, contact_id: UUID, claim_id: UUID, batch: int | None
    ) -> Call:
        calls = self.calls[contact_id]
        if calls and calls[-1].deferred:
            calls[-1].requeue(claim_id=claim_id, batch=batch, **self.stamp())
            return calls[-1]
        plan = self.contact(campaign.id, contact_id).plan_after(len(calls))
        reported = plan is not None or campaign.terms.need_reports
        call = Call.create(
            campaign_id=campaign.id,
            contact_id=contact_id,
            attempt=len(calls) + 1,
            claim_id=claim_id,
            batch=batch,
            previous=calls[-1] if calls else None,
            terms_version=campaign.terms_version if reported else None,
            history=plan.history if plan else history_of(calls) if reported else None,
            plan=plan.kind if plan else None,
            **self.stamp(),
        )
        calls.append(call)
        return call

    def request(self, call: Call) -> None:
        call.request(dial_before=self.now + timedelta(seconds=5), **self.stamp())
        self.record(call)

    def place(self, call: Call) -> None:
        self.place_unrecorded(call)
        self.record(call)

    def place_unrecorded(self, call: Call) -> None:
        """Place the call; the events stay pending."""
        call.place(
            provider_call_id=call.provider_call_id or f"p-{call.id}",
            placed_at=self.now,
            evidence=self.evidence(),
            **self.stamp(),
        )

    def report(
        self, call: Call, grade: ReportGrade, cost: Decimal | None, reason: str | None
    ) -> None:
        self.report_unrecorded(call, grade, cost, reason)
        self.record(call)

    def report_unrecorded(
        self, call: Call, grade: ReportGrade, cost: Decimal | None, reason: str | None
    ) -> None:
        """Report the call; the events stay pending."""
        report = Report(
            grade=grade,
            outcome=finding(self.random),
            reason=reason,
            started_at=self.now,
            ended_at=self.now,
            duration_seconds=60,
            cost=cost,
        )
        call.report(report, evidence=self.evidence(), **self.stamp())
