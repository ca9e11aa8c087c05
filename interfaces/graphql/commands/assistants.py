"""Mutations of assistants."""

from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

import strawberry

from application.ports import AssistantChanges
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import ADMINS, mutation
from interfaces.graphql.types.assistants import (
    Assistant,
    AssistantFormInput,
    AssistantResult,
    assistant_of,
)
from interfaces.graphql.types.paging import as_uuid
from interfaces.graphql.types.scalars import JSON


@strawberry.input(
    description="Without config, a new assistant begins with an example. The values of"
    " form are written into it."
)
class CreateAssistantInput:
    """Input of `createAssistant`."""

    name: str
    config: JSON | None = None
    form: AssistantFormInput | None = None


@strawberry.input(
    description="Fields that are left out or null are not changed, nor are keys"
    " missing in config. A change of only the form keeps the secrets of the"
    " configuration, which config lacks."
)
class UpdateAssistantInput:
    """Input of `updateAssistant`."""

    name: str | None = None
    config: JSON | None = None
    form: AssistantFormInput | None = None


def _given(form: AssistantFormInput | None) -> AssistantChanges:
    return asdict(form) if form else {}


@strawberry.type
class AssistantCommands:
    """Mutations of assistants; they change the provider's copy first."""

    @mutation(ADMINS, "Creates an assistant at the provider, then registers it here.")
    async def create_assistant(
        self,
        info: Info,
        input: CreateAssistantInput,  # noqa: A002 - the contract's name
    ) -> AssistantResult:
        """Create an assistant at the provider; register it under our own id."""
        create, fields = info.context.services.assistants.create, _given(input.form)
        return await _after(
            info, lambda by: create(input.name, input.config, fields, by=by)
        )

    @mutation(ADMINS, "Registers an assistant that exists at the provider.")
    async def import_assistant(
        self, info: Info, provider_assistant_id: str, name: str | None = None
    ) -> AssistantResult:
        """Register an assistant by the provider's id, once however often called."""
        enter = info.context.services.assistants.import_assistant
        return await _after(
            info, lambda by: enter(provider_assistant_id, name=name, by=by)
        )

    @mutation(ADMINS, "Changes an assistant at the provider, then here.")
    async def update_assistant(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        input: UpdateAssistantInput,  # noqa: A002 - the contract's name
    ) -> AssistantResult:
        """Change the name, the given keys of the configuration, or both."""
        update = info.context.services.assistants.update
        id_, fields = as_uuid("assistant", id), _given(input.form)
        return await _after(
            info,
            lambda by: update(
                id_, name=input.name, config=input.config, fields=fields, by=by
            ),
        )

    @mutation(
        ADMINS,
        "Sets up the tools record_opt_out and schedule_callback for it at the"
        " provider.",
    )
    async def add_assistant_tools(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
    ) -> AssistantResult:
        """Add the tools; an assistant that has them stays as it is."""
        add = info.context.services.assistants.add_tools
        id_ = as_uuid("assistant", id)
        return await _after(info, lambda by: add(id_, by=by))

    @mutation(ADMINS, "Refused with IN_USE while an unfinished campaign uses it.")
    async def archive_assistant(self, info: Info, id: strawberry.ID) -> AssistantResult:  # noqa: A002 - the contract's name
        """Hide an assistant from new campaigns."""
        backend, id_ = info.context.backend, as_uuid("assistant", id)
        # Campaigns that were created a moment ago count too.
        await backend.is_visible(None)
        return await _after(
            info, lambda by: backend.services.assistants.archive(id_, by=by)
        )


async def _after(
    info: Info, command: Callable[[str], tuple[UUID, int | None]]
) -> Assistant:
    backend = info.context.backend
    id_, position = await backend.run_slow(command, info.context.viewer.email)
    await backend.is_visible(position)
    return await assistant_of(info.context, id_)
