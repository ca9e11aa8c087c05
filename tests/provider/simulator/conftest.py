"""A simulator for a module, reset for each test, and a receiver of messages."""

from collections.abc import Iterator

import pytest

from tests.provider.simulator.receiving import Receiver, listening
from tests.simulator import Simulator, running_simulator


@pytest.fixture(scope="module")
def one_simulator() -> Iterator[Simulator]:
    with running_simulator(speed=400) as simulator:
        yield simulator


@pytest.fixture
def simulator(one_simulator: Simulator) -> Simulator:
    one_simulator.reset()
    return one_simulator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver
