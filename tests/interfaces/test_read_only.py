"""A read-only database is reported, and reading continues."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from application.configuration import Configuration
from domain.values import Role
from interfaces.cli.doctor import of_database
from interfaces.cli.findings import Finding, Grade
from interfaces.database_errors import READ_ONLY
from storage.database import connect
from storage.process.decisions import beat
from tests import http_requests as asking
from tests.interfaces.serving import ApiClient, configured, serve_api
from tests.support import eventually

HEALTH = "{ health { status components { name status detail } } }"
LIST = b"name,business_name,phone\nAnn,,+12025550101\n"
READS = (
    "{ me { email } }",
    "{ campaigns { nodes { name state progress { contacts } } } }",
    "{ settings { globalCap } }",
    "{ events { nodes { type } } }",
    "{ spend { today } }",
)


def set_read_only(api: ApiClient, value: str, *, end_sessions: bool = True) -> None:
    """Change the database's default for new sessions, and end the present ones."""
    with connect(api.database, name="operator") as connection:
        connection.execute("set default_transaction_read_only = off")
        statement = "alter database {} set default_transaction_read_only = {}"
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL(statement).format(name, sql.SQL(value)))
        if end_sessions:
            connection.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )


@pytest.fixture
def read_only(database: str) -> Iterator[ApiClient]:
    """A api with a campaign, whose database was made read-only afterwards."""
    with serve_api(database) as api:
        api.campaign()
        api.caught_up()
        api.header(Role.AUDITOR)
        set_read_only(api, "on")
        try:
            eventually(lambda: not api.ask(READS[0]).errors, what="reads")
            yield api
        finally:
            set_read_only(api, "off")


def test_readiness_fails_and_names_a_read_only_database(read_only: ApiClient) -> None:
    answer = read_only.get("/readyz", role=None)
    assert answer.status_code == 503
    assert "read-only" in answer.json()["error"]["message"]
    checks = answer.json()["checks"]
    assert "default_transaction_read_only" in checks.pop("writes")
    assert checks["database"] == "ok"


def test_health_names_a_read_only_database(read_only: ApiClient) -> None:
    health = read_only.execute(HEALTH)["health"]
    (database,) = [one for one in health["components"] if one["name"] == "database"]
    assert (health["status"], database["status"]) == ("DOWN", "DOWN")
    assert "read-only" in database["detail"]


def test_reads_work_while_the_database_is_read_only(read_only: ApiClient) -> None:
    with connect(read_only.database, name="operator") as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.execute("update api_token set last_used_at = null")
    for query in READS:
        # A role whose token was never used: its use cannot be recorded.
        read_only.execute(query, Role.AUDITOR if "events" in query else Role.ADMIN)
    (campaign,) = read_only.execute(READS[1])["campaigns"]["nodes"]
    assert campaign["progress"] == {"contacts": 2}


def test_writes_work_again_once_the_database_is_writable(read_only: ApiClient) -> None:
    set_read_only(read_only, "off")
    eventually(
        lambda: read_only.get("/readyz", role=None).status_code == 200,
        within=30,
        what="readiness",
    )
    assert read_only.campaign(name="Summer")


def test_an_upload_works_again_without_a_restart(read_only: ApiClient) -> None:
    def answered() -> int:
        url = f"{read_only.url}/uploads?filename=people.csv"
        headers = {**read_only.header(), "Content-Type": "text/csv"}
        return asking.post(url, content=LIST, headers=headers, timeout=30).status_code

    assert answered() == 503
    set_read_only(read_only, "off", end_sessions=False)
    eventually(lambda: answered() == 201, within=30, what="an upload")


def test_refused_uploads_and_mutations_name_the_read_only_database(
    read_only: ApiClient,
) -> None:
    url = f"{read_only.url}/uploads?filename=people.csv"
    headers = {**read_only.header(), "Content-Type": "text/csv"}
    upload = asking.post(url, content=LIST, headers=headers, timeout=30)
    assert upload.json()["error"] == {"code": "UNAVAILABLE", "message": READ_ONLY}
    mutation = read_only.ask(
        "mutation { updateSettings(input: {globalCap: 7}) { __typename } }"
    )
    (error,) = mutation.errors
    assert (error["message"], mutation.code) == (READ_ONLY, "INTERNAL")


def test_erase_names_the_read_only_database_in_its_only_line(
    read_only: ApiClient, tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).with_name("autolynx")), "erase"]
    ended = subprocess.run(
        [*command, "--phone", "+12025550101"],
        env=os.environ | {"AUTOLYNX_DATABASE_URL": read_only.database},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    message = "the database is read-only, so nothing was stored: run autolynx doctor."
    assert ended.stderr == f"autolynx: {message}\n"


def test_doctor_does_not_report_a_leading_scheduler_on_a_read_only_database(
    read_only: ApiClient,
) -> None:
    set_read_only(read_only, "off")
    with connect(read_only.database, name="test") as connection:
        beat(connection, "scheduler", "here")
    configuration = configured(read_only.database)
    assert scheduler_finding(configuration).grade is Grade.OK
    set_read_only(read_only, "on")
    found = scheduler_finding(configuration)
    assert (found.grade, "leads" in found.said) == (Grade.WRONG, False)


def scheduler_finding(configuration: Configuration) -> Finding:
    (found,) = (one for one in of_database(configuration) if one.about == "scheduler")
    return found


def test_doctor_names_a_read_only_database(read_only: ApiClient) -> None:
    findings = [*of_database(configured(read_only.database))]
    (server,) = [one for one in findings if one.about == "server"]
    assert server.grade is Grade.WRONG
    assert "read-only" in server.said
    assert Finding("migrations", Grade.OK, "all are applied.") in findings
