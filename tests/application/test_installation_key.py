"""The installation's key: created once, and nobody is called without it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from application.installation_key import InstallationKey, KeyUnusable
from domain.numbers.installation import INSTALLATION_ID
from storage.database import connect
from tests.wiring import NOON, Services

PHONE = "+12025550143"
SOON = NOON + timedelta(seconds=5)


def fresh(services: Services) -> InstallationKey:
    """Return the key as a process that has just started sees it."""
    return replace(services).installation_key


def do(services: Services, statement: str) -> None:
    with connect(services.url, name="test") as conn:
        conn.execute(statement.encode())


def claimed(services: Services) -> UUID:
    [call_id] = services.claim(services.campaign([PHONE]), 1)
    return call_id


def test_the_key_is_created_at_first_use_and_then_stays(services: Services) -> None:
    number_key = services.installation_key.of_number(PHONE)
    assert services.topics(INSTALLATION_ID) == ["key_created"]
    assert fresh(services).of_number(PHONE) == number_key
    assert services.topics(INSTALLATION_ID) == ["key_created"]
    assert len(bytes.fromhex(number_key)) == 32


def test_another_key_gives_another_digest(services: Services) -> None:
    number_key = services.installation_key.of_number(PHONE)
    do(services, "delete from key_vault")
    do(
        services,
        f"delete from autolynx_events where originator_id = '{INSTALLATION_ID}'",
    )
    assert fresh(services).of_number(PHONE) != number_key


def test_processes_that_start_at_once_agree_on_one_key(services: Services) -> None:
    start = Barrier(4)

    def number_key(key: InstallationKey) -> str:
        start.wait()
        return key.of_number(PHONE)

    with ThreadPoolExecutor(4) as threads:
        keys = list(threads.map(number_key, [fresh(services) for _ in range(4)]))
    assert len(set(keys)) == 1
    assert services.topics(INSTALLATION_ID) == ["key_created"]


def test_a_key_that_another_process_creates_between_two_reads_is_used(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is stored after the row was looked for and before the event was."""
    find, created = services.app.find, list[str]()

    def create_first(kind: Any, id_: UUID) -> Any:
        if not created:
            created.append("")
            created[0] = fresh(services).of_number(PHONE)
        return find(kind, id_)

    monkeypatch.setattr(services.app, "find", create_first)
    assert fresh(services).of_number(PHONE) == created[0]


FAULTS = {
    "missing": "delete from key_vault",
    "erased": "update key_vault set key = null, salt = null",
    "not the one": "update key_vault set key = 'another key'",
}


@pytest.mark.parametrize("how", FAULTS)
def test_without_the_right_key_no_number_is_keyed(services: Services, how: str) -> None:
    services.installation_key.prepare()
    do(services, FAULTS[how])
    with pytest.raises(KeyUnusable, match="Restore the table key_vault"):
        fresh(services).of_number(PHONE)
    assert "key_vault" in (services.installation_key.fault() or "")


def test_a_key_without_its_event_is_not_used(services: Services) -> None:
    services.installation_key.prepare()
    do(
        services,
        f"delete from autolynx_events where originator_id = '{INSTALLATION_ID}'",
    )
    with pytest.raises(KeyUnusable, match="another event log"):
        fresh(services).of_number(PHONE)


@pytest.mark.parametrize("how", FAULTS)
def test_without_the_right_key_nobody_is_called(services: Services, how: str) -> None:
    call_id = claimed(services)
    services.installation_key.prepare()
    do(services, f"{FAULTS[how]} where campaign_id = '{INSTALLATION_ID}'")
    assert replace(services).calls.request(call_id, dial_before=SOON) is None
    assert services.topics(call_id) == ["created"]


def test_nobody_is_called_once_the_log_names_another_key(services: Services) -> None:
    """As after a restore underneath a running process, whose cached key is old."""
    call_id = claimed(services)
    services.installation_key.prepare()
    do(
        services,
        "update autolynx_events set state = convert_to(replace(convert_from(state,"
        " 'UTF8'), '\"key_digest\":\"', '\"key_digest\":\"0'), 'UTF8')"
        f" where originator_id = '{INSTALLATION_ID}'",
    )
    assert services.calls.request(call_id, dial_before=SOON) is None
    assert services.topics(call_id) == ["created"]


def test_the_ids_of_many_numbers_are_those_of_each(services: Services) -> None:
    phones = [f"+1202555{n:04}" for n in range(50)]
    ids = services.installation_key.number_ids(phones)
    assert ids == b"".join(services.numbers.id_of(phone).bytes for phone in phones)
    assert services.installation_key.number_ids([]) == b""
