"""One process of a role leads; a standby replaces a leader that is gone or silent."""

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Thread

import pytest
from psycopg import OperationalError

from storage.database import Conn, connect, lock_key, open_pool
from storage.process import leadership
from storage.process.decisions import ProcessRecords
from storage.process.leadership import Leadership, LeadershipLost, Term
from tests.child_process import join
from tests.support import eventually

ROLE = "scheduler"
LONG, SHORT = 60.0, 0.2


@pytest.fixture
def url(database: str) -> str:
    return database


class Candidate:
    """A process, simulated by a thread, that tries to become leader."""

    def __init__(self, url: str, name: str, silent_after: float = LONG) -> None:
        self._leadership = Leadership(url, role=ROLE, holder=name)
        self._silent_after = silent_after
        self.stop, self.leave, self.elected = Event(), Event(), Event()
        self.term: Term | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        after = self._silent_after
        with self._leadership.term(self.stop, silent_after=after, every=0.05) as term:
            self.term = term
            self.elected.set()
            assert self.leave.wait(30)

    def end(self) -> None:
        self.stop.set()
        self.leave.set()
        join(self._thread)


@pytest.fixture
def candidates() -> Iterator[ExitStack]:
    with ExitStack() as candidates:
        yield candidates


def run_candidate(
    candidates: ExitStack, url: str, name: str, **times: float
) -> Candidate:
    candidate = Candidate(url, name, **times)
    candidates.callback(candidate.end)
    return candidate


def holder(url: str) -> str | None:
    with open_pool(url, name="test") as pool:
        beat = ProcessRecords(pool).heartbeat(ROLE)
    return beat.holder if beat else None


def kill_leader(url: str) -> None:
    with connect(url, name="killer") as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_locks"
            " where locktype = 'advisory' and database ="
            " (select oid from pg_database where datname = current_database())"
        )


def test_a_standby_leads_after_the_leader_has_left(
    url: str, candidates: ExitStack
) -> None:
    first = run_candidate(candidates, url, "first")
    assert first.elected.wait(10)
    second = run_candidate(candidates, url, "second")
    assert not second.elected.wait(0.3)
    assert holder(url) == "first"
    first.end()
    assert second.elected.wait(10)
    assert holder(url) == "second"


def test_a_standby_that_is_stopped_has_no_term(url: str, candidates: ExitStack) -> None:
    assert run_candidate(candidates, url, "first").elected.wait(10)
    second = run_candidate(candidates, url, "second")
    second.stop.set()
    assert second.elected.wait(10)
    assert second.term is None


def test_a_leader_without_connection_loses_its_term_to_the_standby(
    url: str, candidates: ExitStack
) -> None:
    first = run_candidate(candidates, url, "first")
    assert first.elected.wait(10)
    second = run_candidate(candidates, url, "second")
    kill_leader(url)
    assert first.term is not None
    with pytest.raises(LeadershipLost):
        first.term.beat()
    with pytest.raises(LeadershipLost):
        first.term.beat()
    assert second.elected.wait(10)


def test_a_leader_without_heartbeats_is_replaced(
    url: str, candidates: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen or stuck process still has its connection, and with it the lock."""
    monkeypatch.setattr(leadership, "STUCK_SECONDS", 0.0)
    first = run_candidate(candidates, url, "first", silent_after=SHORT)
    assert first.elected.wait(10)
    second = run_candidate(candidates, url, "second", silent_after=SHORT)
    assert second.elected.wait(10)
    assert first.term is not None
    with pytest.raises(LeadershipLost):
        first.term.beat()


def test_a_busy_leader_is_not_replaced(url: str, candidates: ExitStack) -> None:
    """Slow answers of the provider are no reason to take over."""
    first = run_candidate(candidates, url, "first", silent_after=4.0)
    assert first.elected.wait(10)
    second = run_candidate(candidates, url, "second", silent_after=SHORT)
    assert not second.elected.wait(5.0)


def test_the_leaders_latest_silence_limit_applies(
    url: str, candidates: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick may change at any time, and the interval of heartbeats with it."""
    first = run_candidate(candidates, url, "first", silent_after=LONG)
    assert first.elected.wait(10)
    second = run_candidate(candidates, url, "second", silent_after=SHORT)
    assert not second.elected.wait(3 * SHORT)
    assert first.term is not None
    first.term.set_silence_limit(4.0)
    assert not second.elected.wait(5.0), (
        "heartbeats come often enough for the new limit"
    )
    monkeypatch.setattr(leadership, "STUCK_SECONDS", 0.0)
    assert second.elected.wait(10)


def test_a_leader_on_a_read_only_server_loses_its_term(
    url: str, candidates: ExitStack
) -> None:
    first = run_candidate(candidates, url, "first")
    assert first.elected.wait(10)
    assert first.term is not None
    first.term.connection.execute("set default_transaction_read_only = on")
    with pytest.raises(LeadershipLost, match="read-only"):
        first.term.beat()


def test_a_new_leader_is_not_replaced_because_of_an_old_heartbeat(
    url: str, candidates: ExitStack
) -> None:
    with connect(url, name="test") as conn:
        conn.execute(
            "insert into heartbeat (role, holder, backend_pid, beat_at)"
            " values (%s, 'long gone', 1, now() - interval '1 day')",
            (ROLE,),
        )
        key = lock_key(f"autolynx:{ROLE}")
        conn.execute("select pg_advisory_lock(%s)", (key,))
        second = run_candidate(candidates, url, "second", silent_after=LONG)
        assert not second.elected.wait(0.3)
        conn.execute("select 1")


def test_a_candidate_waits_for_an_unavailable_database(
    url: str, candidates: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OperationalError("connection refused")] * 3

    def unavailable(url: str, *, name: str) -> Conn:
        if failures:
            raise failures.pop()
        return connect(url, name=name)

    monkeypatch.setattr(leadership, "connect", unavailable)
    assert run_candidate(candidates, url, "first").elected.wait(10)
    eventually(lambda: holder(url) == "first")
