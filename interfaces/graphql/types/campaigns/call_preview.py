"""What an assistant would say to a contact of a file that is not imported yet."""

from typing import Any, cast

import strawberry

from application.call_variables import call_variables
from application.contacts.files.assistant_fit import AssistantFit, fit_of
from application.contacts.files.missing_values import missing_message
from application.contacts.files.uploads import StagedRow, Upload
from domain.errors import NotFound
from domain.values import uuid_or_none
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import OPERATORS, query
from interfaces.graphql.types.assistants import Assistant, assistant_of
from interfaces.graphql.types.contacts.imports import unused_upload
from interfaces.graphql.types.scalars import JSON


@strawberry.type
class MissingValues:
    """Accepted rows of a file without a value for a variable of the assistant."""

    variable: str
    rows: int
    first_rows: list[int]
    message: str


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
    lacking: list[str] = strawberry.field(
        description="Variables that the assistant uses and for which the file has no"
        " column."
    )
    missing: list[MissingValues] = strawberry.field(
        description="Variables that the assistant says and for which some accepted rows"
        " of the file have no value."
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
        upload = await _upload(context, upload_id)
        staged = await _staged_row(context, upload, row)
        assistant = await _assistant(context, assistant_id)
        config = cast(dict[str, Any], assistant.config)
        service = context.services.assistants
        given = call_variables(staged.business_name, staged.variables)
        texts = service.preview(config, staged.name, given)
        used = service.variables(config)
        fit = fit_of(upload, used, texts)
        return CallPreview(
            row=staged.row,
            first_message=texts.first_message,
            system_prompt=texts.system_prompt,
            variables=JSON(texts.values),
            unfilled=[name for name in used if not texts.values.get(name)],
            unused=[name for name in staged.variables if name not in used],
            lacking=list(fit.lacking),
            missing=_missing(fit),
        )


def _missing(fit: AssistantFit) -> list[MissingValues]:
    return [
        MissingValues(
            variable=one.variable,
            rows=one.rows,
            first_rows=list(one.first),
            message=missing_message(one, text),
        )
        for one, text in fit.missing
    ]


async def _upload(context: Context, upload_id: strawberry.ID) -> Upload:
    id_ = uuid_or_none(upload_id)
    found = None if id_ is None else await unused_upload(context, id_)
    if found is None:
        raise bad_request("There is no such upload, or it has expired.")
    return found.upload


async def _staged_row(context: Context, upload: Upload, row: int | None) -> StagedRow:
    store = context.services.uploads
    found = await context.backend.run_reader(store.row, upload.id, row)
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
