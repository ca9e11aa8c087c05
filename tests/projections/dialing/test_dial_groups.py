"""Candidates and counts of a campaign by the groups of its contacts."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from psycopg import sql

from domain.dial_view import CampaignView
from domain.gate.groups import ContactGroup
from domain.gate.permit import Decision, Granted, Wait
from domain.values import ContactStatus, WaitingCode
from projections.dial_snapshot import snapshot
from projections.engine.schema import TABLES
from tests.examples import examples
from tests.projections.contacts.test_contact_groups import project
from tests.projections.dialing.dial_scene import PERMIT, Scene
from tests.projections.lives import GROUPS, Life
from tests.projections.random_lives import whole_life
from tests.projections.store import Store

LATER = datetime(2026, 4, 1, tzinfo=UTC)
CLOSED = Wait(WaitingCode.OUTSIDE_HOURS, LATER)
SOME = examples(
    8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Deciding:
    """Allows the groups `allowed`, and counts how often it is asked for each."""

    def __init__(self, allowed: set[ContactGroup]) -> None:
        self.allowed, self.asked = allowed, Counter[object]()

    def __call__(
        self, campaign: object, _: object, group: ContactGroup | None, __: datetime
    ) -> Decision:
        self.asked[campaign, group] += 1
        return Granted(PERMIT) if group in self.allowed else CLOSED


def empty(store: Store) -> None:
    names = sql.SQL(", ").join(sql.Identifier(table.name) for table in TABLES)
    store.conn.execute(sql.SQL("truncate {}").format(names))


def waiting(life: Life, view: CampaignView) -> list[ContactGroup | None]:
    return [
        life.groups[id_]
        for id_ in life.contacts[view.id]
        if life.status_of(id_) is ContactStatus.PENDING
    ]


@SOME
@given(seed=st.integers(0, 2**32), closed=st.sets(st.sampled_from(GROUPS)))
def test_candidates_are_the_first_contacts_of_open_groups(
    store: Store, seed: int, closed: set[ContactGroup]
) -> None:
    """Planned calls have an order of their own, so the histories contain none."""
    life = whole_life(Random(seed), with_plans=False)
    decide = Deciding({*GROUPS} - closed)
    now = life.now + timedelta(days=1)  # All deferred contacts are due.
    empty(store)
    project(store, life, 500)
    views = snapshot(store.conn, now, 100, decide).campaigns
    few = {one.id: one for one in snapshot(store.conn, now, 2, decide).campaigns}
    for view in views:
        if not view.groups:
            continue
        expected = [
            id_
            for id_ in life.contacts[view.id]
            if life.groups[id_] in decide.allowed
            and life.status_of(id_) is ContactStatus.PENDING
        ]
        assert [one.contact_id for one in view.candidates] == expected
        assert few[view.id].candidates == view.candidates[:2]
        kinds = {one.group_id: one.group for one in view.groups}
        assert {kinds[one.group_id] for one in view.candidates} <= decide.allowed
        assert {one.group for one in view.groups} == {*waiting(life, view)}


def test_the_gate_is_asked_once_for_each_group(scene: Scene) -> None:
    scene.view()
    decide = Deciding({*GROUPS})
    view, *_ = snapshot(scene.store.conn, scene.life.now, 1, decide).campaigns
    assert {*decide.asked.values()} == {1}
    assert len(decide.asked) == len(view.groups) == len({*waiting(scene.life, view)})


def test_the_gates_refusal_of_a_request_is_counted_by_its_code(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    until = scene.life.now + timedelta(hours=2)
    call.wait(WaitingCode.FREQUENCY_CAP, until=until, **scene.life.stamp())
    scene.record(call)
    (refused,) = scene.view().deferred_by_gate
    assert (refused.code, refused.contacts) == (WaitingCode.FREQUENCY_CAP, 1)
    assert refused.until == until
    assert scene.view(until).deferred_by_gate == ()
