"""Exports after the database server was restarted."""

import pytest

from domain.values import Role
from storage.database import connect
from tests.interfaces.serving import ApiClient
from tests.support import eventually

END_SESSIONS = """
    select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
        and application_name ~ %s
"""

OPEN_SESSIONS = """
    select count(*) from pg_stat_activity
    where datname = current_database() and application_name ~ %s
"""


def end_sessions(api: ApiClient, names: str) -> None:
    """End the server's sessions of the pools with these names, as a restart does."""
    with connect(api.database, name="operator") as connection:

        def is_open() -> bool:
            row = connection.execute(OPEN_SESSIONS, (names,)).fetchone()
            return row is not None and bool(row[0])

        eventually(is_open, what="sessions of the pool")
        connection.execute(END_SESSIONS, (names,))


@pytest.mark.parametrize("names", ["exports$", "."], ids=["exports", "all"])
def test_the_first_export_after_a_database_restart_succeeds(
    api: ApiClient, names: str
) -> None:
    campaign_id = api.campaign()
    api.caught_up()
    path = f"/campaigns/{campaign_id}/export.csv"
    api.header(Role.AUDITOR)
    end_sessions(api, names)
    answer = api.get(path, Role.AUDITOR)
    assert (answer.status_code, answer.text.count("\n") > 1) == (200, True)
