"""Assistants, as the directory shows them."""

from typing import Annotated, Self
from uuid import UUID

import strawberry

from application.assistants import AssistantService
from application.calls.tool_calls import TOOL_NAMES
from domain.assistant import Assistant as AssistantAggregate
from domain.assistant import assistant_id_of
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, query
from interfaces.graphql.types.scalars import JSON
from projections.registers import directory
from projections.registers.directory import AssistantRow


@strawberry.type
class Assistant:
    """An assistant of the directory."""

    id: strawberry.ID
    name: str
    provider_assistant_id: str
    archived: bool
    config: JSON = strawberry.field(
        description="Its configuration at the provider, without secrets."
    )
    active_campaigns: int = strawberry.field(
        description="Number of unfinished campaigns that use it."
    )
    variables: list[str] = strawberry.field(
        description="Names of the variables used in its prompt and first message."
    )
    has_tools: bool = strawberry.field(
        description="Whether the tools record_opt_out and schedule_callback are set up"
        " at the provider."
    )
    warnings: list[str] = strawberry.field(
        description="Parts of the configuration that our calls ignore or change."
    )

    @classmethod
    def of(cls, row: AssistantRow, service: AssistantService) -> Self:
        """Build it from a row of the read model."""
        return cls(
            id=strawberry.ID(str(row.id)),
            name=row.name,
            provider_assistant_id=row.provider_assistant_id,
            archived=row.archived,
            config=JSON(row.config),
            active_campaigns=row.active_campaigns,
            variables=service.variables(row.config),
            has_tools=set(row.tools) >= TOOL_NAMES,
            warnings=service.warnings(row.config),
        )


@strawberry.type
class ProviderAssistant:
    """An assistant of the provider's account."""

    provider_assistant_id: str
    name: str | None
    assistant: Assistant | None = strawberry.field(
        description="The directory's entry; null if it was not imported."
    )


AssistantResult = Annotated[Assistant | UserError, strawberry.union("AssistantResult")]


async def assistant_of(context: Context, id_: UUID) -> Assistant:
    """Read it from the read model, or from its events if it is not there yet."""
    row = await context.loaders.assistants.load(id_)
    if row is None:
        row = await context.backend.run_reader(_from_log, context, id_)
    return Assistant.of(row, context.services.assistants)


def _from_log(context: Context, id_: UUID) -> AssistantRow:
    known = context.services.app.load(AssistantAggregate, id_)
    return AssistantRow(
        id=id_,
        name=known.name,
        provider_assistant_id=known.provider_assistant_id,
        archived=known.archived,
        config=known.config,
        tools=list(known.tools),
        active_campaigns=0,
    )


@strawberry.type
class AssistantQueries:
    """Queries of assistants."""

    @query(EVERYBODY)
    async def assistants(
        self,
        info: Info,
        include_archived: bool | None = False,  # noqa: FBT001, FBT002 - the contract's argument
    ) -> list[Assistant]:
        """Return the assistants; archived ones on request only."""
        every = bool(include_archived)
        rows = await info.context.backend.read(
            directory.assistants, include_archived=every
        )
        service = info.context.services.assistants
        return [Assistant.of(row, service) for row in rows]

    @query(
        ADMINS,
        "The provider's assistants, to import from; at most 1,000, the newest first.",
    )
    async def provider_assistants(self, info: Info) -> list[ProviderAssistant]:
        """List the assistants of the provider's account.

        Raises PROVIDER_UNAVAILABLE or PROVIDER_REFUSED.
        """
        backend, context = info.context.backend, info.context
        listed = await backend.run_slow(backend.services.assistants.at_provider)
        ids = [assistant_id_of(one.id) for one in listed]
        rows = await context.loaders.assistants.load_many(ids)
        service = backend.services.assistants
        return [
            ProviderAssistant(
                provider_assistant_id=one.id,
                name=one.name,
                assistant=None if row is None else Assistant.of(row, service),
            )
            for one, row in zip(listed, rows, strict=True)
        ]
