"""Assistants, as the directory shows them."""

from dataclasses import asdict
from typing import Annotated, Self
from uuid import UUID

import strawberry

from application.assistants import AssistantService
from application.calls.tool_calls import TOOL_NAMES
from application.ports import AssistantFields
from domain.assistant import Assistant as AssistantAggregate
from domain.assistant import assistant_id_of
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, query
from interfaces.graphql.types.scalars import JSON
from projections.registers import directory
from projections.registers.directory import AssistantRow


@strawberry.type
class AssistantForm:
    """Parts of a configuration that every assistant has; null if not set."""

    first_message: str | None = strawberry.field(
        description="What it says first; variables as in {{name}}."
    )
    prompt: str | None = strawberry.field(
        description="Its instructions; variables as in {{name}}."
    )
    model: str | None = strawberry.field(
        description="PROVIDER/NAME of its language model."
    )
    voice: str | None = strawberry.field(description="PROVIDER/NAME of its voice.")
    voicemail_message: str | None = strawberry.field(
        description="What it says to an answering machine."
    )
    longest_call_seconds: int | None = strawberry.field(
        description="Seconds after which the provider ends a call."
    )

    @classmethod
    def of(cls, values: AssistantFields) -> Self:
        """Build it from the fields that were read."""
        return cls(**asdict(values))


@strawberry.type
class AssistantDraft:
    """A configuration that is being edited; nothing is stored."""

    config: JSON = strawberry.field(
        description="The configuration, without what only the provider sets."
    )
    form: AssistantForm


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
    form: AssistantForm
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
            form=AssistantForm.of(service.fields(row.config)),
            active_campaigns=row.active_campaigns,
            variables=service.variables(row.config),
            has_tools=set(row.tools) >= TOOL_NAMES,
            warnings=service.warnings(row.config),
        )


@strawberry.input(
    description="Fields that are left out or null are not changed. model and voice are"
    " PROVIDER/NAME, by the names that the assistants' provider uses."
)
class AssistantFormInput:
    """New values of fields."""

    first_message: str | None = None
    prompt: str | None = None
    model: str | None = None
    voice: str | None = None
    voicemail_message: str | None = None
    longest_call_seconds: int | None = None


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
        "A configuration with changed fields, and all its fields; stores nothing."
        " Without config: that of a new assistant.",
    )
    async def assistant_draft(
        self,
        info: Info,
        config: JSON | None = None,
        form: AssistantFormInput | None = None,
    ) -> AssistantDraft:
        """Write fields into a configuration, as an editor with a form needs it."""
        draft = info.context.services.assistants.draft
        drafted, read = draft(config, asdict(form) if form else {})
        return AssistantDraft(config=JSON(drafted), form=AssistantForm.of(read))

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
