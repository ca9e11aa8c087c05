"""Stop ends every wait at once, and may be called repeatedly and by several threads.

The waits in these tests last for an hour, so that only a stop can end them.
"""

from collections.abc import Callable
from threading import Event, Thread
from typing import Literal

import pytest

from application.ports import NeverLeft
from scheduler import dispatch as dispatching
from scheduler.dispatch import Dispatch
from scheduler.loop import Scheduler
from scheduler.pace import Pace
from scheduler.settlement import ClaimedCall
from scheduler.wakeup import WakeUp
from tests.scheduler.leading import Leading, dependencies_of
from tests.support import eventually
from tests.wiring import Services

HOUR = 3600.0
JOIN_SECONDS = 60.0
LINE = "c2d4e6f8-1a3b-4c5d-8e7f-901a2b3c4d5e"


class HourLongWaits(WakeUp):
    """Waits for an hour in one of its methods, and not at all in the other."""

    def __init__(self, method: Literal["rest", "listen"]) -> None:
        super().__init__()
        self._method = method
        self.waits = Event()

    def rest(self, until: float) -> None:
        if self._method == "rest":
            self.waits.set()
            super().rest(self.now() + HOUR)

    def listen(self, until: float) -> None:
        if self._method == "listen":
            self.waits.set()
            super().listen(self.now() + HOUR)


def started(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def assert_ends(*threads: Thread) -> None:
    for thread in threads:
        thread.join(JOIN_SECONDS)
        assert not thread.is_alive()


@pytest.mark.parametrize("method", ["rest", "listen"])
def test_the_scheduler_ends_its_wait_when_two_threads_stop_it(
    services: Services, method: Literal["rest", "listen"]
) -> None:
    deps, wake_up, term = dependencies_of(services), HourLongWaits(method), Leading()
    scheduler = Scheduler(deps, wake_up)
    leading = started(lambda: scheduler.lead(term))  # type: ignore[arg-type]  # all that it is asked for
    assert wake_up.waits.wait(JOIN_SECONDS)
    assert_ends(started(scheduler.stop), started(scheduler.stop), leading)
    deps.dispatch.stop()


def test_a_scheduler_that_was_stopped_twice_does_nothing(services: Services) -> None:
    deps, term = dependencies_of(services), Leading()
    scheduler = Scheduler(deps)
    scheduler.stop()
    scheduler.stop()
    term.lost = True  # The first heartbeat would raise LeadershipLost.
    scheduler.lead(term)  # type: ignore[arg-type]  # all that it is asked for
    deps.dispatch.stop()


def test_the_dispatcher_ends_its_waits_when_two_threads_stop_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "RENEWALS", lambda _: HOUR)
    services.provider.answers(*[NeverLeft("no route")] * 4)
    campaign = services.campaign(2)
    first, second = services.claim(campaign, 2)
    dispatch = Dispatch(
        calls=services.calls,
        campaigns=services.campaigns,
        provider=services.provider,
        pace=Pace(1 / HOUR, lambda: 0.5),
        context=services.context,
    )
    claimed = [ClaimedCall(id_, campaign, LINE) for id_ in (first, second)]
    dialling = started(lambda: dispatch.dial(claimed))
    eventually(lambda: services.provider.orders, what="the first request")
    assert_ends(started(dispatch.stop), started(dispatch.stop), dialling)
    dispatch.stop()
    assert not dispatch.under_way()
    assert services.topics(first)[-1] == "deferred"
    assert services.topics(second) == ["created"]
