"""The cost of calls by the UTC day of their claim, and the alerts about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import LiteralString
from uuid import UUID

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.settings import Settings
from domain.values import ZERO
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select, select_value
from projections.tables.row_operations import Columns, RowOperation, add, put
from storage.database import Conn

BY_DAY, ALERT, CHARGED = "spend_by_day", "spend_alert", "charged_calls"

TABLES = (
    Table(
        BY_DAY,
        ("day", "campaign_id"),
        """
    create table if not exists spend_by_day (
        day date not null,
        campaign_id uuid not null,
        spend numeric not null default 0,
        primary key (day, campaign_id)
    );
    """,
    ),
    Table(
        ALERT,
        ("position",),
        """
    create table if not exists spend_alert (
        position bigint primary key,
        raised_at timestamptz not null,
        campaign_id uuid,
        day date,
        alert text not null,
        spend numeric not null,
        budget numeric not null
    );
    """,
    ),
    Table(
        CHARGED,
        ("campaign_id",),
        """
    create table if not exists charged_calls (
        campaign_id uuid primary key,
        calls bigint not null default 0,
        seconds bigint not null default 0,
        cost numeric not null default 0
    );
    """,
        handler_version=2,
    ),
)


@handles(Call.Reported, Campaign.SpendAlertRaised, Settings.DailySpendAlertRaised)
def spend(event: object, position: int) -> Iterator[RowOperation]:
    """Return the changes of costs and alerts that an event causes."""
    match event:
        case Call.Reported():
            yield from _reported(event)
        case Campaign.SpendAlertRaised():
            yield _alert(event, position, campaign_id=event.originator_id)
        case Settings.DailySpendAlertRaised():
            yield _alert(event, position, day=event.day)


def _reported(event: Call.Reported) -> Iterator[RowOperation]:
    if event.cost is not None and event.cost != event.cost_was:
        key = (event.queued_at.astimezone(UTC).date(), event.campaign_id)
        yield put(BY_DAY, key)
        yield add(BY_DAY, key, spend=event.cost - (event.cost_was or ZERO))
    before, after = _charged_before(event), _charged_after(event)
    if before != after:
        changes = {name: after[name] - before[name] for name in after}
        yield put(CHARGED, event.campaign_id)
        yield add(CHARGED, event.campaign_id, **changes)


def _charged_after(event: Call.Reported) -> Columns:
    expected, seconds = event.cost_is_expected, event.duration_seconds
    return _charged(event.cost, seconds, counts=event.settled and not expected)


def _charged_before(event: Call.Reported) -> Columns:
    """Return what the call counted as before; release 1 stored no former duration."""
    if event.ranks is None and not event.awaited:
        return _charged_after(event)
    counts = not event.awaited and not event.cost_was_expected
    return _charged(event.cost_was, event.duration_seconds_was, counts=counts)


def _charged(cost: Decimal | None, seconds: int | None, *, counts: bool) -> Columns:
    """Return what one call counts: something only if it was charged and answered."""
    if not (counts and cost and seconds):
        return {"calls": 0, "seconds": 0, "cost": ZERO}
    return {"calls": 1, "seconds": seconds, "cost": cost}


def _alert(
    event: Campaign.SpendAlertRaised | Settings.DailySpendAlertRaised,
    position: int,
    *,
    campaign_id: UUID | None = None,
    day: date | None = None,
) -> RowOperation:
    return put(
        ALERT,
        position,
        raised_at=event.timestamp,
        campaign_id=campaign_id,
        day=day,
        alert=event.alert,
        spend=event.spend,
        budget=event.budget,
    )


@dataclass(frozen=True, slots=True)
class CampaignSpend:
    """The total cost of a campaign and its budget, in US dollars."""

    campaign_id: UUID
    name: str
    spend: Decimal
    budget: Decimal | None


_SPENT: LiteralString = (
    "select coalesce(sum(spend), 0) from spend_by_day where day = %(day)s"
)

_CAMPAIGNS: LiteralString = """
    select id as campaign_id, name, spend, budget from campaign_board
    where spend > 0 or budget is not null
    order by created_at desc, id desc
"""


def spent_on(conn: Conn, day: date) -> Decimal:
    """Return the cost in US dollars of the calls claimed on that UTC day."""
    return Decimal(select_value(conn, _SPENT, day=day))


def of_campaigns(conn: Conn) -> list[CampaignSpend]:
    """List the campaigns with a cost or a budget, newest first."""
    return select(conn, CampaignSpend, _CAMPAIGNS)
