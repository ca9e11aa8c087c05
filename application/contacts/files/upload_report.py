"""What was understood of an upload, as HTTP and the command line report it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from application.contacts.files.contact_groups import group_of
from application.contacts.files.uploads import RejectedRow, StagedRow, Upload

SAMPLE_ROWS = 5
"""Accepted rows that a report shows."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """An accepted row as it was understood.

    `row` is its number in the file, `phone` E.164. `places` are the ISO 3166 codes of
    all places to which the number may belong, `time_zones` their IANA names.
    """

    row: int
    name: str
    business_name: str
    phone: str
    places: tuple[str, ...]
    time_zones: tuple[str, ...]
    variables: dict[str, str]


def sample_row(row: StagedRow) -> SampleRow:
    """Describe a staged row."""
    places = group_of(row.phone, row.attributes).places
    return SampleRow(
        row=row.row,
        name=row.name,
        business_name=row.business_name,
        phone=row.phone,
        places=places.codes,
        time_zones=places.time_zones,
        variables=row.variables,
    )


def upload_report(
    upload: Upload, rejects: Sequence[RejectedRow], sample: Sequence[StagedRow]
) -> dict[str, Any]:
    """Return the JSON of `POST /uploads`; `rejects` and `sample` are the first rows."""
    skipped = [
        {"row": row.row, "reason": row.reason, "message": row.message}
        for row in rejects
    ]
    return {
        "id": str(upload.id),
        "filename": upload.filename,
        "columns": list(upload.columns),
        "report": {
            "accepted": upload.accepted,
            "skippedCount": upload.skipped_count,
            "skipped": skipped,
            "rejectsUrl": f"/uploads/{upload.id}/rejects.csv" if skipped else None,
            "rejectsNotKept": upload.not_kept_count,
        },
        "mapping": [
            {"column": column, "role": role}
            for column, role in zip(upload.columns, upload.roles, strict=True)
        ],
        "region": upload.default_region,
        "sample": [_sample_json(sample_row(row)) for row in sample],
        "countries": [
            {"country": country, "contacts": contacts}
            for country, contacts in upload.countries
        ],
        "kinds": [
            {"kind": kind, "contacts": contacts} for kind, contacts in upload.kinds
        ],
        "warnings": list(upload.warnings),
        "missing": [
            {"variable": one.variable, "rows": one.rows, "firstRows": list(one.first)}
            for one in upload.missing
        ],
        "sheet": upload.sheets.read if upload.sheets else None,
        "sheets": list(upload.sheets.names) if upload.sheets else [],
        "expiresAt": upload.expires_at.isoformat(),
    }


def _sample_json(row: SampleRow) -> dict[str, Any]:
    return {
        "row": row.row,
        "name": row.name,
        "businessName": row.business_name,
        "phone": row.phone,
        "places": list(row.places),
        "timeZones": list(row.time_zones),
        "variables": row.variables,
    }
