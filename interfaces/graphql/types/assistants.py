"""Assistants: what the directory knows of them, and what admins do with it."""

from collections.abc import Callable
from typing import Annotated, Self
from uuid import UUID

import strawberry

from domain.assistant import Assistant as AssistantAggregate
from domain.assistant import warnings_of
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, mutation, query
from interfaces.graphql.types.paging import as_uuid
from interfaces.graphql.types.scalars import JSON
from projections import directory
from projections.directory import AssistantRow


@strawberry.type
class Assistant:
    id: strawberry.ID
    name: str
    provider_assistant_id: str
    archived: bool
    config: JSON = strawberry.field(
        description="The provider's own configuration of it, without secrets."
    )
    active_campaigns: int = strawberry.field(
        description="Campaigns that use it and are not finished."
    )
    warnings: list[str] = strawberry.field(
        description="What does not work, or works otherwise, in calls from here."
    )

    @classmethod
    def of(cls, row: AssistantRow) -> Self:
        return cls(
            id=strawberry.ID(str(row.id)),
            name=row.name,
            provider_assistant_id=row.provider_assistant_id,
            archived=row.archived,
            config=JSON(row.config),
            active_campaigns=row.active_campaigns,
            warnings=warnings_of(row.config),
        )


@strawberry.input
class CreateAssistantInput:
    name: str
    config: JSON


@strawberry.input(
    description="What is left out, or null, stays; so do keys that config leaves out."
)
class UpdateAssistantInput:
    name: str | None = None
    config: JSON | None = None


AssistantResult = Annotated[Assistant | UserError, strawberry.union("AssistantResult")]


async def assistant_of(context: Context, id_: UUID) -> Assistant:
    """Show it as the read model has it, else as its events say."""
    row = await context.loaders.assistants.load(id_)
    if row is None:
        row = await context.backend.run_reader(_from_log, context, id_)
    return Assistant.of(row)


def _from_log(context: Context, id_: UUID) -> AssistantRow:
    known = context.services.app.load(AssistantAggregate, id_)
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
    @mutation(ADMINS, "Creates it at the provider, then in the directory.")
    async def create_assistant(
        self,
        info: Info,
        input: CreateAssistantInput,  # noqa: A002 - the contract's name
    ) -> AssistantResult:
        create = info.context.services.assistants.create
        return await _told(info, lambda by: create(input.name, input.config, by=by))

    @mutation(ADMINS, "Adds one that the provider has already.")
    async def import_assistant(
        self, info: Info, provider_assistant_id: str, name: str | None = None
    ) -> AssistantResult:
        enter = info.context.services.assistants.import_assistant
        return await _told(
            info, lambda by: enter(provider_assistant_id, name=name, by=by)
        )

    @mutation(ADMINS, "Changes it at the provider, then in the directory.")
    async def update_assistant(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        input: UpdateAssistantInput,  # noqa: A002 - the contract's name
    ) -> AssistantResult:
        update, id_ = (
            info.context.services.assistants.update,
            as_uuid("assistant", id),
        )
        return await _told(
            info,
            lambda by: update(id_, name=input.name, config=input.config, by=by),
        )

    @mutation(
        ADMINS, "Refused with IN_USE while a campaign that is not finished uses it."
    )
    async def archive_assistant(self, info: Info, id: strawberry.ID) -> AssistantResult:  # noqa: A002 - the contract's name
        backend, id_ = info.context.backend, as_uuid("assistant", id)
        # Campaigns of an instant ago count as well.
        await backend.is_visible(None)
        return await _told(
            info, lambda by: backend.services.assistants.archive(id_, by=by)
        )


async def _told(
    info: Info, command: Callable[[str], tuple[UUID, int | None]]
) -> Assistant:
    backend = info.context.backend
    id_, position = await backend.run_slow(command, info.context.viewer.email)
    await backend.is_visible(position)
    return await assistant_of(info.context, id_)
