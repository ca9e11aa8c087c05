"""Alerts: budgets, duplicates, unknown reasons, failing webhooks, upgrades."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

from domain.calls.costs import expected_per_call
from domain.states import MAY_DIAL
from projections import spend
from projections.tables.checkpoint import one_snapshot
from projections.tables.queries import select
from projections.tables.state_sql import literals
from storage.database import Conn


class AlertKind(StrEnum):
    """Kinds of alerts, as the outgoing notifications name them."""

    SPEND_THRESHOLD = "spend_threshold"
    SPEND_LIMIT = "spend_limit"
    DUPLICATE_DETECTED = "duplicate_detected"
    DUPLICATE_SUSPECTED = "duplicate_suspected"
    UNKNOWN_REASON = "unknown_reason"
    WEBHOOK_DISABLED = "webhook_disabled"
    RULES_APPLIED = "rules_applied"
    ASSISTANT_CHANGED = "assistant_changed"


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert, from its event at `position`; amounts in US dollars.

    It concerns a campaign, the daily budget of all campaigns for `day` (UTC), the ended
    reason `reason`, or the webhook endpoint at the host `reason`.
    """

    position: int
    raised_at: datetime
    kind: AlertKind
    campaign_id: UUID | None
    campaign_name: str | None
    day: date | None
    spend: Decimal | None
    budget: Decimal | None
    reason: str | None = None

    @property
    def message(self) -> str:
        """The alert as a sentence for people."""
        return _MESSAGES[self.kind, self.day is None].format(
            name=self.campaign_name,
            spend=_money(self.spend),
            budget=_money(self.budget),
            day=self.day,
            reason=self.reason,
        )


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


_MESSAGES = {
    (AlertKind.SPEND_THRESHOLD, True): (
        'Campaign "{name}" has spent {spend} of its budget of {budget} US dollars.'
    ),
    (AlertKind.SPEND_LIMIT, True): (
        'The budget of campaign "{name}" is spent: {spend} of {budget} US dollars.'
        " Raise it, then resume."
    ),
    (AlertKind.SPEND_THRESHOLD, False): (
        "All campaigns together have spent {spend} of the day's budget of {budget}"
        " US dollars ({day}, UTC)."
    ),
    (AlertKind.SPEND_LIMIT, False): (
        "The day's budget is spent: {spend} of {budget} US dollars ({day})."
        " Dialling continues after midnight UTC."
    ),
    (AlertKind.DUPLICATE_DETECTED, True): (
        'A call of campaign "{name}" was found twice at the provider. Nothing more is'
        " requested until an admin has checked it and allows requests again."
    ),
    (AlertKind.DUPLICATE_SUSPECTED, True): (
        'A webhook names a second call for a call of campaign "{name}". The campaign is'
        " paused and the provider is asked; other campaigns continue."
    ),
    (AlertKind.RULES_APPLIED, True): (
        'Campaign "{name}" obeys the calling rules and frequency caps since this'
        " upgrade. Its contacts wait while they may not be called."
    ),
    (AlertKind.ASSISTANT_CHANGED, True): (
        'The assistant of campaign "{name}" was changed while the campaign runs. Calls'
        " from now on use the changed assistant. Pause the campaign to prevent that."
    ),
    (AlertKind.UNKNOWN_REASON, True): (
        'Calls end with the reason "{reason}", which this version of AutoLynx does not'
        " know. Their outcome is UNKNOWN, and their contacts are not called again."
    ),
    (AlertKind.WEBHOOK_DISABLED, True): (
        "The webhook endpoint at {reason} is disabled: no delivery has succeeded for"
        " three days. Correct the receiver, then enable the endpoint."
    ),
}

_AFTER: LiteralString = """
    select a.position, a.raised_at, 'spend_' || a.alert as kind, a.campaign_id,
        c.name as campaign_name, a.day, a.spend, a.budget, null as reason
    from spend_alert a left join campaign_board c on c.id = a.campaign_id
    where a.position > %(after)s
    union all
    select e.position, e.occurred_at, split_part(e.type, '.', 2), e.campaign_id, c.name,
        null, null, null, null
    from event_index e left join campaign_board c on c.id = e.campaign_id
    where e.type in ('call.duplicate_detected', 'call.duplicate_suspected',
            'campaign.assistant_changed')
        and e.position > %(after)s
    union all
    select e.position, e.occurred_at, 'rules_applied', e.campaign_id, c.name,
        null, null, null, null
    from event_index e left join campaign_board c on c.id = e.campaign_id
    where e.type = 'installation.rules_applied' and e.position > %(after)s
    union all
    select position, reported_at, 'unknown_reason', null, null, null, null, null, reason
    from unknown_reason where position > %(after)s
    union all
    select e.position, e.occurred_at, 'webhook_disabled', null, null, null, null, null,
        coalesce(split_part(w.url, '/', 3), 'an address that was removed')
    from event_index e left join webhook_endpoint w on w.id = e.aggregate_id
    where e.type = 'webhook_endpoint.given_up' and e.position > %(after)s
    order by position
"""

