"""Mutations of imported suppression lists."""

import strawberry

from domain.errors import NotFound
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import ADMINS, mutation
from interfaces.graphql.types.contacts.suppression_lists import (
    SuppressionList,
    SuppressionListResult,
    today_of,
)
from interfaces.graphql.types.paging import as_uuid
from projections.registers import suppression_list_board


@strawberry.type
class SuppressionListCommands:
    """Mutations of imported lists; they are uploaded to POST /suppression-lists."""

    @mutation(
        ADMINS,
        "For admins: stops using a list and deletes its numbers. Permits that name the"
        " list are kept.",
    )
    async def remove_suppression_list(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
    ) -> SuppressionListResult:
        """Remove a list; return it as it was."""
        backend, by = info.context.backend, info.context.viewer.email
        list_id = as_uuid("suppression list", id)
        row = await backend.read(suppression_list_board.get, list_id)
        if row is None:
            raise NotFound("suppression list", id)
        service = backend.services.suppression_lists
        position = await backend.run_command(service.remove, list_id, by=by)
        await backend.is_visible(position)
        return SuppressionList.of(row, today_of(info))
