from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from application.configuration import Configuration
from application.ports import PhoneNumber
from interfaces.cli import doctor
from interfaces.cli.findings import Finding, Grade
from storage.database import connect
from tests.interfaces.cli.conftest import CommandLine
from tests.simulator import Simulator
from tests.wiring import NOON

SECRET = "s" * 32


def configured(**given: Any) -> Configuration:
    return Configuration(**{"_env_file": None, **given})


def by_name(findings: list[dict[str, str]]) -> dict[str, tuple[str, str]]:
    return {one["about"]: (one["grade"], one["said"]) for one in findings}


def test_doctor_lists_everything_that_a_new_machine_lacks(
    autolynx: CommandLine, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLYNX_DATABASE_URL", empty_database)
    ended = autolynx("doctor", "--json")
    found = by_name(ended.json)
    assert ended.code == 1
    wrong = {name for name, (grade, _) in found.items() if grade == "wrong"}
    assert wrong >= {"migrations", "public URL", "webhooks", "provider"}
    assert "autolynx migrate" in found["migrations"][1]
    assert "AUTOLYNX_WEBHOOK_SECRET" in found["webhooks"][1]


def test_doctor_finds_no_fault_on_a_configured_machine(
    autolynx: CommandLine, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLYNX_PUBLIC_URL", "https://calls.example.com")
    monkeypatch.setenv("AUTOLYNX_WEBHOOK_SECRET", SECRET)
    autolynx.done("migrate")
    autolynx.done("members", "add", "ada@example.com", "--role", "admin")
    ended = autolynx("doctor", "--json")
    wrong = {one["about"] for one in ended.json if one["grade"] == "wrong"}
    assert wrong == {"durability"}  # The tests' server has fsync turned off.
    assert by_name(ended.json)["phone numbers"][0] == "ok"
    lines = autolynx("doctor").lines
    assert "ok     provider: " + simulator.url + " answers." in lines


def test_doctor_names_read_tables_of_another_version_until_they_are_rebuilt(
    autolynx: CommandLine, database: str
) -> None:
    with connect(database, name="test") as conn:
        conn.execute("comment on table read.call_log is 'form of old'")
    grade, found = by_name(autolynx("doctor", "--json").json)["read tables"]
    assert (grade, "call_log" in found) == ("wrong", True)
    assert "autolynx projections rebuild" in autolynx.refusal("members", "list")
    assert "read tables of another version: call_log;" in autolynx.done("migrate").err
    autolynx.done("projections", "rebuild")
    assert "read tables" not in by_name(autolynx("doctor", "--json").json)
    autolynx.done("members", "list")


def test_doctor_names_a_key_that_the_provider_refuses(
    autolynx: CommandLine, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLYNX_VAPI_API_KEY", "another")
    grade, found = by_name(autolynx("doctor", "--json").json)["provider"]
    assert (grade, "refuses" in found) == ("wrong", True)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1",
        "mysql://nobody@127.0.0.1/none",
    ],
)
def test_doctor_names_an_unreachable_database(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AUTOLYNX_DATABASE_URL", url)
    grade, found = by_name(autolynx("doctor", "--json").json)["database"]
    assert (grade, "AUTOLYNX_DATABASE_URL" in found) == ("wrong", True)


@pytest.mark.parametrize(
    "url",
    [
        "http://calls.example.com",
        "https://localhost:8000",
        "https://10.0.0.7",
        "https://calls.internal",
        "https://calls.example.com/autolynx",
        "https://[::1",
        None,
    ],
)
def test_a_public_url_that_is_not_reachable_from_outside_is_wrong(
    url: str | None,
) -> None:
    found = doctor.of_public_url(configured(public_url=url))
    assert found.grade is Grade.WRONG


def test_a_valid_public_url_is_accepted() -> None:
    found = doctor.of_public_url(configured(public_url="https://calls.example.com/"))
    assert found.grade is Grade.OK


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        ({"webhook_secret": SecretStr("short")}, Grade.LOOK),
        ({"webhook_secret": SecretStr(SECRET)}, Grade.OK),
        ({"webhook_secret": SecretStr(SECRET), "webhook_auth": "hmac"}, Grade.WRONG),
        ({"webhook_secret": SecretStr("")}, Grade.WRONG),
    ],
)
def test_webhooks_without_authentication_are_wrong(
    given: dict[str, Any], grade: Grade
) -> None:
    assert doctor.of_webhook_secret(configured(**given)).grade is grade


