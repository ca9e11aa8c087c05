"""A leader waits for read tables that another version created."""

import logging
from threading import Thread

import pytest

from application.configuration import Configuration
from projections.engine.rebuild import rebuild
from scheduler import __main__ as process
from storage.database import connect
from storage.process.leadership import Term
from tests.support import eventually


def test_nothing_is_dialled_before_the_read_tables_are_rebuilt(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with connect(database, name="test") as conn, connect(database, name="x") as other:
        other.execute("comment on table read.call_log is 'form of old'")
        leader = process.Process(Configuration(database_url=database), database)
        term = Term(conn, "scheduler", "test", silent_after=60)
        waiting = Thread(target=process._wait_for_tables, args=(leader, term))
        waiting.start()
        try:
            eventually(lambda: "nothing is dialled" in caplog.text)
            assert waiting.is_alive()
            rebuild(database)
            waiting.join(10)
            assert not waiting.is_alive()
        finally:
            leader.stop.set()
            waiting.join(10)
