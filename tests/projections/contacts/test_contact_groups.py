"""The number of contacts that wait in each group, after random histories."""

from collections import Counter
from datetime import UTC, datetime
from itertools import batched, product
from random import Random
from typing import LiteralString
from uuid import uuid4

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from domain.gate.groups import NOT_PLACED, ContactGroup
from domain.values import ContactStatus
from projections.contacts.contact_groups import FRESH, group_from
from projections.engine.row_writer import Writer
from projections.engine.schema import HANDLERS
from projections.tables.row_operations import fold, writes
from tests.examples import examples
from tests.projections.lives import GROUPS, Life
from tests.projections.memory import projected
from tests.projections.random_lives import whole_life
from tests.projections.store import Store

SOME = examples(
    8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def project(store: Store, life: Life, size: int) -> None:
    """Write the read tables in batches of `size` events, in one transaction."""
    writer = Writer(store.conn)
    for batch in batched(enumerate(life.events, start=1), size):
        operations = (
            operation
            for position, event in batch
            for handler in HANDLERS
            for operation in handler(event, position)
        )
        writer.write(writes(fold(operations)))


def counted(store: Store) -> dict[tuple[object, int], tuple[int, int, int]]:
    rows = store.conn.execute(
        "select list_id, group_id, contacts, pending, fresh from contact_group_count"
    )
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows if any(row[2:])}


@SOME
@given(seed=st.integers(0, 2**32), size=st.integers(1, 400))
def test_the_counters_of_each_group_are_those_of_its_contacts(
    store: Store, seed: int, size: int
) -> None:
    """The expected counts come from rows in memory, without Postgres' triggers."""
    life = whole_life(Random(seed))
    contacts: Counter[tuple[object, int]] = Counter()
    pending, fresh = contacts.copy(), contacts.copy()
    for (_, list_id), row in projected(life.events).tables["contact_log"].items():
        key = list_id, row.get("group_id", NOT_PLACED)
        contacts[key] += 1
        if row.get("status", ContactStatus.PENDING) == ContactStatus.PENDING:
            pending[key] += 1
            unplanned = row.get("planned_at") is None and row.get("due_at") is None
            fresh[key] += unplanned
    with store.conn.transaction(force_rollback=True):
        project(store, life, size)
        assert counted(store) == {
            key: (contacts[key], pending[key], fresh[key]) for key in contacts
        }


@SOME
@given(seed=st.integers(0, 2**32), size=st.integers(1, 400))
def test_the_pending_contacts_of_each_group_are_those_of_the_aggregates(
    store: Store, seed: int, size: int
) -> None:
    life = whole_life(Random(seed))
    waiting: Counter[ContactGroup | None] = Counter(
        life.groups[id_]
        for campaign in life.campaigns
        for id_ in life.contacts[campaign.id]
        if life.status_of(id_) is ContactStatus.PENDING
    )
    with store.conn.transaction(force_rollback=True):
        project(store, life, size)
        rows = store.conn.execute(
            "select g.codes, g.zones, g.source, g.has_consent, sum(n.pending)::int"
            " from contact_group_count n join contact_import i using (list_id)"
            " left join contact_group g using (group_id)"
            " where i.imported_position is not null group by 1, 2, 3, 4"
        )
        found = {group_from(group): pending for *group, pending in rows if pending}
    assert found == waiting


def test_triggers_and_index_find_the_contacts_that_the_queries_take(
    store: Store,
) -> None:
    """The three conditions are written in three places, of which two are stored."""
    times = (None, datetime(2026, 3, 1, tzinfo=UTC))
    kinds = list(product(ContactStatus, times, times))
    with store.conn.transaction(force_rollback=True):
        for status, planned_at, due_at in kinds:
            ids = uuid4(), uuid4(), uuid4()
            store.conn.execute(
                "insert into contact_log (contact_id, list_id, campaign_id, seq,"
                " status, planned_at, due_at) values (%s, %s, %s, 1, %s, %s, %s)",
                (*ids, status.value, planned_at, due_at),
            )
        taken = store.conn.execute(
            f"select k.list_id from contact_log k where {FRESH}"
        ).fetchall()
        counted_ones = store.conn.execute(
            "select list_id from contact_group_count where fresh > 0"
        ).fetchall()
        store.conn.execute(
            f"create index same_contacts on contact_log (seq) where {of_index(FRESH)}"
        )
        conditions = store.conn.execute(
            "select distinct pg_get_expr(i.indpred, i.indrelid) from pg_index i"
            " where i.indexrelid in ('contact_log_fresh'::regclass,"
            " 'same_contacts'::regclass)"
        ).fetchall()
    assert 0 < len(taken) < len(kinds)
    assert sorted(taken) == sorted(counted_ones)
    assert len(conditions) == 1


def of_index(condition: LiteralString) -> LiteralString:
    return condition.replace("k.", "")


def test_each_group_has_an_id_of_its_own_that_never_changes() -> None:
    """The ids are keys of read tables: another id needs a rebuild."""
    assert [group.id for group in GROUPS] == [
        -3326155433609629994,
        -2128392478009244520,
        6455880238685058386,
        -5293766978478471537,
    ]