def test_a_half_configured_identity_provider_is_wrong() -> None:
    (found,) = doctor.of_sign_in(configured(oidc_issuer="https://id.example.com"))
    assert found.grade is Grade.WRONG
    assert "AUTOLYNX_OIDC_CLIENT_ID" in found.said


def test_development_on_a_public_machine_is_wrong() -> None:
    public = configured(development=True, public_url="https://calls.example.com")
    assert [one.grade for one in doctor.of_sign_in(public)][-1] is Grade.WRONG


def test_a_clock_that_differs_from_the_database_s_is_wrong() -> None:
    assert doctor.of_clock(NOON, NOON + timedelta(seconds=1)).grade is Grade.OK
    assert doctor.of_clock(NOON, NOON - timedelta(seconds=9)).grade is Grade.WRONG


def test_an_account_without_lines_is_wrong_and_inactive_lines_are_named() -> None:
    line = PhoneNumber("p1", "+12025550100", None, "active")
    blocked = PhoneNumber("p2", "+12025550101", None, "blocked", usable=False)
    assert doctor.of_lines([]).grade is Grade.WRONG
    assert doctor.of_lines([line]).grade is Grade.OK
    assert doctor.of_lines([line, blocked]) == Finding(
        "phone numbers", Grade.LOOK, "not active at the provider: +12025550101."
    )


def test_doctor_names_calling_rules_that_cannot_be_read(
    autolynx: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autolynx.done("migrate")
    grade, found = by_name(autolynx("doctor", "--json").json)["calling rules"]
    assert (grade, "rules, version" in found) == ("ok", True)
    monkeypatch.setenv("AUTOLYNX_RULES_DIR", str(tmp_path / "rules"))
    grade, found = by_name(autolynx("doctor", "--json").json)["calling rules"]
    assert (grade, "rules: the folder of rules does not exist" in found) == (
        "wrong",
        True,
    )


def test_doctor_names_a_suppression_list_that_lost_rows(
    autolynx: CommandLine, tmp_path: Path, database: str
) -> None:
    file = tmp_path / "registry.txt"
    file.write_text("+13055550100")
    imported = ("--name", "Registry", "--as-of", "2026-11-01")
    autolynx.done("suppressions", "import", str(file), *imported)
    assert by_name(autolynx("doctor", "--json").json)["suppression lists"][0] == "ok"
    with connect(database, name="test") as conn:
        conn.execute("delete from suppression_block")
    grade, found = by_name(autolynx("doctor", "--json").json)["suppression lists"]
    assert grade == "wrong"
    assert "The list Registry cannot be read (1 of its 1 blocks are missing)" in found


def test_allowing_requests_leaves_each_variable_in_effect(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    autolynx.done("migrate")
    autolynx.done("allow-requests")
    monkeypatch.setenv("AUTOLYNX_SETTINGS_CALLING_RULES", "OFF")
    assert "settings" not in by_name(autolynx("doctor", "--json").json)
    assert autolynx.done("settings", "--json").json["callingRules"] == "OFF"


def test_doctor_names_a_variable_that_stored_settings_override(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLYNX_SETTINGS_CALLING_RULES", "OFF")
    autolynx.done("migrate")
    assert "settings" not in by_name(autolynx("doctor", "--json").json)
    changes = ("callingRules=ENFORCED", "globalCap=20")
    autolynx.done("settings", *changes)
    grade, found = by_name(autolynx("doctor", "--json").json)["settings"]
    assert grade == "look"
    assert "AUTOLYNX_SETTINGS_CALLING_RULES is OFF without effect" in found
    assert "callingRules is ENFORCED" in found
