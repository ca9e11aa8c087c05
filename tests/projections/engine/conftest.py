"""A database with a short history that can be verified."""

from collections.abc import Iterator

import pytest

from tests.projections.engine.ledger import Ledger, opened_ledger
from tests.reused_databases import ReusedDatabase


@pytest.fixture
def ledger(reused_database: ReusedDatabase) -> Iterator[Ledger]:
    with opened_ledger(reused_database) as ledger:
        yield ledger
