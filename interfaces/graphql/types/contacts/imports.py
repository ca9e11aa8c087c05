"""Contact files: uploads, and imports into campaigns."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, Self
from uuid import UUID

import strawberry

from application.contacts.files.upload_report import SAMPLE_ROWS, sample_row
from application.contacts.files.uploads import StagedRow, Upload
from domain.values import SkipReason as Reason
from domain.values import uuid_or_none
from interfaces.graphql.context import Context, Info
from interfaces.graphql.permissions import OPERATORS, query
from interfaces.graphql.types.enums import ColumnRole, SkipReason
from interfaces.graphql.types.scalars import JSON
from projections.contacts import contact_import
from projections.contacts.contact_import import ContactImport as ImportRow

MOST_SHOWN = 1_000


class Skipped(Protocol):
    """A row of a file that was left out; the header is row 1."""

    @property
    def row(self) -> int: ...

    @property
    def reason(self) -> Reason: ...

    @property
    def message(self) -> str: ...


@strawberry.type
class SkippedRow:
    """A row of a file that did not become a contact, and why."""

    row: int
    reason: SkipReason
    message: str


@strawberry.type
class ImportReport:
    """How many rows of a file became contacts, and which did not."""

    accepted: int
    skipped_count: int
    skipped: list[SkippedRow] = strawberry.field(
        description="The first 1,000 skipped rows; rejectsUrl has all that are kept."
    )
    rejects_url: str | None
    rejects_not_kept: int = strawberry.field(
        description="Skipped rows that are only counted, beyond those in rejectsUrl."
    )

    @classmethod
    def of(
        cls,
        *,
        accepted: int,
        skipped: int,
        rows: Iterable[Skipped],
        url: str,
        not_kept: int,
    ) -> Self:
        shown = [
            SkippedRow(row=one.row, reason=one.reason, message=one.message)
            for one in rows
        ]
        return cls(
            accepted=accepted,
            skipped_count=skipped,
            skipped=shown,
            rejects_url=url if skipped else None,
            rejects_not_kept=not_kept,
        )


@strawberry.type
class ContactImport:
    """A file whose contacts belong to a campaign."""

    row: strawberry.Private[ImportRow]
    id: strawberry.ID
    imported_at: datetime

    @classmethod
    def of(cls, row: ImportRow) -> Self:
        id_ = strawberry.ID(str(row.list_id))
        return cls(row=row, id=id_, imported_at=row.imported_at)

    @strawberry.field
    async def filename(self, info: Info) -> str:
        name = await info.context.loaders.texts.load(self.row.filename_words_id)
        return name or ""

    @strawberry.field
    async def report(self, info: Info) -> ImportReport:
        return await report_of(info.context, self.row)


async def report_of(context: Context, row: ImportRow) -> ImportReport:
    rows = await context.backend.read(
        contact_import.skipped_rows, row.list_id, most=MOST_SHOWN
    )
    not_kept = await context.backend.read(contact_import.rejects_not_kept, row)
    return ImportReport.of(
        accepted=row.accepted,
        skipped=row.skipped,
        rows=rows,
        url=f"/imports/{row.list_id}/rejects.csv",
        not_kept=not_kept,
    )


@strawberry.type
class ColumnUse:
    """What one column of a file is used for."""

    column: str
    role: ColumnRole


@strawberry.type
class CountryCount:
    """Accepted contacts whose numbers belong to one country."""

    country: str
    contacts: int


@strawberry.type
class KindCount:
    """Accepted contacts whose numbers are of one kind, such as mobile."""

    kind: str
    contacts: int


@strawberry.type
class SampleRow:
    """One of the first accepted rows of a file."""

    row: int
    name: str
    business_name: str
    phone: str
    places: list[str]
    time_zones: list[str]
    variables: JSON

    @classmethod
    def of(cls, staged: StagedRow) -> Self:
        row = sample_row(staged)
        return cls(
            row=row.row,
            name=row.name,
            business_name=row.business_name,
            phone=row.phone,
            places=list(row.places),
            time_zones=list(row.time_zones),
            variables=JSON(row.variables),
        )


@strawberry.type
class ContactUpload:
    """A checked file whose contacts no campaign has taken yet."""

    upload: strawberry.Private[Upload]
    id: strawberry.ID
    filename: str
    columns: list[str]
    mapping: list[ColumnUse] = strawberry.field(
        description="How each column was interpreted."
    )
    region: str = strawberry.field(
        description="Default region used for numbers without a country code."
    )
    countries: list[CountryCount] = strawberry.field(
        description="Accepted numbers per country, most frequent first."
    )
    kinds: list[KindCount] = strawberry.field(
        description="Accepted numbers per kind, such as MOBILE or TOLL_FREE."
    )
    warnings: list[str] = strawberry.field(
        description="Possible problems, such as an unlikely default region."
    )
    sheet: str | None = strawberry.field(
        description="The sheet that was read of a workbook; null for other files."
    )
    sheets: list[str] = strawberry.field(
        description="All sheets of a workbook; empty for other files."
    )
    expires_at: datetime

    @classmethod
    def of(cls, upload: Upload) -> Self:
        return cls(
            upload=upload,
            id=strawberry.ID(str(upload.id)),
            filename=upload.filename,
            columns=list(upload.columns),
            mapping=[
                ColumnUse(column=column, role=role)
                for column, role in zip(upload.columns, upload.roles, strict=True)
            ],
            region=upload.default_region,
            countries=[
                CountryCount(country=country, contacts=contacts)
                for country, contacts in upload.countries
            ],
            kinds=[
                KindCount(kind=kind, contacts=contacts)
                for kind, contacts in upload.kinds
            ],
            warnings=list(upload.warnings),
            sheet=upload.sheets.read if upload.sheets else None,
            sheets=list(upload.sheets.names) if upload.sheets else [],
            expires_at=upload.expires_at,
        )

    @strawberry.field
    async def sample(self, info: Info) -> list[SampleRow]:
        backend = info.context.backend
        rows = await backend.run_reader(
            backend.services.uploads.rows, self.upload.id, 0, SAMPLE_ROWS
        )
        return [SampleRow.of(row) for row in rows]

    @strawberry.field
    async def report(self, info: Info) -> ImportReport:
        backend, upload = info.context.backend, self.upload
        rows = await backend.run_reader(
            backend.services.uploads.first_rejects, upload.id, MOST_SHOWN
        )
        return ImportReport.of(
            accepted=upload.accepted,
            skipped=upload.skipped_count,
            rows=rows,
            url=f"/uploads/{upload.id}/rejects.csv",
            not_kept=upload.not_kept_count,
        )


@strawberry.type
class UploadQueries:
    @query(OPERATORS, "A file that was not imported yet; null after it has expired.")
    async def upload(self, info: Info, id: strawberry.ID) -> ContactUpload | None:  # noqa: A002 - the contract's name
        upload_id = uuid_or_none(id)
        if upload_id is None:
            return None
        return await unused_upload(info.context, upload_id)


async def unused_upload(context: Context, upload_id: UUID) -> ContactUpload | None:
    backend = context.backend
    used = await backend.read(contact_import.get, upload_id)
    upload = await backend.run_reader(
        backend.services.uploads.get, upload_id, backend.services.now()
    )
    return None if upload is None or used else ContactUpload.of(upload)
