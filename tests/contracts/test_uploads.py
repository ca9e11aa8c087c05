"""The contract of the port Uploads, for the fake and for the store in Postgres."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from application.contacts.files.contact_rows import AcceptedRow, Row, SkippedRow
from application.contacts.files.findings import Findings
from application.contacts.files.uploads import Uploads
from domain.values import SkipReason
from storage.database import open_pool
from storage.migrate import migrate
from storage.vault.uploads import NewUpload, UploadStore
from tests.staged_uploads import StagedUploads

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EXPIRY = NOW + timedelta(days=1)
PHONES = ["+12025550101", "+12025550102 ext. 5", "+12025550103"]
REJECTED_ROWS = [7, 9]


@dataclass
class Side:
    """An implementation; `stage(phones, rejected_rows)` stores a file that expires."""

    uploads: Uploads
    stage: Callable[[Sequence[str], Sequence[int]], UUID]


def fake() -> Side:
    uploads = StagedUploads()

    def stage(phones: Sequence[str], rejected_rows: Sequence[int]) -> UUID:
        id_ = uploads.stage(phones, rejected_rows)
        uploads.files[id_] = replace(uploads.files[id_], expires_at=EXPIRY)
        return id_

    return Side(uploads, stage)


def postgres(url: str, opened: ExitStack) -> Side:
    migrate(url)
    store = UploadStore(opened.enter_context(open_pool(url, name="test")))

    def stage(phones: Sequence[str], rejected_rows: Sequence[int]) -> UUID:
        upload = NewUpload(uuid4(), "a.csv", "US", "ann@example.com", NOW, EXPIRY)
        rows: list[Row] = [_accepted(n, phone) for n, phone in enumerate(phones, 1)]
        rows += [_skipped(row) for row in rejected_rows]
        with store.receive(upload) as reception:
            reception.write(rows)
            return reception.complete(Findings(("name", "phone", "plan"))).id

    return Side(store, stage)


def _accepted(ordinal: int, phone: str) -> AcceptedRow:
    number, _, extension = phone.partition(" ext. ")
    variables = {"plan": "gold"}
    name = f"Person {ordinal}"
    return AcceptedRow(
        ordinal + 1, name, "", number, variables, extension=extension or None
    )


def _skipped(row: int) -> SkippedRow:
    cells = ("", "+12025550999", "gold")
    return SkippedRow(row, SkipReason.MISSING_NAME, "The name is missing.", cells)


@pytest.fixture(params=["fake", "postgres"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with ExitStack() as opened:
        if request.param == "fake":
            yield fake()
        else:
            yield postgres(request.getfixturevalue("database"), opened)


def test_an_upload_counts_its_accepted_and_skipped_rows(side: Side) -> None:
    upload = side.uploads.get(side.stage(PHONES, REJECTED_ROWS), NOW)
    assert upload is not None
    assert (upload.accepted, upload.skipped_count) == (3, 2)
    assert upload.columns == ("name", "phone", "plan")
    assert (upload.default_region, upload.created_by) == ("US", "ann@example.com")


def test_an_unknown_upload_is_not_found(side: Side) -> None:
    assert side.uploads.get(uuid4(), NOW) is None


def test_an_upload_is_not_found_from_the_moment_of_its_expiry(side: Side) -> None:
    id_ = side.stage(PHONES, [])
    assert side.uploads.get(id_, EXPIRY - timedelta(seconds=1)) is not None
    assert side.uploads.get(id_, EXPIRY) is None


def test_accepted_rows_are_numbered_in_the_order_of_the_file(side: Side) -> None:
    rows = side.uploads.rows(side.stage(PHONES, REJECTED_ROWS), 0, 10)
    assert [(row.ordinal, row.row) for row in rows] == [(1, 2), (2, 3), (3, 4)]
    assert [row.name for row in rows] == ["Person 1", "Person 2", "Person 3"]
    assert [row.variables for row in rows] == [{"plan": "gold"}] * 3


def test_an_extension_is_separate_from_the_number(side: Side) -> None:
    [row] = side.uploads.rows(side.stage(PHONES, []), 1, 1)
    assert (row.phone, row.extension) == ("+12025550102", "5")


def test_pages_of_rows_continue_after_the_last_ordinal(side: Side) -> None:
    id_ = side.stage(PHONES, [])
    pages = [side.uploads.rows(id_, after, 2) for after in (0, 2, 3)]
    assert [[row.ordinal for row in page] for page in pages] == [[1, 2], [3], []]


def test_pages_of_rejects_continue_after_the_last_row(side: Side) -> None:
    id_ = side.stage(PHONES, REJECTED_ROWS)
    pages = [side.uploads.rejects(id_, after, 1) for after in (0, 7, 9)]
    assert [[reject.row for reject in page] for page in pages] == [[7], [9], []]
    [first] = pages[0]
    assert first.reason is SkipReason.MISSING_NAME
    assert first.cells == ("", "+12025550999", "gold")


def test_an_upload_has_only_its_own_rows(side: Side) -> None:
    first, second = side.stage(PHONES[:1], [7]), side.stage(PHONES[2:], [9])
    [row] = side.uploads.rows(second, 0, 10)
    [reject] = side.uploads.rejects(first, 0, 10)
    assert (row.phone, reject.row) == (PHONES[2], 7)
