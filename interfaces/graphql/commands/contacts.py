"""Mutations of a single contact."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry

from domain.errors import NotFound
from domain.outcomes import Withheld
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import OPERATORS, mutation
from interfaces.graphql.types.contacts.contacts import Contact
from interfaces.graphql.types.enums import Disposition
from interfaces.graphql.types.paging import as_uuid
from projections.contacts import contact_log

ContactResult = Annotated[Contact | UserError, strawberry.union("ContactResult")]


@strawberry.type
class ContactCommands:
    """Mutations of contacts; operators and admins may use them."""

    @mutation(
        OPERATORS,
        "Sets or clears (null) the disposition by hand. For operators and admins.",
    )
    async def set_disposition(
        self,
        info: Info,
        contact_id: strawberry.ID,
        disposition: Disposition | None = None,
        note: str | None = None,
    ) -> ContactResult:
        """Set the disposition; return the contact with it."""
        backend = info.context.backend
        id_ = as_uuid("contact", contact_id)
        set_disposition = backend.services.contacts.set_disposition
        by = info.context.viewer.email
        position = await backend.run_command(
            set_disposition, id_, disposition, note, by=by
        )
        await backend.is_visible(position)
        row = await backend.read(contact_log.get, id_)
        if row is None:
            raise NotFound("contact", id_)
        stored_note = (note or "").strip() or None
        return Contact.of(row, set_by_hand=(disposition, stored_note))

    @mutation(
        OPERATORS,
        "Returns a finished contact of a campaign that is not over: it is called again,"
        " not before at.",
    )
    async def call_again(
        self, info: Info, contact_id: strawberry.ID, at: datetime | None = None
    ) -> ContactResult:
        """Plan another call to the contact; return the contact with it."""
        command = info.context.services.planned_calls.call_again
        return await _after(info, contact_id, partial(command, not_before=at))

    @mutation(
        OPERATORS,
        "Removes a waiting contact: it is withheld as REMOVED. For operators and"
        " admins.",
    )
    async def remove_contact(
        self, info: Info, contact_id: strawberry.ID
    ) -> ContactResult:
        """Finish the contact without a call; return it."""
        withhold = info.context.services.planned_calls.withhold
        command = partial(withhold, reason=Withheld.REMOVED)
        return await _after(info, contact_id, command)


async def _after(info: Info, id_: str, command: Callable[..., int | None]) -> Contact:
    """Run a command on a contact of its campaign; return the contact as it is then."""
    backend, contact_id = info.context.backend, as_uuid("contact", id_)
    row = await backend.read(contact_log.get, contact_id)
    if row is None:
        raise NotFound("contact", contact_id)
    by = info.context.viewer.email
    position = await backend.run_command(command, contact_id, row.campaign_id, by=by)
    await backend.is_visible(position)
    changed = await backend.read(contact_log.get, contact_id)
    return Contact.of(changed or row)
