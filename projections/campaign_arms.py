"""The assistants that a campaign compares, and what each has achieved."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from domain.calls.call import Call
from domain.campaigns.arm_statistics import (
    Difference,
    Sample,
    difference,
    smallest_difference,
)
from domain.campaigns.campaign import Campaign
from domain.outcomes import Disposition
from domain.states import NOT_FINISHED
from projections.contacts.contact_results import RESULTS
from projections.contacts.contact_row import SHOWN_STATUS
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select
from projections.tables.row_operations import RowOperation, put
from projections.tables.state_sql import literals
from storage.database import Conn

ARMS, CONTACTS = "campaign_arm", "arm_contact"

TABLES = (
    Table(
        ARMS,
        ("campaign_id", "arm"),
        """
        create table if not exists campaign_arm (
            campaign_id uuid not null,
            arm integer not null,
            assistant_id uuid not null,
            share integer not null,
            primary key (campaign_id, arm)
        );
        create index if not exists campaign_arm_assistant
            on campaign_arm (assistant_id);
        """,
    ),
    Table(
        CONTACTS,
        ("contact_id",),
        """
        create table if not exists arm_contact (
            contact_id uuid primary key,
            campaign_id uuid not null,
            arm integer not null
        );
        create index if not exists arm_contact_campaign
            on arm_contact (campaign_id, arm);
        """,
    ),
)


@handles(Campaign.Created, Call.Requested)
def campaign_arms(event: object, _position: int) -> Iterator[RowOperation]:
    """Store the arms of a campaign, and the arm of each contact that is requested."""
    match event:
        case Campaign.Created():
            for number, arm in enumerate(event.arms):
                yield put(
                    ARMS,
                    (event.originator_id, number),
                    assistant_id=arm.assistant_id,
                    share=arm.share,
                )
        case Call.Requested() if event.arm is not None:
            yield put(
                CONTACTS,
                event.contact_id,
                campaign_id=event.campaign_id,
                arm=event.arm.number,
            )


@dataclass(frozen=True, slots=True)
class ArmRow:
    """An arm with its counters; `share` in percent.

    `contacts` had a call requested; `finished` of them are not called any more, and
    `goals` of these reached the goal. `calls` were placed; `answered` and `human` are
    the contacts that were reached at all, and reached in person.
    """

    arm: int
    assistant_id: UUID
    share: int
    contacts: int
    finished: int
    goals: int
    calls: int
    answered: int
    human: int

    @property
    def sample(self) -> Sample:
        """The numbers that the arms are compared by."""
        return Sample(self.finished, self.goals)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """An arm, and its difference to the first one; None for the first arm itself.

    `smallest` is the smallest rise of the goal rate over the first arm's that the
    campaign's contacts can show, None if they can show none.
    """

    row: ArmRow
    difference: Difference | None
    smallest: float | None


_RESULTS: LiteralString = f"""
    with results as ({RESULTS}), counted as (
        select a.arm, count(*) as contacts,
            count(*) filter (where final) as finished,
            count(*) filter (where final and human
                and disposition = '{Disposition.GOAL_REACHED}') as goals,
            coalesce(sum(placed), 0) as calls,
            count(*) filter (where answered) as answered,
            count(*) filter (where human) as human
        from arm_contact a
        cross join lateral (
            select {SHOWN_STATUS} not in {literals(NOT_FINISHED)} as final
            from contact_log k join campaign_board c on c.id = k.campaign_id
            where k.contact_id = a.contact_id limit 1
        ) status
        left join results using (contact_id)
        where a.campaign_id = %(campaign)s group by a.arm
    )
    select arm, assistant_id, share, coalesce(contacts, 0) as contacts,
        coalesce(finished, 0) as finished, coalesce(goals, 0) as goals,
        coalesce(calls, 0) as calls, coalesce(answered, 0) as answered,
        coalesce(human, 0) as human
    from campaign_arm left join counted using (arm)
    where campaign_id = %(campaign)s order by arm
"""  # noqa: S608 - our own text

_CONTACTS: LiteralString = "select contacts from campaign_board where id = %(campaign)s"

USUAL_GOAL_RATE = 0.1
"""Goal rate that is assumed where the first arm has no finished contact yet."""


def arm_rows(conn: Conn, campaign_id: UUID) -> list[ArmRow]:
    """Return the arms of a campaign in their order; none without a comparison."""
    return select(conn, ArmRow, _RESULTS, campaign=campaign_id)


def arm_results(conn: Conn, campaign_id: UUID) -> list[ArmResult]:
    """Return the arms of a campaign, each compared with the first one."""
    rows = arm_rows(conn, campaign_id)
    if not rows:
        return []
    found = conn.execute(_CONTACTS, {"campaign": campaign_id}).fetchone()
    contacts = int(found[0]) if found else 0
    return [_compared(rows, row, contacts) for row in rows]


def _compared(rows: list[ArmRow], row: ArmRow, contacts: int) -> ArmResult:
    first = rows[0]
    if row.arm == first.arm:
        return ArmResult(row, None, None)
    arms, rate = len(rows), first.sample.rate
    return ArmResult(
        row,
        difference(first.sample, row.sample, arms=arms),
        smallest_difference(
            contacts,
            first.share,
            row.share,
            USUAL_GOAL_RATE if rate is None else rate,
            arms=arms,
        ),
    )
