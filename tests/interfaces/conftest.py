from collections.abc import Iterator

import pytest

from tests.interfaces.serving import Desk, opened_desk


@pytest.fixture
def desk(empty_database: str) -> Iterator[Desk]:
    """A served API over a database of its own, with a projector."""
    with opened_desk(empty_database) as desk:
        yield desk
