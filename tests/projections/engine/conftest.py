"""A database with a short history that can be verified."""

from collections.abc import Iterator

import pytest

from tests.projections.engine.ledger import Ledger, opened_ledger


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with opened_ledger(database) as ledger:
        yield ledger
