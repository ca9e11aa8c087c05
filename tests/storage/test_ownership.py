"""The read tables belong to `projections/`; `storage/` does not query them."""

import re
from pathlib import Path

import pytest

import storage
from projections.engine.schema import TABLES
from projections.tables.definition import SCHEMA

FILES = sorted(Path(storage.__file__).parent.rglob("*.py"))
READ_TABLE = re.compile(
    rf"\b(?:from|join|update|into|table)\s+(?:{SCHEMA}\.)?"
    rf"(?:{'|'.join(table.name for table in TABLES)})\b"
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_statement_of_storage_uses_a_read_table(file: Path) -> None:
    assert READ_TABLE.findall(file.read_text()) == []


def test_a_statement_that_uses_a_read_table_is_found() -> None:
    assert READ_TABLE.search("select 1 from read.event_index i")
    assert READ_TABLE.search("update call_log set cost = 1")
