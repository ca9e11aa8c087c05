"""Mutations of the register of suppressed numbers."""

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.permissions import ADMINS, OPERATORS, mutation
from interfaces.graphql.types.contacts.suppressions import (
    Suppression,
    SuppressionResult,
)
from interfaces.graphql.types.paging import as_uuid


@strawberry.type
class SuppressionCommands:
    """Mutations about the register."""

    @mutation(
        OPERATORS,
        "Adds a number to the register: it is not called again in any campaign. Calls"
        " under way continue.",
    )
    async def suppress_number(
        self, info: Info, phone: str, reason: str | None = None
    ) -> SuppressionResult:
        """Suppress a number; one that is suppressed already is returned as it is."""
        backend, viewer = info.context.backend, info.context.viewer
        numbers = backend.services.numbers

        def command() -> Suppression:
            entry = numbers.suppress_by_member(
                phone,
                region=backend.services.settings.values().default_region,
                in_browser=viewer.in_browser,
                reason=reason,
                by=viewer.email,
            )
            return Suppression.of_event(entry)

        made = await backend.run_command(command)
        await backend.is_visible(None)
        return made

    @mutation(
        ADMINS,
        "Removes a number from the register and returns the entry as it was. Imported"
        " lists are not affected.",
    )
    async def lift_suppression(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        reason: str,
    ) -> SuppressionResult:
        """Lift a suppression; the reason is recorded."""
        backend, by = info.context.backend, info.context.viewer.email
        numbers, number_id = backend.services.numbers, as_uuid("suppressed number", id)

        def command() -> tuple[Suppression, int | None]:
            event, position = numbers.lift(number_id, reason=reason, by=by)
            return Suppression.of_event(event), position

        lifted, position = await backend.run_command(command)
        await backend.is_visible(position)
        return lifted
