"""All bytes of a database, as a back-up would hold them."""

from pathlib import Path

from psycopg import sql

from storage.database import connect

_TABLES = """
    select schemaname, tablename from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
    order by 1, 2
"""


def dumped(url: str) -> bytes:
    """Copy out every row of every table; what is stored as bytes stays readable."""
    with connect(url, name="dump") as conn:
        conn.execute("set bytea_output = 'escape'")
        found: list[bytes] = []
        for name in conn.execute(_TABLES).fetchall():
            statement = sql.SQL("copy {} to stdout").format(sql.Identifier(*name))
            with conn.cursor().copy(statement) as copy:
                found += [bytes(block) for block in copy]
    return b"".join(found)


def statistics(url: str) -> bytes:
    """Return what ANALYZE stored about the values of all columns and indexes."""
    query = """
        select coalesce(string_agg(s::text, E'\\n'), '') from pg_stats s
        where schemaname not in ('pg_catalog', 'information_schema')
    """
    with connect(url, name="dump") as conn:
        row = conn.execute(query).fetchone()
    assert row is not None
    return str(row[0]).encode()


def relation_files(url: str) -> bytes:
    """Return the files of all tables and indexes of the database, after a checkpoint.

    The server runs on this machine. The write-ahead log is not included.
    """
    with connect(url, name="dump") as conn:
        conn.execute("checkpoint")
        query = """
            select current_setting('data_directory') || '/' || pg_relation_filepath(oid)
            from pg_class where relkind in ('r', 'i', 't', 'm') and relfilenode <> 0
                or relname = 'pg_statistic'
        """
        paths = [Path(path) for (path,) in conn.execute(query) if path]
    files = [
        file for path in paths for file in (path, *path.parent.glob(f"{path.name}.*"))
    ]
    return b"".join(file.read_bytes() for file in files if file.exists())
