"""What an assistant would say to a contact of a file that is not imported yet."""

from typing import Any, cast

import strawberry

from application.contacts.files.uploads import StagedRow
from domain.errors import NotFound
from domain.values import uuid_or_none
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import OPERATORS, query
from interfaces.graphql.types.assistants import Assistant, assistant_of
from interfaces.graphql.types.contacts.imports import unused_upload
from interfaces.graphql.types.scalars import JSON


@strawberry.type
class CallPreview:
    """The texts of one call, with the variables of one row filled in."""

    row: int
    first_message: str | None
    system_prompt: str | None
    variables: JSON
    unfilled: list[str] = strawberry.field(
        description="Variables that the assistant uses but the row lacks."
    )
    unused: list[str] = strawberry.field(
        description="Columns that the assistant does not use."
    )


@strawberry.type
class PreviewQueries:
    """Queries of calls that were not placed."""

    @query(
        OPERATORS,
        "The prompt and first message with the variables of one row filled in. Without"
        " row: the first accepted row.",
    )
    async def call_preview(
        self,
        info: Info,
        upload_id: strawberry.ID,
        assistant_id: strawberry.ID,
        row: int | None = None,
    ) -> CallPreview:
        """Return the preview; BAD_REQUEST if something named does not exist."""
        context = info.context
        staged = await _staged_row(context, upload_id, row)
        assistant = await _assistant(context, assistant_id)
        config = cast(dict[str, Any], assistant.config)
        service = context.services.assistants
        texts = service.preview(config, staged.name, staged.variables)
        used = service.variables(config)
        return CallPreview(
            row=staged.row,
            first_message=texts.first_message,
            system_prompt=texts.system_prompt,
            variables=JSON(texts.values),
            unfilled=[name for name in used if not texts.values.get(name)],
            unused=[name for name in staged.variables if name not in used],
        )


async def _staged_row(
    context: Context, upload_id: strawberry.ID, row: int | None
) -> StagedRow:
    id_ = uuid_or_none(upload_id)
    if id_ is None or await unused_upload(context, id_) is None:
        raise bad_request("There is no such upload, or it has expired.")
    store = context.services.uploads
    found = await context.backend.run_reader(store.row, id_, row)
    if found is None:
        wanted = "an accepted row" if row is None else f"an accepted row {row}"
        raise bad_request(f"The upload does not have {wanted}.")
    return found


async def _assistant(context: Context, assistant_id: strawberry.ID) -> Assistant:
    id_ = uuid_or_none(assistant_id)
    try:
        if id_ is not None:
            return await assistant_of(context, id_)
    except NotFound:
        pass
    raise bad_request("There is no such assistant.")
