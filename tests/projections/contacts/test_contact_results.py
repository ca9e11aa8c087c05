"""Outcomes and dispositions of contacts, counted and as filters of the list."""

from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

import pytest

from domain.calls.call import Call
from domain.calls.reports import OutcomeBasis, OutcomeFinding, Report, ReportGrade
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.outcomes import (
    CallOutcome,
    Disposition,
    DispositionSource,
    ReportedOutcome,
    Withheld,
)
from domain.values import ContactStatus, Refusal, RefusalKind
from projections.contacts import contact_filters, contact_log, contact_results
from projections.contacts.contact_filters import ContactFilters
from projections.contacts.contact_results import Funnel
from projections.engine.runner import catch_up
from tests.projections.lives import Life
from tests.projections.store import Store

PLATFORM = Refusal(RefusalKind.PLATFORM, None, "fault")
PICKED_UP = ["HUMAN", "DROPPED_EARLY", "VOICEMAIL", "SCREENED", "SILENT"]


@pytest.fixture
def life() -> Life:
    return Life(Random(0))


def show(store: Store, life: Life) -> None:
    store.append(life.events)
    catch_up(store.conn)


def finish(life: Life, call: Call, outcome: CallOutcome | None, **own: Any) -> None:
    """Place a call and end it with an outcome; None leaves it under way."""
    life.request(call)
    life.place(call)
    if outcome is not None:
        finding = OutcomeFinding(
            ReportedOutcome(outcome, "rule"), OutcomeBasis.DECISIVE
        )
        call.report(
            Report(grade=ReportGrade.DELIVERED, reason="any", outcome=finding),
            evidence=None,
            **life.stamp(),
            **own,
        )
    life.record(call)


def dispose(
    life: Life, campaign: Campaign, contact_id: UUID, to: Disposition | None
) -> None:
    contact = Contact.unrecorded(contact_id, campaign.id, life.now)
    was = ContactStatus.PENDING
    contact.dispose(to, note=life.words(), was=was, **life.stamp())
    life.record(contact)


def called_again(life: Life, contact_id: UUID) -> Call:
    """Return the second call to a contact whose first one was refused."""
    calls = life.calls[contact_id]
    finish(life, calls[0], CallOutcome.NOT_STARTED, refusal=PLATFORM)
    second = Call.create(
        campaign_id=calls[0].campaign_id,
        contact_id=contact_id,
        attempt=2,
        claim_id=life.id(),
        batch=None,
        previous=calls[0],
        **life.stamp(),
    )
    calls.append(second)
    life.record(second)
    return second


