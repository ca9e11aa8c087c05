"""The assistants that campaigns may use, and the members who may sign in."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from domain.assistant import Assistant, AssistantEvent
from domain.member import Member, MemberEvent
from domain.states import FINISHED
from domain.values import Role
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select, select_one
from projections.tables.row_operations import RowOperation, drop, patch, put
from projections.tables.state_sql import literals
from storage.database import Conn

ASSISTANTS, MEMBERS = "assistant_directory", "member_directory"

TABLES = (
    Table(
        ASSISTANTS,
        ("id",),
        """
    create table if not exists assistant_directory (
        id uuid primary key,
        name text not null,
        provider_assistant_id text not null,
        archived boolean not null default false,
        config jsonb not null,
        tools jsonb not null default '[]'
    );
    """,
        handler_version=2,
    ),
    Table(
        MEMBERS,
        ("id",),
        """
    create table if not exists member_directory (
        id uuid primary key,
        email text not null,
        role text not null,
        added_at timestamptz not null,
        added_by text not null
    );
    """,
    ),
)


@handles(AssistantEvent, MemberEvent)
def directory(event: object, _position: int) -> Iterator[RowOperation]:
    """Return the changes of the two directories that an event causes."""
    match event:
        case AssistantEvent():
            yield from _assistant(event)
        case MemberEvent():
            yield from _member(event)


def _assistant(event: AssistantEvent) -> Iterator[RowOperation]:
    id_ = event.originator_id
    match event:
        case Assistant.Created():
            yield put(
                ASSISTANTS,
                id_,
                name=event.name,
                provider_assistant_id=event.provider_assistant_id,
                config=Jsonb(event.config),
                tools=Jsonb(list(event.tools)),
            )
        case Assistant.Changed():
            yield patch(
                ASSISTANTS,
                id_,
                name=event.name,
                config=Jsonb(event.config),
                tools=Jsonb(list(event.tools)),
            )
        case Assistant.Archived():
            yield patch(ASSISTANTS, id_, archived=True)
        case Assistant.Restored():
            yield patch(ASSISTANTS, id_, archived=False)


def _member(event: MemberEvent) -> Iterator[RowOperation]:
    match event:
        case Member.Created() | Member.Readmitted():
            yield put(
                MEMBERS,
                event.originator_id,
                email=event.email,
                role=event.role,
                added_at=event.timestamp,
                added_by=event.actor,
            )
        case Member.RoleChanged():
            yield patch(MEMBERS, event.originator_id, role=event.role)
        case Member.Removed():
            yield drop(MEMBERS, event.originator_id)


@dataclass(frozen=True, slots=True)
class AssistantRow:
    """An assistant.

    `config` is the provider's configuration without secrets; `active_campaigns` is the
    number of campaigns that use the assistant and are not finished.
    """

    id: UUID
    name: str
    provider_assistant_id: str
    archived: bool
    config: dict[str, Any]
    tools: list[str]
    active_campaigns: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member, who may sign in; `email` is in lower case."""

    id: UUID
    email: str
    role: Role
    added_at: datetime
    added_by: str


_ASSISTANT: LiteralString = f"""
    select a.id, a.name, a.provider_assistant_id, a.archived, a.config, a.tools,
        (select count(*) from campaign_board c
            where (c.assistant_id = a.id
                    or c.id in (select m.campaign_id from campaign_arm m
                        where m.assistant_id = a.id))
                and c.state not in {literals(FINISHED)}) as active_campaigns
    from assistant_directory a
"""  # noqa: S608 - our own text

_MEMBER: LiteralString = (
    "select id, email, role, added_at, added_by from member_directory "
)


def assistants(conn: Conn, *, include_archived: bool = False) -> list[AssistantRow]:
    """List the assistants by name, archived ones only with `include_archived`."""
    query = _ASSISTANT + "where not a.archived or %(all)s order by a.name, a.id"
    return select(conn, AssistantRow, query, all=include_archived)


def assistant(conn: Conn, assistant_id: UUID) -> AssistantRow | None:
    """Return an assistant, archived or not; None if there is none with this id."""
    query = _ASSISTANT + "where a.id = %(id)s"
    return select_one(conn, AssistantRow, query, id=assistant_id)


def assistants_of(
    conn: Conn, assistant_ids: Collection[UUID]
) -> dict[UUID, AssistantRow]:
    """Return the assistants with these ids; unknown ids are left out."""
    query = _ASSISTANT + "where a.id = any(%(ids)s)"
    found = select(conn, AssistantRow, query, ids=list(assistant_ids))
    return {row.id: row for row in found}


def members(conn: Conn) -> list[MemberRow]:
    """List all members by address."""
    return select(conn, MemberRow, _MEMBER + "order by email")


def member(conn: Conn, email: str) -> MemberRow | None:
    """Return the member with this address, in any case; None if there is none."""
    query = _MEMBER + "where email = %(email)s"
    return select_one(conn, MemberRow, query, email=email.strip().lower())
