import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from interfaces.cli.demo.sample import HEADER, write_sample
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from provider.vapi.messages.reading import read_message
from storage.database import connect, open_pool
from storage.process.decisions import Decision, ProcessRecords, Reason, beat
from tests.interfaces.cli.conftest import CommandLine, Ended
from tests.simulator import Simulator
from tests.storage.test_workbooks import written
from tests.wiring import open_services

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
UNKNOWN = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"


def create(autolynx: CommandLine, file: Path, *more: str) -> Ended:
    given = {
        "--csv": str(file),
        "--name": "Spring",
        "--assistant": DEFAULT_ASSISTANT_ID,
        "--phone-number": DEFAULT_PHONE_NUMBER_ID,
    }
    options = [part for option in given.items() for part in option]
    return autolynx("campaigns", "create", *options, *more)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    write_sample(path, 7)
    return path


def test_a_campaign_is_created_without_any_other_process(
    autolynx: CommandLine, simulator: Simulator, file: Path
) -> None:
    made = create(autolynx, file, "--cap", "3", "--budget", "25.50")
    (id_,) = made.lines
    assert "7 contacts, 5 rows skipped." in made.err
    assert "row 3: " in made.err
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert (shown["state"], shown["contacts"], shown["pending"]) == ("CREATED", 7, 7)
    assert (shown["cap"], shown["budget"], shown["lastDecision"]) == (3, "25.50", None)
    assert shown["createdBy"].startswith("cli:")
    waits = f"autolynx campaigns start {id_}"
    assert waits in autolynx.done("campaigns", "show", id_).out


def test_a_campaign_is_changed_and_what_is_not_given_stays(
    autolynx: CommandLine, simulator: Simulator, file: Path
) -> None:
    (id_,) = create(autolynx, file, "--cap", "3", "--budget", "25.50").lines
    autolynx.done("campaigns", "change", id_, "--name", "Summer", "--cap", "5")
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert (shown["name"], shown["cap"], shown["budget"]) == ("Summer", 5, "25.50")
    autolynx.done("campaigns", "change", id_, "--budget", "")
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert (shown["cap"], shown["budget"]) == (5, None)
    wrong = autolynx.refusal("campaigns", "change", id_, "--budget", "x", code=2)
    assert "such as 25.50" in wrong


