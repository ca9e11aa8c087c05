from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Thread

import pytest
from psycopg import OperationalError

from storage.database import Conn, connect, lock_key, open_pool
from storage.process import leadership
from storage.process.decisions import ProcessRecords
from storage.process.leadership import Leadership, LeadershipLost, Term
from tests.support import eventually

ROLE = "scheduler"
LONG, SHORT = 60.0, 0.2


@pytest.fixture
def url(database: str) -> str:
    return database


class Candidate:
    """Stands for election in a thread of its own."""

    def __init__(self, url: str, name: str, silent_after: float = LONG) -> None:
        self._leadership = Leadership(url, role=ROLE, holder=name)
        self._silent_after = silent_after
        self.stop, self.leave, self.elected = Event(), Event(), Event()
        self.term: Term | None = None
        self._thread = Thread(target=self._stand)
        self._thread.start()

    def _stand(self) -> None:
        after = self._silent_after
        with self._leadership.term(self.stop, silent_after=after, every=0.05) as term:
            self.term = term
            self.elected.set()
            assert self.leave.wait(30)

    def end(self) -> None:
        self.stop.set()
        self.leave.set()
        self._thread.join()


@pytest.fixture
def stood() -> Iterator[ExitStack]:
    with ExitStack() as stood:
        yield stood


def stand(stood: ExitStack, url: str, name: str, **times: float) -> Candidate:
    candidate = Candidate(url, name, **times)
    stood.callback(candidate.end)
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


def test_one_leads_and_the_next_when_it_leaves(url: str, stood: ExitStack) -> None:
    first = stand(stood, url, "first")
    assert first.elected.wait(10)
    second = stand(stood, url, "second")
    assert not second.elected.wait(0.3)
    assert holder(url) == "first"
    first.end()
    assert second.elected.wait(10)
    assert holder(url) == "second"


def test_who_is_stopped_while_waiting_has_no_term(url: str, stood: ExitStack) -> None:
    assert stand(stood, url, "first").elected.wait(10)
    second = stand(stood, url, "second")
    second.stop.set()
    assert second.elected.wait(10)
    assert second.term is None


def test_a_leader_whose_connection_is_gone_has_lost_and_another_leads(
    url: str, stood: ExitStack
) -> None:
    first = stand(stood, url, "first")
    assert first.elected.wait(10)
    second = stand(stood, url, "second")
    kill_leader(url)
    assert first.term is not None
    with pytest.raises(LeadershipLost):
        first.term.beat()
    with pytest.raises(LeadershipLost):
        first.term.beat()
    assert second.elected.wait(10)


def test_a_leader_that_gives_no_sign_of_life_is_ended(
    url: str, stood: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen, or stuck: its connection lives, and keeps the lock."""
    monkeypatch.setattr(leadership, "STUCK_SECONDS", 0.0)
    first = stand(stood, url, "first", silent_after=SHORT)
    assert first.elected.wait(10)
    second = stand(stood, url, "second", silent_after=SHORT)
    assert second.elected.wait(10)
    assert first.term is not None
    with pytest.raises(LeadershipLost):
        first.term.beat()


def test_a_leader_that_is_busy_but_alive_is_left_to_lead(
    url: str, stood: ExitStack
) -> None:
    """Slow answers of the provider are no reason to take over."""
    first = stand(stood, url, "first", silent_after=4.0)
    assert first.elected.wait(10)
    second = stand(stood, url, "second", silent_after=SHORT)
    assert not second.elected.wait(5.0)


def test_how_long_silence_may_last_is_what_the_leader_said_last(
    url: str, stood: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick may be set anew at any time: the signs and the patience go with it."""
    first = stand(stood, url, "first", silent_after=LONG)
    assert first.elected.wait(10)
    second = stand(stood, url, "second", silent_after=SHORT)
    assert not second.elected.wait(3 * SHORT)
    assert first.term is not None
    first.term.let_silence_last(4.0)
    assert not second.elected.wait(5.0), "signs come as often as the new time asks"
    monkeypatch.setattr(leadership, "STUCK_SECONDS", 0.0)
    assert second.elected.wait(10)


def test_a_server_that_only_reads_has_no_leader(url: str, stood: ExitStack) -> None:
    first = stand(stood, url, "first")
    assert first.elected.wait(10)
    assert first.term is not None
    first.term.connection.execute("set default_transaction_read_only = on")
    with pytest.raises(LeadershipLost, match="read-only"):
        first.term.beat()


def test_a_new_leader_is_not_ended_for_the_silence_of_the_one_before(
    url: str, stood: ExitStack
) -> None:
    with connect(url, name="test") as conn:
        conn.execute(
            "insert into heartbeat (role, holder, backend_pid, beat_at)"
            " values (%s, 'long gone', 1, now() - interval '1 day')",
            (ROLE,),
        )
        key = lock_key(f"autolynx:{ROLE}")
        conn.execute("select pg_advisory_lock(%s)", (key,))
        second = stand(stood, url, "second", silent_after=LONG)
        assert not second.elected.wait(0.3)
        conn.execute("select 1")


def test_a_database_that_is_not_there_is_waited_for(
    url: str, stood: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OperationalError("connection refused")] * 3

    def away(url: str, *, name: str) -> Conn:
        if failures:
            raise failures.pop()
        return connect(url, name=name)

    monkeypatch.setattr(leadership, "connect", away)
    assert stand(stood, url, "first").elected.wait(10)
    eventually(lambda: holder(url) == "first")
