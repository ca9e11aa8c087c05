"""Random histories of campaigns, made by the domain's own classes."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from domain.assistant import Assistant
from domain.calls.call import Call
from domain.calls.reports import Report, ReportGrade
from domain.calls.unmatched_message import UnmatchedMessage
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import SpendAlert
from domain.contacts.contact_list import ContactList, Skipped
from domain.dispatcher import Claim, claim_calls
from domain.errors import Refused
from domain.gate.groups import ContactGroup, GroupedRows, grouped
from domain.gate.places import Places, PlaceSource
from domain.member import Member
from domain.settings import Settings, SettingsValues
from domain.values import (
    ContactStatus,
    DialMode,
    Evidence,
    PauseCause,
    RefusalScope,
    Role,
    SkipReason,
    VaultText,
)
from tests.projections.reported import REASONS, REFUSALS, disposition, finding

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

    # --- Beside the campaigns ---------------------------------------------------

    def furnish(self) -> None:
        """Create settings, members, assistants and a message about an unknown call."""
        settings = Settings.create(values=SettingsValues(), **self.stamp())
        settings.change(
            values=SettingsValues(daily_budget=Decimal(9), retention_days=30),
            **self.stamp(),
        )
        settings.raise_daily_spend_alert(
            day=self.now.date(),
            alert="limit",
            spend=Decimal(9),
            budget=Decimal(9),
            **self.stamp(),
        )
        settings.allow_requests_again(**self.stamp())
        self.record(settings, *self._people(), *self._assistants())
        stray = UnmatchedMessage.create(provider_call_id="stray", **self.stamp())
        stray.attach(call_id=self.id(), **self.stamp())
        self.record(stray)

    def _people(self) -> list[Member]:
        people = [
            Member.add(email=f"{name}@example.com", role=Role.OPERATOR, **self.stamp())
            for name in ("ann", "bob", "cy")
        ]
        people[0].change_role(role=Role.ADMIN, **self.stamp())
        people[1].remove(**self.stamp())
        people[2].remove(**self.stamp())
        people[2].readmit(role=Role.AUDITOR, **self.stamp())
        return people

    def _assistants(self) -> list[Assistant]:
        made = [
            Assistant.create(
                provider_assistant_id=f"assistant-{number}",
                name=f"Assistant {number}",
                config={"model": {"provider": "openai"}, "number": number},
                **self.stamp(),
            )
            for number in range(3)
        ]
        made[0].change(name="Renamed", config={}, **self.stamp())
        made[1].archive(**self.stamp())
        made[2].archive(**self.stamp())
        made[2].restore(**self.stamp())
        return made

    # --- Campaigns and their people ----------------------------------------------

    def open_campaign(self, contacts: int) -> Campaign:
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

    def standing(self, contact_id: UUID) -> ContactStatus:
        """Return the contact's status, derived from its latest call alone."""
        calls = self.calls[contact_id]
        return calls[-1].standing if calls else ContactStatus.PENDING

    def claim(self, campaign: Campaign, most: int, batch: int | None = None) -> None:
        waiting = [
            id_
            for id_ in self.contacts[campaign.id]
            if self.standing(id_) is ContactStatus.PENDING
        ]
        claim_id = self.id()
        calls = [
            self._taken(campaign.id, contact_id, claim_id, batch)
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
        self, campaign_id: UUID, contact_id: UUID, claim_id: UUID, batch: int | None
    ) -> Call:
        calls = self.calls[contact_id]
        if calls and calls[-1].deferred:
            calls[-1].requeue(claim_id=claim_id, batch=batch, **self.stamp())
            return calls[-1]
        call = Call.create(
            campaign_id=campaign_id,
            contact_id=contact_id,
            attempt=len(calls) + 1,
            claim_id=claim_id,
            batch=batch,
            previous=calls[-1] if calls else None,
            **self.stamp(),
        )
        calls.append(call)
        return call

    def request(self, call: Call) -> None:
        call.request(dial_before=self.now + timedelta(seconds=5), **self.stamp())
        self.record(call)

    def place(self, call: Call) -> None:
        call.place(
            provider_call_id=call.provider_call_id or f"p-{call.id}",
            placed_at=self.now,
            evidence=self.evidence(),
            **self.stamp(),
        )
        self.record(call)

    def report(
        self, call: Call, grade: ReportGrade, cost: Decimal | None, reason: str | None
    ) -> None:
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
        self.record(call)

    # --- Anything --------------------------------------------------------------------

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            campaign = self.random.choice(self.campaigns)
            calls = [c for id_ in self.contacts[campaign.id] for c in self.calls[id_]]
            with suppress(Refused):
                if not calls or self.random.random() < 0.15:
                    self.claim(campaign, 2, self.random.choice((None, 1, 2)))
                elif self.random.random() < 0.15:
                    self._lead(campaign)
                else:
                    self._happen_to(self.random.choice(calls), campaign)

    def _lead(self, campaign: Campaign) -> None:
        stamp, spend = self.stamp(), Decimal(40)
        told: list[Callable[[], None]] = [
            lambda: campaign.start(**stamp),
            lambda: campaign.pause(
                cause=PauseCause.PERSON, reason=self.words(), **stamp
            ),
            lambda: campaign.pause(
                cause=PauseCause.ACCOUNT,
                scope=self.random.choice((None, *RefusalScope)),
                reason=self.words(),
                **stamp,
            ),
            lambda: campaign.resume(**stamp),
            lambda: campaign.note_placed(placed_at=self.now, **stamp),
            lambda: campaign.note_ringing(**stamp),
            lambda: campaign.raise_spend_alert(
                alert=SpendAlert.LIMIT,
                spend=spend,
                budget=campaign.budget or spend,
                **stamp,
            ),
            lambda: self._change(campaign),
            lambda: campaign.cancel(hang_up=True, **stamp),
        ]
        self.random.choice(told)()
        self.record(campaign)

    def _change(self, campaign: Campaign) -> None:
        campaign.change(
            name=self.random.choice(("One", "Two")),
            cap=self.random.randint(1, 9),
            line_quiet_gating=True,
            budget=None,
            **self.stamp(),
        )

    def _happen_to(self, call: Call, campaign: Campaign) -> None:
        self.random.choice((self._by_us, self._by_the_provider))(call)
        if call.provider_call_id and campaign.started_at is None:
            campaign.note_placed(placed_at=self.now, **self.stamp())
        self.record(call, campaign)

    def _by_us(self, call: Call) -> None:
        stamp, until = self.stamp(), self.now + timedelta(seconds=60)
        told: list[Callable[[], None]] = [
            lambda: call.request(dial_before=self.now, **stamp),
            lambda: call.request(dial_before=self.now, **stamp),
            lambda: call.renew_request(dial_before=self.now, **stamp),
            lambda: call.defer(reason="429", until=until, **stamp),
            lambda: call.lose_outcome(reason="timeout", **stamp),
            lambda: call.settle_absent(until=until, **stamp),
            lambda: call.refuse(
                self.random.choice(REFUSALS),
                words=self.words(),
                until=until,
                **stamp,
            ),
            lambda: call.time_out(reason="silence", **stamp),
            lambda: call.fail(reason="given up", **stamp),
            lambda: call.cancel(**stamp),
            lambda: call.request_hang_up(**stamp),
        ]
        self.random.choice(told)()

    def _by_the_provider(self, call: Call) -> None:
        stamp, at, evidence = self.stamp(), self.now, self.evidence()
        reason = self.random.choice(REASONS)
        cost = self.random.choice((None, Decimal("0.12"), Decimal("0.5")))
        grade = self.random.choice(list(ReportGrade)[1:])
        told: list[Callable[[], None]] = [
            lambda: self.place(call),
            lambda: self.place(call),
            lambda: call.ring(ringing_at=at, evidence=evidence, **stamp),
            lambda: call.answer(
                answered_at=self.random.choice((None, at)), evidence=evidence, **stamp
            ),
            lambda: call.end(
                reason=reason,
                ended_at=self.random.choice((None, at)),
                evidence=evidence,
                refusal=self.random.choice((None, *REFUSALS)),
                words=self.random.choice((None, self.words())),
                outcome=finding(self.random),
                **stamp,
            ),
            lambda: call.set_disposition(*disposition(self.random), **stamp),
            lambda: self.report(call, grade, cost, reason),
            lambda: call.confirm(provider_status="in-progress", **stamp),
            lambda: call.receive(
                type_="tool-calls", evidence=Evidence(self.id(), "digest"), **stamp
            ),
            lambda: call.suspect_duplicate(provider_call_id="rumour", **stamp),
            lambda: call.dismiss_duplicate(provider_call_id="rumour", **stamp),
            lambda: call.detect_duplicate(provider_call_id="other", **stamp),
        ]
        self.random.choice(told)()


def whole_life(random: Random, steps: int = 150) -> Life:
    """Return a random history with two campaigns, four lists and many calls."""
    life = Life(random)
    life.furnish()
    first, second = life.open_campaign(4), life.open_campaign(3)
    shared = life.id()
    early = life.fill_list(first, [life.id(), shared])
    life.fill_list(first, [shared, life.id()])  # Never counted in.
    life.go_on(steps // 2)
    if not first.over and first.contacts == early.starts_at:
        life.count_in(first, early, _named_by(life, early))
    life.group_rest(early)
    life.start(second) if not second.over and second.queued_at is None else None
    life.go_on(steps // 2)
    return life


def _named_by(life: Life, one: ContactList) -> list[UUID]:
    return [
        contact_id
        for event in life.events
        if isinstance(event, ContactList.RowsAccepted) and event.originator_id == one.id
        for contact_id in event.contact_ids
    ]