def test_a_contact_has_the_outcome_of_its_latest_finished_call(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(3)
    life.claim(campaign, 3)
    done, under_way, once = life.contacts[campaign.id]
    finish(life, called_again(life, done), CallOutcome.BUSY)
    finish(life, called_again(life, under_way), None)
    finish(life, life.calls[once][0], CallOutcome.VOICEMAIL)
    show(store, life)
    found = contact_results.of_contacts(store.conn, life.contacts[campaign.id])
    assert {id_: found[id_].outcome for id_ in found} == {
        done: CallOutcome.BUSY,
        under_way: CallOutcome.NOT_STARTED,
        once: CallOutcome.VOICEMAIL,
    }
    counts = contact_results.outcome_counts(store.conn, campaign.id)
    assert [(one.outcome, one.calls, one.contacts) for one in counts] == [
        (CallOutcome.VOICEMAIL, 1, 1),
        (CallOutcome.BUSY, 1, 1),
        (CallOutcome.NOT_STARTED, 2, 1),
    ]


def test_a_better_report_moves_a_call_from_one_outcome_to_the_other(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(1)
    life.claim(campaign, 1)
    call = life.calls[life.contacts[campaign.id][0]][0]
    finish(life, call, CallOutcome.HUMAN)
    finding = OutcomeFinding(
        ReportedOutcome(CallOutcome.SCREENED, "r"), OutcomeBasis.DECISIVE
    )
    better = Report(
        grade=ReportGrade.DELIVERED, reason="x", has_transcript=True, outcome=finding
    )
    call.report(better, evidence=None, **life.stamp())
    life.record(call)
    show(store, life)
    counts = contact_results.outcome_counts(store.conn, campaign.id)
    assert [(one.outcome, one.calls, one.contacts) for one in counts] == [
        (CallOutcome.SCREENED, 1, 1)
    ]


def test_a_members_disposition_replaces_that_of_the_calls_even_if_it_is_cleared(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(4)
    life.claim(campaign, 3)
    ids = life.contacts[campaign.id]
    for contact_id in ids[:3]:
        call = life.calls[contact_id][0]
        finish(life, call, CallOutcome.HUMAN)
        goal, source = Disposition.GOAL_REACHED, DispositionSource.OUTPUT
        call.set_disposition(goal, source, **life.stamp())
        life.record(call)
    dispose(life, campaign, ids[1], Disposition.WRONG_PERSON)
    dispose(life, campaign, ids[2], None)
    dispose(life, campaign, ids[3], Disposition.OPTED_OUT)
    show(store, life)
    found = contact_results.of_contacts(store.conn, ids)
    assert [found[id_].disposition for id_ in ids] == [
        Disposition.GOAL_REACHED,
        Disposition.WRONG_PERSON,
        None,
        Disposition.OPTED_OUT,
    ]
    assert [found[id_].note_words_id is not None for id_ in ids] == [
        *(False, True, True, True)
    ]
    assert contact_results.funnel(store.conn, campaign.id) == Funnel(
        *(4, 3, 3, 3, 1, 0, 1)
    )


# --- Against an oracle in Python ------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_counts_funnel_and_filters_agree_with_the_calls_themselves(
    store: Store, seed: int
) -> None:
    life, random = Life(Random(seed)), Random(seed)
    campaign = life.open_campaign(12)
    life.claim(campaign, 10)
    ids = life.contacts[campaign.id]
    by_hand: dict[UUID, Disposition | None] = {}
    for contact_id in ids[:10]:
        call = life.calls[contact_id][0]
        if random.random() < 0.4:
            call = called_again(life, contact_id)
        finish(life, call, random.choice((None, *CallOutcome)))
        if random.random() < 0.5:
            source = random.choice((DispositionSource.OUTPUT, DispositionSource.TOOL))
            to = random.choice(list(Disposition))
            call.set_disposition(to, source, **life.stamp())
            life.record(call)
    for contact_id in random.sample(ids, 4):
        by_hand[contact_id] = random.choice((None, *Disposition))
        dispose(life, campaign, contact_id, by_hand[contact_id])
    show(store, life)
    _check(store, life, campaign, by_hand)


def _check(
    store: Store,
    life: Life,
    campaign: Campaign,
    by_hand: dict[UUID, Disposition | None],
) -> None:
    ids = life.contacts[campaign.id]
    calls = {id_: life.calls[id_] for id_ in ids}
    finished = {
        id_: [one for one in calls[id_] if one.outcome is not None] for id_ in ids
    }
    outcome = {id_: finished[id_][-1].outcome if finished[id_] else None for id_ in ids}
    disposition = {
        id_: by_hand[id_]
        if id_ in by_hand
        else next((c.disposition for c in reversed(calls[id_]) if c.disposition), None)
        for id_ in ids
    }
    counts = contact_results.outcome_counts(store.conn, campaign.id)
    assert {c.outcome: (c.calls, c.contacts) for c in counts} == {
        one: (number, list(outcome.values()).count(one))
        for one, number in Counter(c.outcome for cs in finished.values() for c in cs)
        .items()
    }  # fmt: skip
    human = [id_ for id_ in ids if _any(calls[id_], "HUMAN", "DROPPED_EARLY")]
    chosen = list(disposition.values())
    assert contact_results.funnel(store.conn, campaign.id) == Funnel(
        contacts=len(ids),
        dialed=sum(any(c.placed_at for c in calls[id_]) for id_ in ids),
        answered=sum(_any(calls[id_], *PICKED_UP) for id_ in ids),
        human=len(human),
        goal=sum(disposition[id_] is Disposition.GOAL_REACHED for id_ in human),
        withheld=0,
        opted_out=chosen.count(Disposition.OPTED_OUT),
    )
    for one in CallOutcome:
        expected = [id_ for id_ in ids if outcome[id_] is one]
        assert _listed(store, campaign, ContactFilters(outcomes=[one])) == expected
    for meant in Disposition:
        both = ContactFilters([CallOutcome.HUMAN, CallOutcome.BUSY], [meant])
        assert _listed(store, campaign, both) == [
            id_
            for id_ in ids
            if disposition[id_] is meant and outcome[id_] in {"HUMAN", "BUSY"}
        ]


def _any(calls: list[Call], *outcomes: str) -> bool:
    return any(call.placed_at and call.outcome in outcomes for call in calls)


def _listed(store: Store, campaign: Campaign, filters: ContactFilters) -> list[UUID]:
    """Page through the list two at a time, and check the total."""
    found: list[UUID] = []
    after = None
    while True:
        page = contact_log.page(
            store.conn, campaign.id, first=2, after=after, filters=filters
        )
        found += [one.id for one in page.nodes]
        if not page.has_next:
            assert page.total == len(found)
            return found
        after = page.end_cursor


def test_filters_by_outcome_apply_to_statuses_as_well(store: Store, life: Life) -> None:
    campaign = life.open_campaign(2)
    life.claim(campaign, 2)
    ended, again = life.contacts[campaign.id]
    finish(life, life.calls[ended][0], CallOutcome.NOT_STARTED)
    finish(life, life.calls[again][0], CallOutcome.NOT_STARTED, refusal=PLATFORM)
    show(store, life)
    filters = ContactFilters(outcomes=[CallOutcome.NOT_STARTED])
    page = contact_log.page(
        store.conn,
        campaign.id,
        first=9,
        statuses=[ContactStatus.PENDING],
        filters=filters,
    )
    assert ([one.id for one in page.nodes], page.total) == ([again], 1)


def test_withheld_contacts_are_counted_and_found_by_the_reason(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(3)
    first, second, waiting = life.contacts[campaign.id]
    for contact_id, why in ((first, Withheld.REMOVED), (second, Withheld.SUPPRESSED)):
        contact = Contact.unrecorded(contact_id, campaign.id, life.now)
        pending = ContactStatus.PENDING
        contact.withhold(why, was=pending, last_attempt=0, **life.stamp())
        life.record(contact)
    show(store, life)
    funnel = contact_results.funnel(store.conn, campaign.id)
    assert funnel is not None
    assert (funnel.contacts, funnel.withheld) == (3, 2)
    removed = ContactFilters(withheld=[Withheld.REMOVED])
    assert _listed(store, campaign, removed) == [first]
    update = "update campaign_board set expired_at = now() where id = %s"
    store.conn.execute(update, (campaign.id,))
    expired = ContactFilters(withheld=[Withheld.EXPIRED])
    assert _listed(store, campaign, expired) == [waiting]
    funnel = contact_results.funnel(store.conn, campaign.id)
    assert funnel is not None
    assert funnel.withheld == 3


def test_an_empty_list_of_outcomes_matches_nobody(store: Store, life: Life) -> None:
    campaign = life.open_campaign(1)
    show(store, life)
    assert _listed(store, campaign, ContactFilters(outcomes=[])) == []
    assert len(_listed(store, campaign, contact_filters.NO_FILTERS)) == 1
