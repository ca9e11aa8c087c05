"""All bytes of a database, as a back-up would hold them."""

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
