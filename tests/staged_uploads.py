"""Uploads in memory, in the place of those that members sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from application.contacts.files.uploads import RejectedRow, StagedRow, Upload, Uploads
from domain.values import SkipReason


@dataclass
class StagedUploads(Uploads):
    """Checked files in memory."""

    files: dict[UUID, Upload] = field(default_factory=dict)
    staged: dict[UUID, list[StagedRow]] = field(default_factory=dict)
    rejected: dict[UUID, list[RejectedRow]] = field(default_factory=dict)

    def stage(
        self, phones: Sequence[str], rejects: Sequence[int] = (), not_kept: int = 0
    ) -> UUID:
        """Stage a file with these people; `rejects` are rows with no name.

        A phone may have an extension: "+12025550140 ext. 5". `not_kept` is the number
        of further rejects that are only counted.
        """
        id_ = uuid4()
        self.staged[id_] = [_person(n, phone) for n, phone in enumerate(phones, 1)]
        self.rejected[id_] = [_nameless(row) for row in rejects]
        self.files[id_] = Upload(
            id=id_,
            filename="people.csv",
            columns=("name", "phone", "plan"),
            default_region="US",
            accepted=len(phones),
            skipped_count=len(rejects) + not_kept,
            created_by="ann@example.com",
            created_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
            expires_at=datetime.max.replace(tzinfo=UTC),
            not_kept={SkipReason.MISSING_NAME: not_kept} if not_kept else {},
        )
        return id_

    def get(self, upload_id: UUID, now: datetime) -> Upload | None:
        upload = self.files.get(upload_id)
        return upload if upload and now < upload.expires_at else None

    def rows(self, upload_id: UUID, after_ordinal: int, limit: int) -> list[StagedRow]:
        return self.staged[upload_id][after_ordinal : after_ordinal + limit]

    def rejects(self, upload_id: UUID, after_row: int, limit: int) -> list[RejectedRow]:
        rows = [row for row in self.rejected[upload_id] if row.row > after_row]
        return rows[:limit]


def _person(ordinal: int, phone: str) -> StagedRow:
    number, _, extension = phone.partition(" ext. ")
    return StagedRow(
        ordinal=ordinal,
        row=ordinal + 1,
        name=f"Person {ordinal}",
        business_name="",
        phone=number,
        variables={"plan": "gold"},
        extension=extension or None,
    )


def _nameless(row: int) -> RejectedRow:
    return RejectedRow(
        row=row,
        reason=SkipReason.MISSING_NAME,
        message="The name is missing.",
        cells=("", "+12025550999", "gold"),
    )
