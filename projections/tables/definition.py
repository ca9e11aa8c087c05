"""Defines a read table: its name, its key and the SQL that creates it."""

from hashlib import sha256
from typing import LiteralString, NamedTuple

SCHEMA = "read"
"""The Postgres schema of the live read tables."""


class Table(NamedTuple):
    """A read table: its name, the columns of its key, and the SQL that creates it.

    The SQL names no schema; `search_path` selects it. `handler_version` is raised when
    the handler, or domain code that it uses, writes other values than before into the
    same columns; `tests/projections/test_handler_versions.py` demands it.
    """

    name: LiteralString
    key: tuple[LiteralString, ...]
    ddl: LiteralString
    handler_version: int = 1

    @property
    def indexes(self) -> list[LiteralString]:
        """The statements that create the indexes; the primary key is not among them."""
        return [one for one in self._statements if _creates_an_index(one)]

    @property
    def ddl_without_indexes(self) -> LiteralString:
        """The SQL that creates the table and its triggers, but no index."""
        others = [one for one in self._statements if not _creates_an_index(one)]
        return ";".join(others)

    @property
    def _statements(self) -> list[LiteralString]:
        return [one for one in self.ddl.split(";") if one.strip()]

    @property
    def schema_version(self) -> str:
        """Digest of the definition and the handler version.

        It is stored as the table's comment. A table with another comment was created
        or filled by another version of AutoLynx and must be rebuilt.
        """
        definition = " ".join(self.ddl.split())
        versioned = f"{self.handler_version} {definition}"
        return f"form {sha256(versioned.encode()).hexdigest()[:16]}"


def _creates_an_index(statement: LiteralString) -> bool:
    return statement.lstrip().startswith("create index ")