_NEWEST: LiteralString = """
    select a.position, a.raised_at, 'spend_' || a.alert as kind, a.campaign_id,
        c.name as campaign_name, a.day, a.spend, a.budget
    from spend_alert a left join campaign_board c on c.id = a.campaign_id
    order by a.position desc limit %(most)s
"""


def after(conn: Conn, position: int) -> list[AlertRow]:
    """List the alerts after a position of the log, oldest first."""
    return select(conn, AlertRow, _AFTER, after=position)


def newest(conn: Conn, most: int) -> list[AlertRow]:
    """List up to `most` alerts of all kinds, newest first."""
    query = f"""
        select * from ({_AFTER}) as raised order by position desc limit %(most)s
    """  # noqa: S608 - our own text
    return select(conn, AlertRow, query, after=0, most=most)


def about_spending(conn: Conn, most: int = 100) -> list[AlertRow]:
    """List up to `most` alerts about budgets, newest first."""
    return select(conn, AlertRow, _NEWEST, most=most)


_UNREPORTED: LiteralString = """
    select distinct unknown_reason from call_log
    where unknown_reason is not null
        and unknown_reason not in (select reason from unknown_reason)
    order by 1 limit %(most)s
"""


def unreported_reasons(conn: Conn, most: int = 20) -> list[str]:
    """List up to `most` ended reasons without a rule that no alert was raised for."""
    return [row[0] for row in conn.execute(_UNREPORTED, {"most": most})]


# --- Alerts that are due -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unraised:
    """A threshold or limit that is reached, and for which no alert was raised yet.

    `alert` is "threshold" or "limit". It concerns a campaign's budget, or the daily
    budget of all campaigns for `day` (UTC); amounts in US dollars.
    """

    alert: str
    spend: Decimal
    budget: Decimal
    campaign_id: UUID | None = None
    day: date | None = None


_NEAR_THE_BUDGET: LiteralString = """
    select c.id, c.spend, c.costs_reported, c.budget,
        coalesce(c.pause_cause = 'BUDGET', false) as is_stopped,
        array(select a.alert from spend_alert a
            where a.campaign_id = c.id and a.budget = c.budget) as raised
    from campaign_board c
    where c.budget is not null
        and (c.spend >= c.budget * %(threshold)s or c.pause_cause = 'BUDGET')
    order by c.id
"""

_OF_DAY: LiteralString = """
    select alert from spend_alert where day = %(day)s and budget = %(budget)s
"""

# A decision may be older than the last change of the budget: it is checked again.
_HELD_BY_DAY: LiteralString = f"""
    select c.spend, c.costs_reported
    from dispatch_decision d join campaign_board c on c.id = d.campaign_id
    where d.reasons @> '[{{"code": "DAILY_BUDGET_SPENT"}}]'
        and d.decided_at >= %(midnight)s
        and c.state in {literals(MAY_DIAL)}
        and not exists (select from dial_queue where claimed_at >= %(midnight)s)
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class _NearTheBudget:
    """A campaign that has reached its threshold or was stopped by its budget."""

    id: UUID
    spend: Decimal
    costs_reported: int
    budget: Decimal
    is_stopped: bool
    raised: list[str]

    def unraised(self, threshold: Decimal) -> list[Unraised]:
        """List the alerts that are due, the threshold before the limit.

        The limit also counts as reached if the campaign was stopped because the rest of
        the budget does not pay for one more call.
        """
        one_more = expected_per_call(self.spend, self.costs_reported)
        is_stopped = self.is_stopped and self.spend + one_more > self.budget
        reached = {
            "threshold": self.spend >= self.budget * threshold,
            "limit": self.spend >= self.budget or is_stopped,
        }
        return [
            Unraised(alert, self.spend, self.budget, campaign_id=self.id)
            for alert, is_reached in reached.items()
            if is_reached and alert not in self.raised
        ]


def unraised(
    conn: Conn, *, now: datetime, threshold: Decimal, daily_budget: Decimal | None
) -> list[Unraised]:
    """List the alerts that are due: thresholds before limits.

    `threshold` is a share of a budget (0.8 for 80 %), `daily_budget` is in US dollars,
    None for no limit.
    """
    with one_snapshot(conn):
        near = select(conn, _NearTheBudget, _NEAR_THE_BUDGET, threshold=threshold)
        found = [due for campaign in near for due in campaign.unraised(threshold)]
        if daily_budget is None:
            return found
        return found + _of_day(conn, now, threshold, daily_budget)


def _of_day(
    conn: Conn, now: datetime, threshold: Decimal, budget: Decimal
) -> list[Unraised]:
    day = now.astimezone(UTC).date()
    spent = spend.spent_on(conn, day)
    raised = {row[0] for row in conn.execute(_OF_DAY, {"day": day, "budget": budget})}
    midnight = datetime.combine(day, time.min, UTC)
    held = conn.execute(_HELD_BY_DAY, {"midnight": midnight}).fetchall()
    is_held = any(spent + expected_per_call(*known) > budget for known in held)
    reached = {
        "threshold": spent >= budget * threshold,
        "limit": spent >= budget or is_held,
    }
    return [
        Unraised(alert, spent, budget, day=day)
        for alert, is_reached in reached.items()
        if is_reached and alert not in raised
    ]
