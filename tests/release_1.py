"""Loads the dump of a release-1 database that is kept in tests/data/release_1."""

import gzip
from pathlib import Path

from psycopg import ClientCursor

from storage.database import Conn, connect

DUMP = Path(__file__).parent / "data" / "release_1" / "dump.sql.gz"
COPY, END = "copy ", "\\.\n"


def load_release_1(url: str) -> None:
    """Restore the dump into the empty database at `url`."""
    statements: list[str] = []
    rows: list[str] = []
    copy: str | None = None
    with connect(url, name="restore") as conn:
        for line in gzip.decompress(DUMP.read_bytes()).decode().splitlines(True):
            if copy is None and line.startswith(COPY) and line.endswith("stdin;\n"):
                _execute(conn, statements)
                copy = line
            elif copy is not None and line == END:
                _copy(conn, copy, rows)
                copy = None
            else:
                (statements if copy is None else rows).append(line)
        _execute(conn, statements)


def _execute(conn: Conn, statements: list[str]) -> None:
    script = "".join(statements).strip()
    statements.clear()
    if script:
        ClientCursor(conn).execute(script.encode())


def _copy(conn: Conn, statement: str, rows: list[str]) -> None:
    with conn.cursor().copy(statement.encode()) as copy:
        copy.write("".join(rows))
    rows.clear()
