"""A rehearsal runs the real scheduler in virtual time, beside the installation."""

import csv
import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg.conninfo import make_conninfo

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import PRESETS
from domain.numbers.number import SuppressionSource
from domain.settings import SettingsValues
from interfaces.cli.doctor import of_rehearsals
from interfaces.cli.findings import Grade
from interfaces.rehearsals import COMMAND, RehearsalRefused
from storage.database import connect
from storage.process.rehearsal_database import (
    CannotRehearse,
    RehearsalRunning,
    database_name,
    drop_leftover,
    rehearsal_database,
)
from storage.process.rehearsal_order import RehearsedAssistant, order_to_json
from storage.vault.reception import receive_built
from storage.vault.uploads import NewUpload
from tests.database_dump import dumped
from tests.scheduler.rehearsal.rehearsing import (
    MORNING,
    order_for,
    run_here,
    run_process,
)
from tests.wiring import BY, Services, phones

ENDED = ("ended", "failed", "canceled", "timed_out")


def databases(url: str) -> list[str]:
    """Return the name of the installation's rehearsal database, if there is one."""
    query = "select datname from pg_database where datname = %s"
    with connect(url, name="test") as conn:
        return [row[0] for row in conn.execute(query, (database_name(conn),))]


# --- The campaign ---------------------------------------------------------------------


def test_every_contact_is_called_and_the_campaign_completes(
    database: str, blank_database: str, tmp_path: Path
) -> None:
    figures = run_here(order_for(database, tmp_path), blank_database)
    assert figures["rehearsal"] is True
    assert figures["name"] == "Rehearsal: Spring"
    assert (figures["state"], figures["pending"]) == ("COMPLETED", 0)
    assert sum(figures[name] for name in ENDED) == figures["contacts"] == 6
    assert figures["calls"] == sum(figures["outcomes"].values()) >= 6
    began = datetime.fromisoformat(figures["startedAt"])
    assert MORNING <= began < datetime.fromisoformat(figures["completedAt"])


def test_the_same_seed_gives_the_same_result(
    database: str, blank_database: str, tmp_path: Path
) -> None:
    order = order_for(database, tmp_path, people=4)
    first = run_here(order, blank_database)
    again = run_process(order)
    assert again["outcomes"] == first["outcomes"]
    assert again["spend"] == first["spend"]


def test_retries_follow_the_policy_over_virtual_days(
    database: str, blank_database: str, tmp_path: Path
) -> None:
    terms = CallingTerms(retry_policy=PRESETS["patient"])
    order = order_for(database, tmp_path, people=12, terms=terms, cap=12)
    figures = run_here(order, blank_database)
    assert figures["state"] == "COMPLETED"
    assert figures["calls"] > 12
    lasted = datetime.fromisoformat(figures["at"]) - MORNING
    assert lasted > timedelta(hours=1)


def test_no_call_is_placed_at_night_and_the_night_passes_at_once(
    database: str, blank_database: str, tmp_path: Path
) -> None:
    midnight = MORNING - timedelta(hours=10)
    settings = replace(SettingsValues(), dials_per_second=50.0)
    order = order_for(database, tmp_path, people=3, begins_at=midnight)
    figures = run_here(replace(order, settings=settings), blank_database)
    assert figures["state"] == "COMPLETED"
    first = datetime.fromisoformat(figures["startedAt"])
    assert first - midnight > timedelta(hours=2)


def test_the_compared_assistants_share_the_contacts(
    database: str, blank_database: str, tmp_path: Path
) -> None:
    second = RehearsedAssistant("a-2", "Quinn", "{}", 50)
    order = order_for(database, tmp_path, people=12, cap=12)
    order = replace(order, assistants=(*order.assistants, second))
    figures = run_here(order, blank_database)
    assert [arm["share"] for arm in figures["arms"]] == [50, 50]
    assert sum(arm["contacts"] for arm in figures["arms"]) == 12


def test_a_campaign_that_its_budget_stops_ends_the_rehearsal(
    database: str, blank_database: str, tmp_path: Path
) -> None:
    order = order_for(database, tmp_path, people=12, budget=Decimal("0.50"))
    figures = run_here(order, blank_database)
    assert figures["state"] == "PAUSED"
    assert figures["pending"] > 0


# --- The installation -----------------------------------------------------------------


