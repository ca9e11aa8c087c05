"""Mutations of a single contact."""

from typing import Annotated

import strawberry

from domain.errors import NotFound
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import OPERATORS, mutation
from interfaces.graphql.types.contacts import Contact
from interfaces.graphql.types.enums import Disposition
from interfaces.graphql.types.paging import as_uuid
from projections import contact_log

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
