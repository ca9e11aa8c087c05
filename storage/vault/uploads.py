"""Uploads: contact files that were received and checked, and wait for their campaign.

A file may arrive slowly, so its rows are stored in short transactions and no connection
is held meanwhile. The last transaction completes the upload. The rows of an interrupted
one are removed at once, or by `remove_expired` if the process was killed.
"""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson
from psycopg import InterfaceError, OperationalError

from application.contacts.files.column_names import ColumnRole
from application.contacts.files.contact_rows import AcceptedRow, Row, SkippedRow
from application.contacts.files.findings import Findings
from application.contacts.files.missing_values import MissingValues
from application.contacts.files.rejects import RejectTally
from application.contacts.files.sheets import Sheets
from application.contacts.files.uploads import RejectedRow, StagedRow, Upload
from application.errors import StoreUnavailable
from domain.values import SkipReason
from storage.database import Conn, Pool

_BLOCK = 1 << 20
"""Characters of COPY text from which on a transaction is sent."""

_COPY_ROWS = (
    "copy upload_row"
    ' (upload_id, ordinal, "row", name, business_name, phone, extension, given,'
    " variables, attributes)"
    " from stdin"
)
_COPY_REJECTS = (
    'copy upload_reject (upload_id, "row", reason, message, cells) from stdin'
)
_PAGE = 4_000_000
"""Characters of a page; a page has at least one row."""