@pytest.mark.usefixtures("simulator")
def test_premium_rate_numbers_are_accepted_when_kinds_is_any(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,business_name,phone\nAda,,900-555-0100\nBo,,2025550101\n")
    assert "1 contact, 1 row skipped." in create(autolynx, path).err
    made = create(autolynx, path, "--kinds", "any")
    assert "2 contacts, 0 rows skipped." in made.err


def test_a_campaign_goes_through_its_states(
    autolynx: CommandLine, simulator: Simulator, file: Path
) -> None:
    id_ = create(autolynx, file, "--start", "--json").json["id"]
    waits = autolynx.done("campaigns", "show", id_).lines[-1]
    assert waits.endswith("No scheduler has run yet: autolynx up")
    reason = ("--reason", "lunch")
    told = [
        autolynx.done("campaigns", "pause", id_, *reason).out,
        autolynx.done("campaigns", "show", id_, "--json").json["stateReason"],
        autolynx.done("campaigns", "resume", id_).out,
        autolynx.done("campaigns", "cancel", id_, "--hang-up").out,
    ]
    assert told == [
        "Spring is PAUSED.\n",
        "lunch",
        "Spring is QUEUED.\n",
        "Spring is CANCELED.\n",
    ]
    assert "canceled" in autolynx.refusal("campaigns", "start", id_)


def test_show_explains_why_contacts_wait(
    autolynx: CommandLine, simulator: Simulator, file: Path, database: str
) -> None:
    id_ = create(autolynx, file, "--start", "--json").json["id"]
    full = Reason("CAP_FULL", "All 3 calls that the cap allows are live.", 7)
    until = datetime(2026, 12, 24, 9, tzinfo=UTC)
    closed = Reason("OUTSIDE_HOURS", "It is night there.", 1, until)
    decision = Decision(UUID(id_), NOON, room=3, placed=3, reasons=(full, closed))
    with (
        open_pool(database, name="test") as pool,
        connect(database, name="test") as leader,
    ):
        ProcessRecords(pool).write_decisions([decision])
        beat(leader, "scheduler", "here")
        waits = autolynx.done("campaigns", "show", id_).lines[-1]
        assert waits.endswith(
            "At 12:00:00Z 3 calls were claimed."
            " 7 contacts: All 3 calls that the cap allows are live."
            " 1 contact: It is night there. (until 2026-12-24 09:00:00Z)"
        )
        leader.execute("update heartbeat set beat_at = beat_at - interval '1 hour'")
        waits = autolynx.done("campaigns", "show", id_).lines[-1]
    assert "The scheduler's last heartbeat was at" in waits


def test_show_sums_up_outcomes_and_the_stages_that_contacts_reached(
    autolynx: CommandLine, simulator: Simulator, file: Path, database: str
) -> None:
    id_ = create(autolynx, file, "--start", "--json").json["id"]
    with open_services(database) as services:
        call_ids = services.claim(UUID(id_), 3)
        reasons = ("customer-busy", "customer-busy", "assistant-ended-call")
        for call_id, reason in zip(call_ids, reasons, strict=True):
            call = {"id": f"p-{call_id}", "name": str(call_id)}
            message = {"type": "status-update", "status": "ended", "call": call}
            told = {"message": {**message, "endedReason": reason}}
            services.calls.record_message(read_message(told))
        services.settle()
    lines = dict(
        line.split(maxsplit=1) for line in autolynx.done("campaigns", "show", id_).lines
    )
    assert lines["outcomes"] == "HUMAN 1, BUSY 2"
    assert lines["funnel"] == (
        "3 of 7 contacts dialed, 1 answered, 1 by a person, 0 reached the goal"
    )
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert shown["outcomes"][1] == {"outcome": "BUSY", "calls": 2, "contacts": 2}
    assert shown["funnel"]["human"] == 1


def test_campaigns_are_listed_newest_first_and_by_state(
    autolynx: CommandLine, simulator: Simulator, file: Path
) -> None:
    older = create(autolynx, file, "--json").json["id"]
    newer = create(autolynx, file, "--start", "--json").json["id"]
    every = autolynx.done("campaigns", "list", "--json").json
    assert [row["id"] for row in every] == [newer, older]
    queued = autolynx.done("campaigns", "list", "--state", "queued", "--json").json
    assert [row["id"] for row in queued] == [newer]
    header, *rows = autolynx.done("campaigns", "list").lines
    assert header.split("\t")[:3] == ["id", "name", "state"]
    assert [row.split("\t")[0] for row in rows] == [newer, older]


def test_the_export_has_a_row_for_each_contact_in_order(
    autolynx: CommandLine, simulator: Simulator, file: Path, tmp_path: Path
) -> None:
    id_ = create(autolynx, file, "--json").json["id"]
    printed = autolynx.done("campaigns", "export", id_).out
    autolynx.done("campaigns", "export", id_, "-o", str(tmp_path / "out.csv"))
    written = (tmp_path / "out.csv").read_bytes().decode()
    rows = list(csv.DictReader(StringIO(written)))
    assert [row["name"] for row in rows][:2] == ["Ada Abbott", "Bela Brandt"]
    assert {row["status"] for row in rows} == {"PENDING"}
    assert len(rows) == 7
    assert printed.splitlines() == written.splitlines()


def test_a_file_that_cannot_be_read_is_refused(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("name,plan\nAda,gold\n")
    ended = create(autolynx, bad)
    assert ended.code == 1
    assert "--map COLUMN=PHONE" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert autolynx.done("campaigns", "list", "--json").json == []


def test_columns_are_mapped_on_the_command_line(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("who,phone,reach\nAda,12,2025550101\n")
    made = create(autolynx, path, "--map", "reach=phone", "--map", "who=NAME")
    assert "1 contact, 0 rows skipped." in made.err
    refused = create(autolynx, path, "--map", "reach")
    assert (refused.code, "COLUMN=ROLE" in refused.err) == (1, True)


def test_a_dry_run_reports_how_a_file_is_understood_and_creates_nothing(
    autolynx: CommandLine, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("First Name,Handy,Mobile 2\nAda,2025550101,x\nBo,12,y\n")
    dry_run = ("campaigns", "create", "--file", str(path), "--dry-run")
    report = autolynx.done(*dry_run, "--json").json
    assert [use["role"] for use in report["mapping"]] == [
        "FIRST_NAME",
        "PHONE",
        "VARIABLE",
    ]
    assert (report["report"]["accepted"], report["report"]["skippedCount"]) == (1, 1)
    assert report["countries"] == [{"country": "US", "contacts": 1}]
    assert report["dialability"]["contacts"] == 1
    shown = autolynx.done(*dry_run)
    assert "column     Handy: PHONE" in shown.lines
    assert "column     First Name: FIRST_NAME (Ada)" in shown.lines
    assert "reason     INVALID_PHONE: 1" in shown.lines
    assert "contacts   1" in shown.lines
    assert "warning: The phone numbers are those of" in shown.err
    assert autolynx.done("campaigns", "list", "--json").json == []
    with connect(database, name="test") as connection:
        counts = (
            "select (select count(*) from upload), (select count(*) from upload_row)"
        )
        assert connection.execute(counts).fetchone() == (0, 0)


def test_a_dry_run_with_an_assistant_warns_of_rows_without_its_values(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,phone,plan\nAda,2025550101,gold\nBo,2025550102,\n")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"firstMessage": "Hi {{name}}, {{plan}}, {{city}}"}))
    new = ("assistants", "create", "Ann", "--config", str(config))
    assistant = autolynx.done(*new).lines[0]
    dry_run = ("campaigns", "create", "--file", str(path), "--dry-run")
    warnings = [
        (
            "The assistant uses city, which the file lacks: add a column of that name,"
            " or change the assistant."
        ),
        (
            "1 row has no value for plan, which the assistant uses in its first"
            " message: row 3."
        ),
    ]
    err = autolynx.done(*dry_run, "--assistant", assistant).err
    assert [line for line in err.splitlines() if "warning: " in line] == [
        f"autolynx: warning: {warning}" for warning in warnings
    ]
    report = autolynx.done(*dry_run, "--arm", f"{assistant}=50", "--json").json
    assert report["warnings"] == warnings
    assert report["missing"] == [{"variable": "plan", "rows": 1, "firstRows": [3]}]


def test_a_refused_workbook_names_its_other_sheets(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "people.xlsx"
    people: list[list[Any]] = [["Name", "Phone"], ["Ada", 2025550101]]
    path.write_bytes(written(("Notes", [["about"], ["x"]]), ("People", people)))
    dry_run = ("campaigns", "create", "--file", str(path), "--dry-run")
    assert '--sheet chooses another: "People"' in autolynx.refusal(*dry_run)
    shown = autolynx.done(*dry_run, "--sheet", "People")
    assert "sheet      People" in shown.lines
    assert "accepted   1" in shown.lines


def test_a_file_without_an_accepted_row_is_refused(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(f"{','.join(HEADER)}\nAda,Bakery,none,team\n")
    ended = create(autolynx, bad)
    assert (ended.code, len(ended.err.splitlines())) == (1, 1)


@pytest.mark.parametrize("command", ["show", "start", "pause", "cancel", "export"])
def test_an_unknown_campaign_is_refused(autolynx: CommandLine, command: str) -> None:
    assert UNKNOWN in autolynx.refusal("campaigns", command, UNKNOWN)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("campaigns", "create", "--name", "x"), "--file"),
        (("campaigns", "create", "--file", __file__), "--name"),
        (("campaigns", "show", "seven"), "UUID"),
        (("campaigns", "nothing"), "nothing"),
        (("campaigns", "list", "--state", "odd"), "odd"),
        (("members", "add", "a@b.example"), "--role"),
    ],
)
def test_wrong_usage_is_reported_in_one_line(
    autolynx: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    assert said in autolynx.refusal(*arguments, code=2)


def test_an_invalid_budget_is_wrong_usage(
    autolynx: CommandLine, simulator: Simulator, file: Path
) -> None:
    ended = create(autolynx, file, "--budget", "plenty")
    assert ended.code == 2
    assert "plenty" in ended.err


def test_the_export_has_the_columns_and_contacts_that_the_options_choose(
    autolynx: CommandLine, simulator: Simulator, file: Path, tmp_path: Path
) -> None:
    id_ = create(autolynx, file, "--json").json["id"]
    options = ("--columns", "phone,attempts,name", "--status", "pending", "--bom")
    out = tmp_path / "out.csv"
    autolynx.done("campaigns", "export", id_, *options, "-o", str(out))
    header, first, *_ = out.read_bytes().decode().splitlines()
    assert header == "\ufeffphone,attempts,name"
    assert first.endswith(",0,Ada Abbott")
    none = autolynx.done("campaigns", "export", id_, "--outcome", "HUMAN").lines
    assert len(none) == 1
    called = ("--since", "2026-01-01T00:00:00Z", "--until", "2027-01-01T00:00:00Z")
    assert len(autolynx.done("campaigns", "export", id_, *called).lines) == 1
    lines = autolynx.done("campaigns", "export", id_, "--jsonl").lines
    assert [json.loads(line)["name"] for line in lines][:2] == [
        "Ada Abbott",
        "Bela Brandt",
    ]


def test_an_export_that_is_refused_creates_no_file(
    autolynx: CommandLine, simulator: Simulator, file: Path, tmp_path: Path
) -> None:
    id_ = create(autolynx, file, "--json").json["id"]
    out = tmp_path / "out.csv"
    ended = autolynx("campaigns", "export", id_, "--columns", "nmae", "-o", str(out))
    assert ended.code == 1
    assert 'There is no column "nmae". The columns are: name,' in ended.err
    assert not out.exists()
