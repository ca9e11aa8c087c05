"""Which campaigns there are, and how far each has come."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from domain.calls.call import Call
from domain.calls.events.call_event import ContactStatusChanged
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import CampaignEvent
from domain.contacts.contact_events import ContactEvent
from domain.states import FINISHED
from domain.values import (
    ZERO,
    CampaignState,
    PauseCause,
    VaultText,
)
from projections.campaigns.campaign_row import CampaignProgress, CampaignRow
from projections.campaigns.campaign_terms import planned_deltas, terms_columns
from projections.tables.checkpoint import POSITION, one_snapshot, position_of
from projections.tables.definition import Table
from projections.tables.pages import Page, as_cursor, from_cursor, page_of
from projections.tables.queries import select, select_one, select_value
from projections.tables.row_operations import Columns, RowOperation, add, patch, put
from projections.tables.state_sql import COUNTER, literals, shown_counters_sql
from storage.database import Conn

BOARD = "campaign_board"

TABLE = Table(
    BOARD,
    ("id",),
    """
    create table if not exists campaign_board (
        id uuid primary key,
        name text not null,
        state text not null,
        pause_cause text,
        reason_words_id uuid,
        mode text not null,
        cap integer not null,
        line_quiet_gating boolean not null,
        assistant_id uuid not null,
        provider_assistant_id text not null,
        phone_number_id text not null,
        budget numeric,
        longest_call_seconds integer not null,
        first_phone_number_id text,
        first_longest_call_seconds integer,
        caller_position bigint not null default 0,
        created_at timestamptz not null,
        created_by text not null,
        queued_at timestamptz,
        started_at timestamptz,
        completed_at timestamptz,
        resumed_position bigint not null default 0,
        batch integer,
        contacts bigint not null default 0,
        pending bigint not null default 0,
        queued bigint not null default 0,
        ringing bigint not null default 0,
        in_progress bigint not null default 0,
        ended bigint not null default 0,
        failed bigint not null default 0,
        canceled bigint not null default 0,
        timed_out bigint not null default 0,
        awaiting_reports bigint not null default 0,
        spend numeric not null default 0,
        costs_reported bigint not null default 0,
        terms text not null default '{}',
        terms_version bigint not null default 1,
        starts_at timestamptz,
        ends_at timestamptz,
        expired_at timestamptz,
        needs_reports boolean not null default false,
        planned_retries bigint not null default 0,
        planned_callbacks bigint not null default 0,
        redial_of uuid,
        is_test boolean not null default false,
        assistant_changed_at timestamptz,
        version bigint not null
    ) with (fillfactor = 70);
    create index if not exists campaign_board_newest
        on campaign_board (created_at, id);
    create index if not exists campaign_board_state on campaign_board (state);
    create index if not exists campaign_board_assistant
        on campaign_board (assistant_id);
    create index if not exists campaign_board_redial_of
        on campaign_board (redial_of) where redial_of is not null;
    """,
    handler_version=9,
)


def campaign_board(event: object, position: int) -> Iterator[RowOperation]:
    match event:
        case Campaign.Created():
            yield put(BOARD, event.originator_id, **_created(event))
        case Campaign.ContactsImported():
            yield patch(BOARD, event.originator_id, contacts=event.contacts)
        case Call.Created() | Call.Requeued() if event.batch is not None:
            yield patch(BOARD, event.campaign_id, batch=event.batch)
    deltas = counted(event) | planned_deltas(event)
    if deltas:
        yield add(BOARD, campaign_of(event), **deltas)
    if isinstance(event, CampaignEvent):
        columns = {"version": event.originator_version, **_changed(event, position)}
        yield patch(BOARD, event.originator_id, **columns)


def _created(event: Campaign.Created) -> Columns:
    return {
        "name": event.name,
        "state": CampaignState.CREATED,
        "mode": event.mode,
        "cap": event.cap,
        "line_quiet_gating": event.line_quiet_gating,
        "assistant_id": event.assistant_id,
        "provider_assistant_id": event.provider_assistant_id,
        "phone_number_id": event.phone_number_id,
        "budget": event.budget,
        "longest_call_seconds": event.longest_call_seconds,
        "first_phone_number_id": event.phone_number_id,
        "first_longest_call_seconds": event.longest_call_seconds,
        **terms_columns(event),
        "created_at": event.timestamp,
        "created_by": event.actor,
        "redial_of": event.redial_of,
        "is_test": event.is_test,
        "version": event.originator_version,
    }


def _changed(event: CampaignEvent, position: int) -> Columns:
    match event:
        case Campaign.Changed():
            return {
                "name": event.name,
                "cap": event.cap,
                "line_quiet_gating": event.line_quiet_gating,
                "budget": event.budget,
                **terms_columns(event),
                **_caller_columns(event, position),
            }
        case Campaign.DialingStarted():
            return {"state": event.state, "started_at": event.started_at}
        case Campaign.Running():
            return {"state": event.state}
        case Campaign.Paused():
            return _state(CampaignState.PAUSED, event.reason, event.cause)
        case Campaign.Resumed():
            unchanged = {"assistant_changed_at": None}
            return {"resumed_position": position, **unchanged, **_state(event.state)}
        case _:
            return _began_or_ended(event)


def _caller_columns(event: Campaign.Changed, position: int) -> Columns:
    """Return the new assistant and line; nothing if neither changed."""
    caller = event.caller
    return {} if caller is None else asdict(caller) | {"caller_position": position}


def _began_or_ended(event: CampaignEvent) -> Columns:
    match event:
        case Campaign.Queued():
            return {"state": CampaignState.QUEUED, "queued_at": event.timestamp}
        case Campaign.AssistantChanged():
            return {"assistant_changed_at": event.timestamp}
        case Campaign.Expired():
            return {"expired_at": event.timestamp}
        case Campaign.Completed():
            state = _state(CampaignState.COMPLETED)
        case Campaign.Canceled():
            state = _state(CampaignState.CANCELED)
        case Campaign.Failed():
            state = _state(CampaignState.FAILED, event.reason)
        case _:
            return {}
    return {"completed_at": event.timestamp, **state}


def _state(
    state: CampaignState,
    reason: VaultText | None = None,
    cause: PauseCause | None = None,
) -> Columns:
    words_id = None if reason is None else reason.words_id
    return {"state": state, "pause_cause": cause, "reason_words_id": words_id}


def counted(event: object) -> Columns:
    """Say by how much an event changes the counters of its campaign."""
    match event:
        case Campaign.ContactsImported():
            return {"pending": event.accepted} if event.accepted else {}
        case Call.Reported():
            return _reported(event)
        case ContactStatusChanged():
            return _moved(event)
        case ContactEvent() if event.was is not event.standing:
            return {COUNTER[event.was]: -1, COUNTER[event.standing]: 1}
    return {}


def campaign_of(event: Any) -> UUID | None:
    """Name the campaign that an event is about, if it is about one."""
    if isinstance(event, CampaignEvent):
        return event.originator_id
    campaign_id: UUID | None = getattr(event, "campaign_id", None)
    return campaign_id


def _moved(event: ContactStatusChanged) -> Columns:
    deltas: Columns = {}
    if event.was is not event.standing:
        deltas = {COUNTER[event.was]: -1, COUNTER[event.standing]: 1}
    if isinstance(event, Call.Ended) and event.awaits_report:
        deltas["awaiting_reports"] = 1
    return deltas


def _reported(event: Call.Reported) -> Columns:
    deltas: Columns = {}
    if event.cost is not None and event.cost != event.cost_was:
        deltas["spend"] = event.cost - (event.cost_was or ZERO)
    if event.cost is not None and event.cost_was is None:
        deltas["costs_reported"] = 1
    if event.awaited and event.settled:
        deltas["awaiting_reports"] = -1
    return deltas


_ROW: LiteralString = f"""
    select id as campaign_id, name, state, pause_cause, reason_words_id, mode, cap,
        line_quiet_gating, assistant_id, provider_assistant_id, phone_number_id,
        budget, longest_call_seconds, created_at, created_by, queued_at, started_at,
        completed_at, contacts, {shown_counters_sql()},
        awaiting_reports, spend, costs_reported, version, terms, expired_at, redial_of,
        is_test, assistant_changed_at, ({POSITION}) as position
    from campaign_board