_ROWS = """
select ordinal, "row", name, business_name, phone, variables, given, extension,
    attributes
from (
    select *, sum(size) over (order by ordinal) - size as before from (
        select ordinal, "row", name, business_name, phone, variables::text,
            given::text, extension, attributes::text,
            length(variables::text) + length(name) + length(business_name)
                + coalesce(length(given::text), 0)
                + coalesce(length(attributes::text), 0) as size
        from upload_row where upload_id = %s and ordinal > %s
        order by ordinal limit %s
    ) page
) bounded where before < %s order by ordinal
"""
# An ordinal is below its row's number.
_ROW = """
select ordinal, "row", name, business_name, phone, variables::text, given::text,
    extension, attributes::text
from upload_row
where upload_id = %(upload)s and ordinal <= %(row)s and "row" = %(row)s
order by ordinal desc limit 1
"""
_REJECTS = """
select "row", reason, message, cells from (
    select *, sum(size) over (order by "row") - size as before from (
        select "row", reason, message, cells::text, length(cells::text) as size
        from upload_reject where upload_id = %s and "row" > %s
        order by "row" limit %s
    ) page
) bounded where before < %s order by "row"
"""
_COLUMNS: LiteralString = (
    "id, filename, columns, default_region, accepted, skipped_count, created_by,"
    " created_at, expires_at, rejects_not_kept, roles, countries, warnings, kinds,"
    " sheets, missing_values"
)
_READY: LiteralString = (
    "update upload set state = 'READY', columns = %s, roles = %s, countries = %s,"  # noqa: S608 - our own statement
    " warnings = %s, kinds = %s, sheets = %s, missing_values = %s,"
    " accepted = %s, skipped_count = %s,"
    " rejects_not_kept = %s"
    f" where id = %s returning {_COLUMNS}"
)
_UPLOAD: LiteralString = (
    f"select {_COLUMNS} from upload"  # noqa: S608 - our own statement
    " where id = %s and state = 'READY' and expires_at > %s"
)
_REMOVE_UNUSED: LiteralString = """
delete from upload where id = %s and created_by = %s and state = 'READY'
    and not exists (
        select from autolynx_events event where event.originator_id = upload.id
    )
returning id
"""
_NULL = r"\N"
_SPECIAL = re.compile(r"[\\\n\r\t]")
_ESCAPES = (("\\", r"\\"), ("\n", r"\n"), ("\r", r"\r"), ("\t", r"\t"))


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What is known of an upload before its first byte; times are UTC."""

    id: UUID
    filename: str
    default_region: str
    created_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(slots=True)
class _Block:
    """Rows of COPY text that wait to be sent."""

    rows: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, row: str) -> None:
        self.rows.append(row)
        self.size += len(row)

    def send(self, connection: Conn, statement: str) -> None:
        if self.rows:
            with connection.cursor().copy(statement.encode()) as copy:
                copy.write("".join(self.rows).encode())


class UploadWriter:
    """Stores the rows of one file, in their order, and completes the upload.

    One block of rows is sent to the database while the next is filled. Methods raise
    StoreUnavailable if the database cannot be reached.
    """

    def __init__(self, pool: Pool, upload: NewUpload, sender: Executor) -> None:
        self._pool = pool
        self._sender = sender
        self._sending: Future[None] | None = None
        self._upload = upload
        self._id = str(upload.id)
        self._rows, self._rejects = _Block(), _Block()
        self._accepted, self._tally = 0, RejectTally()

    def write(self, rows: Iterable[Row]) -> None:
        """Store the next rows. Raises UnreadableFile if too many rows are rejected."""
        for row in rows:
            if isinstance(row, AcceptedRow):
                self._accepted += 1
                self._rows.add(_copy_row(self._id, self._accepted, row))
            else:
                kept = self._tally.add(row, self._accepted)
                if kept is not None:
                    self._rejects.add(_copy_reject(self._id, kept))
        if self._rows.size + self._rejects.size >= _BLOCK:
            self._wait_for_block()
            self._sending = self._sender.submit(self._send, self._rows, self._rejects)
            self._rows, self._rejects = _Block(), _Block()

    def complete(self, findings: Findings) -> Upload:
        """Store the remaining rows and complete the upload with what was understood."""
        self._wait_for_block()
        not_kept = {str(why): rows for why, rows in self._tally.not_kept.items()}
        with _connected(self._pool) as connection, connection.transaction():
            self._rows.send(connection, _COPY_ROWS)
            self._rejects.send(connection, _COPY_REJECTS)
            found = connection.execute(
                _READY,
                (
                    list(findings.columns),
                    list(findings.roles) or None,
                    orjson.dumps(findings.countries).decode(),
                    orjson.dumps(findings.warnings).decode(),
                    orjson.dumps(findings.kinds).decode(),
                    findings.sheets and orjson.dumps(findings.sheets).decode(),
                    orjson.dumps(findings.missing).decode(),
                    self._accepted,
                    self._tally.skipped,
                    orjson.dumps(not_kept).decode(),
                    self._upload.id,
                ),
            ).fetchone()
        assert found is not None, "the upload was removed before it was complete"
        return _upload(*found)

    def _wait_for_block(self) -> None:
        if self._sending is not None:
            self._sending.result()

    def _send(self, rows: _Block, rejects: _Block) -> None:
        with _connected(self._pool) as connection, connection.transaction():
            # The last commit waits for the disk, and covers the earlier ones.
            connection.execute("set local synchronous_commit to off")
            rows.send(connection, _COPY_ROWS)
            rejects.send(connection, _COPY_REJECTS)


class UploadStore:
    """The uploads in Postgres; the port is `Uploads` in the application.

    All methods raise StoreUnavailable if the database cannot be reached.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @contextmanager
    def receive(self, upload: NewUpload) -> Iterator[UploadWriter]:
        """Yield a writer for a file; an upload that is not completed is removed."""
        with _connected(self._pool) as connection:
            connection.execute(
                "insert into upload (id, state, filename, default_region, created_by,"
                " created_at, expires_at) values (%s, 'RECEIVING', %s, %s, %s, %s, %s)",
                (
                    upload.id,
                    upload.filename,
                    upload.default_region,
                    upload.created_by,
                    upload.created_at,
                    upload.expires_at,
                ),
            )
        try:
            with ThreadPoolExecutor(1, "upload") as sender:
                yield UploadWriter(self._pool, upload, sender)
        finally:
            with suppress(StoreUnavailable):  # It is removed after its expiry.
                self._discard(upload.id)

    def get(self, upload_id: UUID, now: datetime) -> Upload | None:
        """Return an upload, None if there is none or if it has expired."""
        with _connected(self._pool) as connection:
            found = connection.execute(_UPLOAD, (upload_id, now)).fetchone()
        return _upload(*found) if found else None

    def rows(self, upload_id: UUID, after_ordinal: int, limit: int) -> list[StagedRow]:
        """Return up to `limit` accepted rows, fewer if they are long, in file order."""
        with _connected(self._pool) as connection:
            found = connection.cursor(binary=True).execute(
                _ROWS, (upload_id, after_ordinal, limit, _PAGE), prepare=True
            )
            return [_staged(*row) for row in found]

    def row(self, upload_id: UUID, number: int | None) -> StagedRow | None:
        """Return the accepted row with that number in the file, or the first one."""
        if number is None:
            return next(iter(self.rows(upload_id, 0, 1)), None)
        with _connected(self._pool) as connection:
            found = connection.cursor(binary=True).execute(
                _ROW, {"upload": upload_id, "row": number}
            )
            return next((_staged(*row) for row in found), None)

    def rejects(self, upload_id: UUID, after_row: int, limit: int) -> list[RejectedRow]:
        """Return up to `limit` rejected rows, fewer if they are long, in file order."""
        with _connected(self._pool) as connection:
            found = connection.cursor(binary=True).execute(
                _REJECTS, (upload_id, after_row, limit, _PAGE), prepare=True
            )
            return [
                RejectedRow(row, SkipReason(reason), message, _cells(cells))
                for row, reason, message, cells in found
            ]

    def first_rejects(self, upload_id: UUID, limit: int = 1000) -> list[RejectedRow]:
        """Return the first rejected rows, in several pages if they are long."""
        found: list[RejectedRow] = []
        while len(found) < limit:
            after = found[-1].row if found else 0
            page = self.rejects(upload_id, after, limit - len(found))
            if not page:
                break
            found += page
        return found

    def remove(self, upload_id: UUID) -> None:
        """Delete an upload and its rows."""
        with _connected(self._pool) as connection, connection.transaction():
            gone = connection.execute(
                "delete from upload where id = %s returning id", (upload_id,)
            ).fetchall()
            _remove_rows(connection, gone)

    def remove_unused(self, upload_id: UUID, created_by: str) -> None:
        """Delete a member's upload, unless it is being imported or was imported.

        The events of an import have the id of its upload.
        """
        with _connected(self._pool) as connection, connection.transaction():
            gone = connection.execute(_REMOVE_UNUSED, (upload_id, created_by))
            _remove_rows(connection, gone.fetchall())

    def remove_expired(self, now: datetime) -> int:
        """Remove expired uploads, also incomplete ones; return their number."""
        with _connected(self._pool) as connection, connection.transaction():
            gone = connection.execute(
                "delete from upload where expires_at <= %s returning id", (now,)
            ).fetchall()
            return _remove_rows(connection, gone)

    def _discard(self, upload_id: UUID) -> None:
        with _connected(self._pool) as connection, connection.transaction():
            gone = connection.execute(
                "delete from upload where id = %s and state = 'RECEIVING' returning id",
                (upload_id,),
            ).fetchall()
            _remove_rows(connection, gone)


