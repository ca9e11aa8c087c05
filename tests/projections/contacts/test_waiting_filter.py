"""The contact list filtered by the reason for which contacts wait."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from uuid import UUID

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from domain.contacts.contact_history import PlanKind
from domain.gate.groups import ContactGroup
from domain.gate.permit import Decision, Granted, Wait
from domain.planning.waiting import own_reason
from domain.values import ContactStatus, WaitingCode
from projections.contacts import contact_log
from projections.contacts.contact_filters import ContactFilters, WaitingFilter
from projections.contacts.contact_row import ContactRow
from tests.examples import examples
from tests.projections.contacts.test_contact_groups import project
from tests.projections.dialing.dial_scene import PERMIT
from tests.projections.dialing.test_dial_groups import empty
from tests.projections.lives import GROUPS, Life
from tests.projections.random_lives import whole_life
from tests.projections.store import Store

SOME = examples(
    8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
OF_GATE = (WaitingCode.OUTSIDE_HOURS, WaitingCode.NO_RULES)
DEFERRED = (None, WaitingCode.FREQUENCY_CAP, WaitingCode.OUTSIDE_HOURS)


def put_off_some(store: Store, life: Life, random: Random) -> None:
    """Plan or defer some of the contacts, before and after the present time."""
    times = [None, *(life.now + timedelta(hours=hours) for hours in (-1, 0, 1))]
    for ids in life.contacts.values():
        for contact_id in ids:
            planned_at, due_at = random.choice(times), random.choice(times)
            values = (
                planned_at,
                random.choice(list(PlanKind)) if planned_at else None,
                due_at,
                random.choice(DEFERRED) if due_at else None,
                contact_id,
            )
            store.conn.execute(
                "update contact_log set planned_at = %s, planned_kind = %s,"
                " due_at = %s, deferred_code = %s where contact_id = %s",
                values,
            )


def listed(
    store: Store, campaign_id: UUID, filters: ContactFilters, most: int
) -> list[UUID]:
    """Read all pages, and check that each has the total of all."""
    found: list[UUID] = []
    totals: set[int | None] = set()
    after = None
    while True:
        page = contact_log.page(
            store.conn, campaign_id, first=most, after=after, filters=filters
        )
        found += [one.id for one in page.nodes]
        totals.add(page.total)
        if not page.has_next:
            assert totals == {len(found)}
            return found
        after = page.end_cursor


@SOME
@given(
    seed=st.integers(0, 2**32),
    closed=st.dictionaries(st.sampled_from([*GROUPS, None]), st.sampled_from(OF_GATE)),
    shared=st.sampled_from([None, WaitingCode.CAP_FULL]),
    most=st.integers(1, 3),
)
def test_each_code_lists_exactly_the_contacts_that_wait_for_it(
    store: Store,
    seed: int,
    closed: Mapping[ContactGroup | None, WaitingCode],
    shared: WaitingCode | None,
    most: int,
) -> None:
    life = whole_life(Random(seed))
    empty(store)
    project(store, life, 500)
    put_off_some(store, life, Random(seed))

    def decide(group: ContactGroup | None) -> Decision:
        return Wait(closed[group]) if group in closed else Granted(PERMIT)

    def code_of(row: ContactRow) -> WaitingCode | None:
        if row.status is not ContactStatus.PENDING:
            return None
        own = own_reason(
            planned_kind=row.planned_kind,
            planned_at=row.next_attempt_at,
            deferred_until=row.deferred_until,
            deferred_code=row.deferred_code,
            now=life.now,
        )
        return own or closed.get(life.groups[row.id]) or shared

    for campaign_id in life.contacts:
        everybody = contact_log.page(store.conn, campaign_id, first=500).nodes
        codes = {row.id: code_of(row) for row in everybody}
        for code in WaitingCode:
            waiting = WaitingFilter([code], life.now, decide, shared)
            found = listed(store, campaign_id, ContactFilters(waiting=waiting), most)
            assert found == [id_ for id_ in codes if codes[id_] is code]
        both = WaitingFilter(OF_GATE, life.now, decide, shared)
        found = listed(store, campaign_id, ContactFilters(waiting=both), most)
        assert found == [id_ for id_ in codes if codes[id_] in OF_GATE]
        nothing = WaitingFilter([], life.now, decide, shared)
        assert not listed(store, campaign_id, ContactFilters(waiting=nothing), most)