"""  # noqa: S608 - our own text

_PROGRESS: LiteralString = f"""
    select id as campaign_id, state, contacts, {shown_counters_sql()},
        awaiting_reports, spend, ({POSITION}) as position
    from campaign_board
"""  # noqa: S608 - our own text

_COUNT: LiteralString = "select count(*) from campaign_board"

_LISTED: LiteralString = """
    where (%(states)s::text[] is null or state = any(%(states)s))
        and (%(like)s::text is null or name ilike %(like)s)
"""

_AFTER: LiteralString = """
        and (%(at)s::timestamptz is null or (created_at, id) < (%(at)s, %(id)s))
    order by created_at desc, id desc
    limit %(most)s
"""


def get(conn: Conn, campaign_id: UUID) -> CampaignRow | None:
    return select_one(conn, CampaignRow, _ROW + "where id = %(id)s", id=campaign_id)


def of_ids(conn: Conn, campaign_ids: Collection[UUID]) -> dict[UUID, CampaignRow]:
    query = _ROW + "where id = any(%(ids)s)"
    found = select(conn, CampaignRow, query, ids=list(campaign_ids))
    return {campaign.id: campaign for campaign in found}


def redials_of(conn: Conn, campaign_id: UUID) -> list[CampaignRow]:
    """Return the campaigns that took their contacts from this one, oldest first."""
    query = _ROW + "where redial_of = %(id)s order by created_at, id"
    return select(conn, CampaignRow, query, id=campaign_id)


@dataclass(frozen=True, slots=True)
class OpenLines:
    """Lines of unfinished campaigns, and the creation time of the oldest campaign."""

    lines: frozenset[str]
    since: datetime | None


def open_lines(conn: Conn) -> OpenLines:
    """Read the present and former lines of all unfinished campaigns, started or not."""
    query: LiteralString = f"""
        select l.phone_number_id, min(c.created_at)
        from campaign_board c join campaign_line l on l.campaign_id = c.id
        where c.state not in {literals(FINISHED)}
        group by l.phone_number_id
    """  # noqa: S608 - our own text
    found: dict[str, datetime] = dict(conn.execute(query).fetchall())
    return OpenLines(frozenset(found), min(found.values(), default=None))


def progress(conn: Conn, campaign_id: UUID) -> CampaignProgress | None:
    query = _PROGRESS + "where id = %(id)s"
    return select_one(conn, CampaignProgress, query, id=campaign_id)


def progress_of(
    conn: Conn, campaign_ids: Collection[UUID] | None
) -> list[CampaignProgress]:
    """Read the counters of these campaigns, or of all for None."""
    query = _PROGRESS + "where %(ids)s::uuid[] is null or id = any(%(ids)s)"
    ids = None if campaign_ids is None else list(campaign_ids)
    return select(conn, CampaignProgress, query, ids=ids)


def page(
    conn: Conn,
    *,
    first: int,
    after: str | None = None,
    states: Collection[CampaignState] | None = None,
    search: str | None = None,
) -> Page[CampaignRow]:
    """List campaigns, newest first; `search` is any part of the name.

    Raises:
        Invalid: when `after` is no cursor of this list.
    """
    kinds = (datetime.fromisoformat, UUID)
    at, id_ = (None, None) if after is None else from_cursor(after, *kinds)
    listed = {
        "states": None if states is None else [state.value for state in states],
        "like": f"%{_escaped(search)}%" if search else None,
    }
    with one_snapshot(conn):
        total = int(select_value(conn, _COUNT + _LISTED, **listed))
        place = {"at": at, "id": id_, "most": first + 1}
        query = _ROW + _LISTED + _AFTER
        found = select(conn, CampaignRow, query, **listed, **place)
        position = position_of(conn)
    return page_of(found, first, _cursor, total=total, position=position)


def _cursor(campaign: CampaignRow) -> str:
    return as_cursor(campaign.created_at, campaign.id)


def _escaped(search: str) -> str:
    """Escape the wildcards of LIKE; replace NUL, which Postgres cannot store."""
    plain = search.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
