"""Random histories of campaigns, made by the domain's own classes."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from domain.calls.call import Call
from domain.calls.deferrals import DeferralReason
from domain.calls.reports import ReportGrade
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import SpendAlert
from domain.campaigns.campaign_terms import CALLED_ONCE
from domain.contacts.contact_list import ContactList, RejectCount
from domain.errors import Refused
from domain.states import NOT_FINISHED
from domain.values import Evidence, PauseCause, RefusalScope, SkipReason
from tests.projections.contact_steps import (
    ask_for_callback,
    finish_call,
    happen_to_contact,
    random_terms,
    record_with_consequences,
)
from tests.projections.installation import furnish, register
from tests.projections.lives import Life
from tests.projections.reported import REASONS, REFUSALS, disposition, finding


class RandomSteps:
    """Random steps of a history.

    Without `with_plans`, no call is planned, nothing is recorded on contacts, and no
    campaign expires, is completed or fails.
    """

    def __init__(self, life: Life, *, with_plans: bool = True) -> None:
        self.life, self.random, self.with_plans = life, life.random, with_plans

    def go_on(self, steps: int) -> None:
        """Take random steps; those that the domain refuses change nothing."""
        life = self.life
        for _ in range(steps):
            campaign = self.random.choice(life.campaigns)
            with suppress(Refused):
                self._step(campaign)

    def _step(self, campaign: Campaign) -> None:
        life, chance = self.life, self.random.random
        calls = [c for id_ in life.contacts[campaign.id] for c in life.calls[id_]]
        if not calls or chance() < 0.15:
            life.claim(campaign, 2, self.random.choice((None, 1, 2)))
        elif chance() < 0.15:
            self._lead(campaign)
        elif self.with_plans and chance() < 0.1:
            self._complete(campaign)
        elif self.with_plans and chance() < 0.2:
            happen_to_contact(life, campaign)
        elif self.with_plans and chance() < 0.15:
            finish_call(life, self.random.choice(calls), campaign)
        elif self.with_plans and chance() < 0.02:
            life.now += timedelta(hours=25)
        else:
            self._happen_to(self.random.choice(calls), campaign)

    def _lead(self, campaign: Campaign) -> None:
        life, stamp, spend = self.life, self.life.stamp(), Decimal(40)
        commands: list[Callable[[], None]] = [
            lambda: campaign.start(**stamp),
            lambda: campaign.pause(
                cause=PauseCause.PERSON, reason=life.words(), **stamp
            ),
            lambda: campaign.pause(
                cause=PauseCause.ACCOUNT,
                scope=self.random.choice((None, *RefusalScope)),
                reason=life.words(),
                **stamp,
            ),
            lambda: campaign.resume(**stamp),
            lambda: campaign.note_placed(placed_at=life.now, **stamp),
            lambda: campaign.note_ringing(**stamp),
            lambda: campaign.raise_spend_alert(
                alert=SpendAlert.LIMIT,
                spend=spend,
                budget=campaign.budget or spend,
                **stamp,
            ),
            lambda: self._change(campaign),
            lambda: self._end(campaign),
        ]
        if self.with_plans:
            commands += [lambda: campaign.expire(**stamp)] * 3
            commands += [lambda: self._note_assistant(campaign)] * 3
        self.random.choice(commands)()
        life.record(campaign)

    def _note_assistant(self, campaign: Campaign) -> None:
        version, digest = (
            self.random.choice((None, None, "v1")),
            self.random.choice("ab"),
        )
        stamp = self.life.stamp()
        campaign.note_assistant("a-1", version=version, digest=digest, **stamp)

    def _complete(self, campaign: Campaign) -> None:
        """Complete the campaign if every contact is finished."""
        life = self.life
        standings = {life.status_of(id_) for id_ in life.contacts[campaign.id]}
        if standings.isdisjoint(NOT_FINISHED):
            campaign.complete(**life.stamp())
            life.record(campaign)

    def _end(self, campaign: Campaign) -> None:
        """Cancel the campaign; with plans, let most of them go on, or fail some."""
        if not self.with_plans or self.random.random() < 0.2:
            campaign.cancel(hang_up=True, **self.life.stamp())
        elif self.random.random() < 0.1:
            campaign.fail(reason=self.life.words(), **self.life.stamp())

    def _change(self, campaign: Campaign) -> None:
        campaign.change(
            name=self.random.choice(("One", "Two")),
            cap=self.random.randint(1, 9),
            line_quiet_gating=True,
            budget=None,
            terms=random_terms(self.life) if self.with_plans else None,
            **self.life.stamp(),
        )

    def _happen_to(self, call: Call, campaign: Campaign) -> None:
        life = self.life
        if self.with_plans and self.random.random() < 0.1:
            ask_for_callback(life, call)
        else:
            self.random.choice((self._by_us, self._by_the_provider))(call)
        if call.provider_call_id and campaign.started_at is None:
            campaign.note_placed(placed_at=life.now, **life.stamp())
        if self.with_plans:
            record_with_consequences(life, call, campaign)
        life.record(call, campaign)

    def _by_us(self, call: Call) -> None:
        life, stamp = self.life, self.life.stamp()
        until = life.now + timedelta(seconds=60)
        commands: list[Callable[[], None]] = [
            lambda: call.request(dial_before=life.now, **stamp),
            lambda: call.request(dial_before=life.now, **stamp),
            lambda: call.renew_request(dial_before=life.now, **stamp),
            lambda: call.defer(reason=DeferralReason.NOT_NOW, until=until, **stamp),
            lambda: call.lose_outcome(reason="timeout", **stamp),
            lambda: call.settle_absent(until=until, **stamp),
            lambda: call.refuse(
                self.random.choice(REFUSALS),
                explanation=life.words(),
                until=until,
                **stamp,
            ),
            lambda: call.time_out(reason="silence", **stamp),
            lambda: call.fail(reason="given up", **stamp),
            lambda: call.cancel(**stamp),
            lambda: call.request_hang_up(**stamp),
        ]
        self.random.choice(commands)()

    def _by_the_provider(self, call: Call) -> None:
        life, stamp = self.life, self.life.stamp()
        at, evidence = life.now, life.evidence()
        reason = self.random.choice(REASONS)
        cost = self.random.choice((None, Decimal("0.12"), Decimal("0.5")))
        grade = self.random.choice(list(ReportGrade)[1:])
        commands: list[Callable[[], None]] = [
            lambda: life.place_unrecorded(call),
            lambda: life.place_unrecorded(call),
            lambda: call.place(
                provider_call_id=f"asked-{call.id}", placed_at=at, **stamp
            ),
            lambda: call.ring(ringing_at=at, evidence=evidence, **stamp),
            lambda: call.answer(
                answered_at=self.random.choice((None, at)), evidence=evidence, **stamp
            ),
            lambda: call.end(
                reason=reason,
                ended_at=self.random.choice((None, at)),
                evidence=evidence,
                refusal=self.random.choice((None, *REFUSALS)),
                explanation=self.random.choice((None, life.words())),
                outcome=finding(self.random),
                **stamp,
            ),
            lambda: call.set_disposition(*disposition(self.random), **stamp),
            lambda: life.report_unrecorded(call, grade, cost, reason),
            lambda: call.confirm(provider_status="in-progress", **stamp),
            lambda: call.receive(
                type_="tool-calls", evidence=Evidence(life.id(), "digest"), **stamp
            ),
            lambda: call.suspect_duplicate(provider_call_id="rumour", **stamp),
            lambda: call.dismiss_duplicate(provider_call_id="rumour", **stamp),
            lambda: call.detect_duplicate(provider_call_id="other", **stamp),
        ]
        self.random.choice(commands)()


def whole_life(random: Random, steps: int = 150, *, with_plans: bool = True) -> Life:
    """Return a random history with two campaigns, four lists and many calls.

    `with_plans` is as for `RandomSteps`.
    """
    life = Life(random)
    settings = furnish(life)
    going = RandomSteps(life, with_plans=with_plans)
    first, second = (
        life.open_campaign(contacts, random_terms(life) if with_plans else CALLED_ONCE)
        for contacts in (4, 3)
    )
    register(life, settings)
    shared = life.id()
    early = life.fill_list(first, [life.id(), shared])
    early.count_rejects((RejectCount(SkipReason.MISSING_NAME, 2),), **life.stamp())
    life.record(early)
    life.fill_list(first, [shared, life.id()])  # Never counted in.
    if with_plans:
        life.start(first)
    going.go_on(steps // 2)
    is_open = not first.over and first.expired_at is None
    if is_open and first.contacts == early.starts_at:
        life.count_in(first, early, _named_by(life, early))
    life.group_rest(early)
    with suppress(Refused):
        if second.queued_at is None:
            life.start(second)
    going.go_on(steps // 2)
    return life


def _named_by(life: Life, one: ContactList) -> list[UUID]:
    return [
        contact_id
        for event in life.events
        if isinstance(event, ContactList.RowsAccepted) and event.originator_id == one.id
        for contact_id in event.contact_ids
    ]
