"""The pool of connections from which deliveries are sent."""

from collections.abc import Iterator

import pytest

from projections.deliveries.queue import open_queue_pool
from storage.database import Pool
from tests.wiring import Services


@pytest.fixture
def pool(services: Services) -> Iterator[Pool]:
    with open_queue_pool(services.url, name="test") as pool:
        yield pool
