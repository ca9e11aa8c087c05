"""Assistants: what the directory knows of them, and what admins do with it."""

from typing import Annotated, Self
from uuid import UUID

import strawberry

from domain.assistant import Assistant as AssistantAggregate
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, mutation, query
from interfaces.graphql.scalars import JSON
from projections import directory
from projections.directory import AssistantRow


@strawberry.type
class Assistant:
    id: strawberry.ID
    name: str
    provider_assistant_id: str
    archived: bool
    config: JSON
    active_campaigns: int

    @classmethod
    def of(cls, row: AssistantRow) -> Self:
        return cls(
            id=strawberry.ID(str(row.id)),
            name=row.name,
            provider_assistant_id=row.provider_assistant_id,
            archived=row.archived,
            config=JSON(row.config),
            active_campaigns=row.active_campaigns,
        )


AssistantResult = Annotated[Assistant | UserError, strawberry.union("AssistantResult")]


async def assistant_of(context: Context, id_: UUID) -> Assistant:
    """Show it as the read model has it, else as its events say."""
    row = await context.loaders.assistants.load(id_)
    if row is None:
        row = await context.backend.look(_from_log, context, id_)
    return Assistant.of(row)


def _from_log(context: Context, id_: UUID) -> AssistantRow:
    known = context.backend.app.load(AssistantAggregate, id_)
    return AssistantRow(
        id=id_,
        name=known.name,
        provider_assistant_id=known.provider_assistant_id,
        archived=known.archived,
        config=known.config,
        active_campaigns=0,
    )


@strawberry.type
class AssistantQueries:
    @query(EVERYBODY)
    async def assistants(
        self,
        info: Info,
        include_archived: bool | None = False,  # noqa: FBT001, FBT002 - the contract's argument
    ) -> list[Assistant]:
        every = bool(include_archived)
        rows = await info.context.backend.read(
            directory.assistants, include_archived=every
        )
        return [Assistant.of(row) for row in rows]


@strawberry.type
class AssistantCommands:
    @mutation(ADMINS, "Adds one that the provider has already.")
    async def import_assistant(
        self, info: Info, provider_assistant_id: str, name: str | None = None
    ) -> AssistantResult:
        backend, by = info.context.backend, info.context.viewer.email
        id_, position = await backend.take_time(
            backend.assistants.import_assistant,
            provider_assistant_id,
            name=name,
            by=by,
        )
        await backend.shows(position)
        return await assistant_of(info.context, id_)
