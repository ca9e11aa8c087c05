"""What a campaign's calls have come to, for each contact and counted.

A contact's outcome is that of its latest finished call. Its disposition is what a
member set, else that of its latest call with one. Both are derived from the rows of
the calls when they are asked for, so there is no second copy that could differ.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from domain.contacts.contact import Contact
from domain.outcomes import ANSWERED, BY_PERSON, CallOutcome, Disposition
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select, select_one
from projections.tables.row_operations import RowOperation, put
from projections.tables.state_sql import literals, withheld_sql
from storage.database import Conn

DISPOSED = "contact_disposition"

TABLE = Table(
    DISPOSED,
    ("contact_id",),
    """
    create table if not exists contact_disposition (
        contact_id uuid primary key,
        campaign_id uuid not null,
        disposition text,
        note_words_id uuid
    );
    create index if not exists contact_disposition_campaign
        on contact_disposition (campaign_id);
    """,
)


@handles(Contact.Disposed)
def contact_dispositions(event: object, _position: int) -> Iterator[RowOperation]:
    """Store what members set by hand; null replaces what the calls say as well."""
    if isinstance(event, Contact.Disposed):
        yield put(
            DISPOSED,
            event.originator_id,
            campaign_id=event.campaign_id,
            disposition=event.disposition,
            note_words_id=event.note.words_id if event.note else None,
        )


_OF_CALLS: LiteralString = """
    (array_agg(c.outcome order by c.attempt desc)
        filter (where c.outcome is not null))[1] as outcome,
    (array_agg(c.disposition order by c.attempt desc)
        filter (where c.disposition is not null))[1] as disposition
"""

RESULTS: LiteralString = f"""
    select contact_id, called.outcome,
        case when d.contact_id is null then called.disposition else d.disposition end
            as disposition,
        coalesce(dialed, false) as dialed,
        coalesce(dialed and answered, false) as answered,
        coalesce(dialed and human, false) as human,
        coalesce(placed, 0) as placed, first_placed_at
    from (
        select c.contact_id, {_OF_CALLS}, count(c.placed_at) as placed,
            min(c.placed_at) as first_placed_at,
            bool_or(c.placed_at is not null) as dialed,
            bool_or(c.started_at is not null or c.outcome in {literals(ANSWERED)})
                as answered,
            bool_or(c.outcome in {literals(BY_PERSON)}) as human
        from call_log c where c.campaign_id = %(campaign)s
        group by c.contact_id
    ) called
    full join (
        select * from contact_disposition where campaign_id = %(campaign)s
    ) d using (contact_id)
"""  # noqa: S608 - our own text
"""A row for each contact of a campaign that was called or has a disposition, as SQL."""

_OF_SEVERAL: LiteralString = f"""
    select c.contact_id, {_OF_CALLS}, count(c.placed_at) as placed,
        min(c.placed_at) as first_placed_at
    from call_log c where c.campaign_id = %(campaign)s and c.contact_id in (
        select contact_id from call_log
        where campaign_id = %(campaign)s and attempt > 1
    )
    group by c.contact_id
"""  # noqa: S608 - our own text

JOINED_RESULTS: LiteralString = f"""
    left join contact_disposition d on d.contact_id = k.contact_id
    left join ({_OF_SEVERAL}) several on several.contact_id = k.contact_id
    cross join lateral (
        select
            case when call.attempt = 1 then call.outcome else several.outcome end
                as outcome,
            case when d.contact_id is not null then d.disposition
                when call.attempt = 1 then call.disposition
                else several.disposition end as disposition,
            case when call.attempt = 1 then (call.placed_at is not null)::int
                else coalesce(several.placed, 0) end as placed,
            case when call.attempt = 1 then call.placed_at
                else several.first_placed_at end as first_placed_at
    ) result
"""
"""SQL joins that add `result`, like RESULTS, and `d` to contacts `k`.

`call` must be the contact's latest call. Most contacts have one call only, whose row is
already joined: aggregating the calls of all contacts takes as long as the other joins.
"""


@dataclass(frozen=True, slots=True)
class ContactResult:
    """The outcome and disposition of a contact; `note_words_id` is in the vault."""

    contact_id: UUID
    outcome: CallOutcome | None
    disposition: Disposition | None
    note_words_id: UUID | None


_OF_CONTACTS: LiteralString = f"""
    select wanted.contact_id, called.outcome,
        case when d.contact_id is null then called.disposition else d.disposition end
            as disposition,
        d.note_words_id
    from unnest(%(ids)s::uuid[]) as wanted (contact_id)
    left join (
        select c.contact_id, {_OF_CALLS}
        from call_log c where c.contact_id = any(%(ids)s) group by c.contact_id
    ) called using (contact_id)
    left join contact_disposition d on d.contact_id = wanted.contact_id
"""  # noqa: S608 - our own text


def of_contacts(conn: Conn, contact_ids: Collection[UUID]) -> dict[UUID, ContactResult]:
    """Read the results of these contacts, also of those that were never called."""
    found = select(conn, ContactResult, _OF_CONTACTS, ids=list(contact_ids))
    return {result.contact_id: result for result in found}


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """Finished calls with an outcome, and contacts whose latest one has it."""

    outcome: CallOutcome
    calls: int
    contacts: int


_OUTCOMES: LiteralString = f"""
    with calls as (
        select outcome, count(*) as calls from call_log
        where campaign_id = %(campaign)s and outcome is not null group by outcome
    ), contacts as (
        select outcome, count(*) as contacts from ({RESULTS}) results group by outcome
    )
    select outcome, calls, coalesce(contacts, 0) as contacts
    from calls left join contacts using (outcome)
"""  # noqa: S608 - our own text


def outcome_counts(conn: Conn, campaign_id: UUID) -> list[OutcomeCount]:
    """Count a campaign's finished calls and contacts by outcome, in its order."""
    found = select(conn, OutcomeCount, _OUTCOMES, campaign=campaign_id)
    order = {outcome: place for place, outcome in enumerate(CallOutcome)}
    return sorted(found, key=lambda count: order[count.outcome])


@dataclass(frozen=True, slots=True)
class Funnel:
    """Contacts by stage: each of dialed, answered, human, goal is part of the former.

    `human`: a person answered. `withheld` were finished without a call, and
    `opted_out` asked not to be called again.
    """

    contacts: int
    dialed: int
    answered: int
    human: int
    goal: int
    withheld: int
    opted_out: int


_FUNNEL: LiteralString = f"""
    with results as ({RESULTS})
    select b.contacts, counted.*, withheld.*
    from campaign_board b
    cross join lateral (
        select count(*) filter (where dialed) as dialed,
            count(*) filter (where answered) as answered,
            count(*) filter (where human) as human,
            count(*) filter (
                where human and disposition = '{Disposition.GOAL_REACHED}'
            ) as goal,
            count(*) filter (where disposition = '{Disposition.OPTED_OUT}') as opted_out
        from results
    ) counted
    cross join lateral (
        select count(*) as withheld
        from contact_import i join contact_log k using (list_id)
        where i.campaign_id = b.id and i.imported_position is not null
            and {withheld_sql("k.withheld", "k.status", "b.expired_at is not null")}
                is not null
    ) withheld
    where b.id = %(campaign)s
"""  # noqa: S608 - our own text


def funnel(conn: Conn, campaign_id: UUID) -> Funnel | None:
    """Count a campaign's contacts by stage; None if there is no such campaign."""
    return select_one(conn, Funnel, _FUNNEL, campaign=campaign_id)
