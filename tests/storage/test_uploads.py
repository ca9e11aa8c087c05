"""Uploads are stored in blocks, completed once, read in pages and removed in time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from application.contacts.files.contact_rows import AcceptedRow, Row, SkippedRow
from application.contacts.files.findings import Findings
from application.contacts.files.uploads import RejectedRow, StagedRow, Uploads
from application.errors import StoreUnavailable
from domain.values import SkipReason
from storage.database import Pool, open_pool
from storage.vault import uploads
from storage.vault.uploads import NewUpload, UploadStore, UploadWriter

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
COLUMNS = ("name", "business_name", "phone", "a,b")
TRICKY = 'x\\N \\ "\t\r\n;é\u2028\x07{}'


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, name="test") as pool:
        yield pool


@pytest.fixture
def store(pool: Pool) -> UploadStore:
    return UploadStore(pool)


def new_upload() -> NewUpload:
    return NewUpload(uuid4(), "list.csv", "US", "ann@example.com", NOW, LATER)


def accepted(row: int, name: str = "Ann") -> AcceptedRow:
    return AcceptedRow(row, name, TRICKY, f"+1415555{row:04d}", {TRICKY: TRICKY})


def skipped(row: int) -> SkippedRow:
    cells = ("Ann", TRICKY, "")
    return SkippedRow(row, SkipReason.MISSING_PHONE, f"The {TRICKY}", cells)


def received(store: UploadStore, *rows: Row) -> UUID:
    with store.receive(new_upload()) as writer:
        writer.write(rows)
        return writer.complete(Findings(COLUMNS)).id


def counted(pool: Pool) -> tuple[int, ...]:
    """Count the rows of the three tables."""
    with pool.connection() as connection:
        found = connection.execute(
            "select (select count(*) from upload), (select count(*) from upload_row),"
            " (select count(*) from upload_reject)"
        ).fetchone()
    assert found is not None
    return found


def test_a_complete_upload_is_read_unchanged(store: UploadStore) -> None:
    readable: Uploads = store
    new = new_upload()
    with store.receive(new) as writer:
        writer.write([accepted(2), skipped(3)])
        writer.write([accepted(5)])
        upload = writer.complete(Findings(COLUMNS))
    assert readable.get(new.id, NOW) == upload
    assert (upload.columns, upload.accepted, upload.skipped_count) == (COLUMNS, 2, 1)
    assert (upload.created_by, upload.expires_at) == ("ann@example.com", LATER)
    variables = {TRICKY: TRICKY}
    assert list(readable.rows(new.id, 0, 10)) == [
        StagedRow(1, 2, "Ann", TRICKY, "+14155550002", variables),
        StagedRow(2, 5, "Ann", TRICKY, "+14155550005", variables),
    ]
    assert list(readable.rejects(new.id, 0, 10)) == [
        RejectedRow(3, SkipReason.MISSING_PHONE, f"The {TRICKY}", ("Ann", TRICKY, ""))
    ]


@pytest.mark.parametrize("text", ["\\", "\\N", "\\.", "\t", "\n", "\r", '"', "", "é"])
def test_any_text_is_read_unchanged(store: UploadStore, text: str) -> None:
    row = AcceptedRow(2, text, text, "+14155552671", {text: text})
    reject = SkippedRow(3, SkipReason.MALFORMED_ROW, text, (text, text))
    upload_id = received(store, row, reject)
    (staged,) = store.rows(upload_id, 0, 10)
    assert (staged.name, staged.business_name) == (text, text)
    assert staged.variables == {text: text}
    (rejected,) = store.first_rejects(upload_id)
    assert (rejected.message, rejected.cells) == (text, (text, text))


def test_variables_keep_the_order_of_the_columns(store: UploadStore) -> None:
    row = AcceptedRow(2, "Ann", "", "+14155552671", {"zz": "1", "a": "2", "m": "3"})
    (staged,) = store.rows(received(store, row), 0, 1)
    assert list(staged.variables) == ["zz", "a", "m"]


def test_a_page_begins_after_the_last_row_seen(
    store: UploadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_BLOCK", 100)
    with store.receive(new_upload()) as writer:
        for row in range(2, 42, 2):
            writer.write([accepted(row), skipped(row + 1)])
        upload_id = writer.complete(Findings(COLUMNS)).id
    assert [each.ordinal for each in store.rows(upload_id, 5, 3)] == [6, 7, 8]
    assert [each.row for each in store.rejects(upload_id, 7, 3)] == [9, 11, 13]
    assert [each.row for each in store.first_rejects(upload_id, 2)] == [3, 5]
    assert len(store.rows(upload_id, 0, 100)) == 20


def test_an_incomplete_upload_cannot_be_read(
    store: UploadStore, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_BLOCK", 1)
    new = new_upload()
    with store.receive(new) as writer:
        writer.write([accepted(2), skipped(3)])
        writer.write([accepted(4)])  # Waits for the first two.
        rows, rejects = counted(pool)[1:]
        assert rows >= 1
        assert rejects == 1
        assert store.get(new.id, NOW) is None


def test_an_interrupted_upload_leaves_nothing(
    store: UploadStore, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_BLOCK", 1)
    kept = received(store, accepted(2), skipped(3))
    with pytest.raises(RuntimeError), store.receive(new_upload()) as writer:
        interrupt(writer)
    assert counted(pool) == (1, 1, 1)
    assert store.get(kept, NOW) is not None


def interrupt(writer: UploadWriter) -> None:
    writer.write([accepted(2), skipped(3)])
    raise RuntimeError


def test_an_upload_that_is_not_completed_leaves_nothing(
    store: UploadStore, pool: Pool
) -> None:
    with store.receive(new_upload()) as writer:
        writer.write([accepted(2), skipped(3)])
    assert counted(pool) == (0, 0, 0)


def test_only_expired_uploads_are_removed(store: UploadStore, pool: Pool) -> None:
    received(store, accepted(2), skipped(3))
    assert store.remove_expired(LATER - timedelta(microseconds=1)) == 0
    assert counted(pool) == (1, 1, 1)
    assert store.remove_expired(LATER) == 1
    assert counted(pool) == (0, 0, 0)


def test_an_upload_of_a_killed_process_is_removed_after_its_expiry(
    store: UploadStore, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_BLOCK", 1)
    monkeypatch.setattr(store, "_discard", lambda _: None)
    with store.receive(new_upload()) as writer:
        writer.write([accepted(2), skipped(3)])
    assert counted(pool) == (1, 1, 1)
    assert store.remove_expired(LATER) == 1
    assert counted(pool) == (0, 0, 0)


def test_an_unavailable_database_is_reported_as_such(store: UploadStore) -> None:
    store._pool.close()
    with pytest.raises(StoreUnavailable):
        store.get(uuid4(), NOW)
