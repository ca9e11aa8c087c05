"""The generated SQL gives a contact the status that the domain's rule gives it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.campaign_period import has_begun, has_ended
from domain.states import FINISHED
from domain.values import CampaignState, ContactStatus
from projections.tables.state_sql import (
    COUNTER,
    in_period_sql,
    is_finished_sql,
    literals,
    shown_counters_sql,
    shown_status_sql,
)
from tests.projections.store import Store

PENDING, CANCELED = ContactStatus.PENDING, ContactStatus.CANCELED


def evaluate(store: Store, expression: str, **columns: Any) -> tuple[Any, ...]:
    """Evaluate a select list over one row that has these columns."""
    names = ", ".join(columns)
    values = ", ".join(f"%({name})s" for name in columns)
    query = f"select {expression} from (values ({values})) as row ({names})"
    row = store.conn.execute(query.encode(), columns).fetchone()
    assert row is not None
    return tuple(row)


@pytest.mark.parametrize("expired_at", [None, "2026-03-01T12:00:00+00:00"])
@pytest.mark.parametrize("state", CampaignState)
def test_only_pending_contacts_of_a_canceled_or_expired_campaign_are_canceled(
    store: Store, state: CampaignState, expired_at: str | None
) -> None:
    for stored in ContactStatus:
        expression = shown_status_sql("status", "state")
        columns = {"state": state.value, "expired_at": expired_at}
        found = evaluate(store, expression, status=stored.value, **columns)
        ended = expired_at is not None or state is CampaignState.CANCELED
        assert found == (CANCELED if stored is PENDING and ended else stored,)


@pytest.mark.parametrize("expired_at", [None, "2026-03-01T12:00:00+00:00"])
@pytest.mark.parametrize("state", CampaignState)
def test_shown_counters_move_pending_to_canceled_when_the_waiting_is_over(
    store: Store, state: CampaignState, expired_at: str | None
) -> None:
    counts = {status: 10**number for number, status in enumerate(ContactStatus)}
    columns = {COUNTER[status]: count for status, count in counts.items()}
    row = {"state": state.value, "expired_at": expired_at, **columns}
    found = evaluate(store, shown_counters_sql(), **row)
    if expired_at is not None or state is CampaignState.CANCELED:
        counts[CANCELED] += counts[PENDING]
        counts[PENDING] = 0
    assert dict(zip(COUNTER.values(), found, strict=True)) == {
        COUNTER[status]: count for status, count in counts.items()
    }


def test_a_list_of_states_contains_each_state_once() -> None:
    assert literals(FINISHED) == "('CANCELED', 'COMPLETED', 'FAILED')"


def test_every_contact_status_has_one_counter() -> None:
    assert set(COUNTER) == set(ContactStatus)
    assert len(set(COUNTER.values())) == len(COUNTER)


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = (None, *(NOON + timedelta(seconds=seconds) for seconds in (-1, 0, 1)))


@pytest.mark.parametrize("ends_at", TIMES)
@pytest.mark.parametrize("starts_at", TIMES)
def test_the_period_of_a_campaign_is_the_one_of_the_domain(
    store: Store, starts_at: datetime | None, ends_at: datetime | None
) -> None:
    expression = in_period_sql("starts_at", "ends_at", "at")
    expected = has_begun(starts_at, NOON) and not has_ended(ends_at, NOON)
    query = (
        f"select {expression} from (values"
        " (%s::timestamptz, %s::timestamptz, %s::timestamptz))"
        " as row (starts_at, ends_at, at)"
    )
    row = store.conn.execute(query.encode(), (starts_at, ends_at, NOON)).fetchone()
    assert row == (expected,)


@pytest.mark.parametrize("planned_at", [None, "2026-03-01T12:00:00+00:00"])
@pytest.mark.parametrize("status", ContactStatus)
def test_a_contact_is_finished_if_its_call_is_over_and_no_other_is_planned(
    store: Store, status: ContactStatus, planned_at: str | None
) -> None:
    over = {"ENDED", "FAILED", "CANCELED", "TIMEOUT"}
    expression = is_finished_sql("status", "planned_at")
    found = evaluate(store, expression, status=status.value, planned_at=planned_at)
    assert found == (status.value in over and planned_at is None,)