@contextmanager
def _connected(pool: Pool) -> Iterator[Conn]:
    try:
        with pool.connection() as connection:
            yield connection
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(str(error)) from error


def _remove_rows(connection: Conn, gone: list[tuple[UUID]]) -> int:
    ids = [upload_id for (upload_id,) in gone]
    if ids:
        # Deleting a million rows takes longer than the time limit of statements.
        connection.execute("set local statement_timeout to 0")
        for delete in (
            "delete from upload_row where upload_id = any(%s)",
            "delete from upload_reject where upload_id = any(%s)",
        ):
            connection.execute(delete, (ids,))
    return len(ids)


def _copy_row(upload_id: str, ordinal: int, row: AcceptedRow) -> str:
    number, name, business, phone, variables, given, extension, attributes = row
    return (
        f"{upload_id}\t{ordinal}\t{number}\t{_escaped(name)}\t{_escaped(business)}"
        f"\t{phone}\t{extension or _NULL}\t{_json(given) if given else _NULL}"
        f"\t{_json(variables)}\t{_json(attributes) if attributes else _NULL}\n"
    )


def _copy_reject(upload_id: str, row: SkippedRow) -> str:
    message, cells = _escaped(row.message), _json(row.cells)
    return f"{upload_id}\t{row.row}\t{row.reason}\t{message}\t{cells}\n"


def _escaped(text: str) -> str:
    """Escape a text for COPY; `str.replace` is ten times faster than `translate`."""
    if not _SPECIAL.search(text):
        return text
    for raw, escaped in _ESCAPES:
        text = text.replace(raw, escaped)
    return text


def _json(value: dict[str, str] | tuple[str, ...]) -> str:
    """Encode as JSON for COPY, in which only the backslash must be escaped."""
    return orjson.dumps(value).decode().replace("\\", r"\\")


def _staged(*row: Any) -> StagedRow:
    *known, variables, given, extension, attributes = row
    cells = _cells(given) if given else None
    values = orjson.loads(attributes) if attributes else None
    return StagedRow._make((*known, orjson.loads(variables), cells, extension, values))


def _cells(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text))


def _upload(upload_id: UUID, filename: str, columns: list[str], *rest: Any) -> Upload:
    *known, counts, roles, countries, warnings, kinds, sheets, missing = rest
    not_kept = {SkipReason(reason): rows for reason, rows in counts.items()}
    upload = Upload(upload_id, filename, tuple(columns), *known)
    return replace(
        upload,
        not_kept=not_kept,
        roles=tuple(map(ColumnRole, roles)) if roles else upload.roles,
        countries=tuple((country, contacts) for country, contacts in countries),
        warnings=tuple(warnings),
        kinds=tuple((kind, contacts) for kind, contacts in kinds),
        sheets=Sheets(sheets["read"], tuple(sheets["names"])) if sheets else None,
        missing=tuple(
            MissingValues(one["variable"], one["rows"], tuple(one["first"]))
            for one in missing
        ),
    )