def test_nothing_of_the_installation_changes(
    services: Services, tmp_path: Path
) -> None:
    services.numbers.suppress(
        phones(1)[0], source=SuppressionSource.PERSON, reason=None, by=BY
    )
    campaign_id = services.campaign(2)
    services.settle()
    before = dumped(services.url)
    figures = run_process(order_for(services.url, tmp_path, people=4))
    assert figures["state"] == "COMPLETED"
    assert figures["withheld"] == 1, "the register of the installation applies"
    assert dumped(services.url) == before
    assert services.board(campaign_id).pending == 2
    assert databases(services.url) == []


def test_the_export_and_the_events_are_those_of_a_real_campaign(
    database: str, tmp_path: Path
) -> None:
    export, events = tmp_path / "export.csv", tmp_path / "events.jsonl"
    order = order_for(database, tmp_path, export=str(export), events=str(events))
    figures = run_process(order)
    rows = list(csv.DictReader(export.read_text().splitlines()))
    assert [row["phone"] for row in rows] == phones(6)
    assert all(row["status"] for row in rows)
    logged = [json.loads(line) for line in events.read_text().splitlines()]
    assert len(logged) == figures["events"]
    topics = {event["type"] for event in logged}
    assert {"campaign.created", "call.requested", "call.placed"} <= topics
    assert {"call.ended", "call.reported", "campaign.completed"} <= topics


def test_an_upload_of_the_installation_is_copied_with_its_rows(
    services: Services, tmp_path: Path
) -> None:
    new = NewUpload(
        services.context.new_id(),
        "people.csv",
        "US",
        BY,
        services.now(),
        services.now() + timedelta(days=1),
    )
    content = "\n".join(["name,phone", *(f"Ada,{phone}" for phone in phones(3)), ""])
    upload = receive_built(services.uploads, new, content.encode())
    order = order_for(services.url, tmp_path, file=None, upload_id=upload.id)
    assert run_process(order)["contacts"] == 3


def test_a_refusal_is_reported_and_leaves_nothing(
    database: str, tmp_path: Path
) -> None:
    order = order_for(database, tmp_path, cap=0)
    with pytest.raises(RehearsalRefused, match="Cap must be from 1"):
        run_process(order)
    assert databases(database) == []


# --- The right to create databases ----------------------------------------------------


@pytest.fixture
def without_grant(database: str) -> Iterator[str]:
    """The installation's database, used by a role that may not create databases."""
    role = f"Plain {uuid4().hex}"
    with connect(database, name="test") as conn:
        conn.execute(f'create role "{role}"'.encode())
        try:
            yield make_conninfo(database, options=f"-c role=Plain\\ {role[6:]}")
        finally:
            conn.execute(f'drop role "{role}"'.encode())


def test_a_user_without_the_right_to_create_databases_learns_which_one_is_missing(
    without_grant: str,
) -> None:
    with (
        pytest.raises(CannotRehearse, match=r'ALTER ROLE "Plain \w+" CREATEDB;'),
        rehearsal_database(without_grant),
    ):
        pass
    with connect(without_grant, name="test") as conn:
        finding = of_rehearsals(conn)
    assert finding.grade is Grade.LOOK
    assert "CREATEDB;" in finding.said


# --- One at a time, and nothing left --------------------------------------------------


def test_a_second_rehearsal_is_refused_while_one_runs(database: str) -> None:
    with rehearsal_database(database):
        with (
            pytest.raises(RehearsalRunning, match="running already"),
            rehearsal_database(database),
        ):
            pass
        assert len(databases(database)) == 1
        assert not drop_leftover(database), "that of a running rehearsal stays"
    assert databases(database) == []


def killed(order: Any) -> None:
    """Start a rehearsal and kill its process once its database is in use."""
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(order_to_json(order))
        process.stdin.flush()
        assert b"progress" in process.stdout.readline()
        process.send_signal(signal.SIGKILL)


def test_a_killed_rehearsal_is_cleaned_up_at_the_next_start(
    database: str, tmp_path: Path
) -> None:
    killed(order_for(database, tmp_path, people=50))
    assert len(databases(database)) == 1
    figures = run_process(order_for(database, tmp_path, people=2))
    assert figures["contacts"] == 2
    assert databases(database) == []


def test_a_scheduler_drops_what_a_killed_rehearsal_left(
    database: str, tmp_path: Path
) -> None:
    killed(order_for(database, tmp_path, people=50))
    assert drop_leftover(database)
    assert databases(database) == []
    assert not drop_leftover(database)


def test_a_rehearsal_ends_when_its_caller_does(database: str, tmp_path: Path) -> None:
    order = order_for(database, tmp_path, people=50)
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(order_to_json(order))
        process.stdin.flush()
        assert b"progress" in process.stdout.readline()
        process.stdin.close()
        process.stdout.read()
    assert process.returncode == 0
    assert databases(database) == []
