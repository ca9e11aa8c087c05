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
from tests.wiring import NOON, House

PHONE = "+12025550143"
SOON = NOON + timedelta(seconds=5)


def fresh(house: House) -> InstallationKey:
    """Return the key as a process that has just started sees it."""
    return replace(house).installation_key


def do(house: House, statement: str) -> None:
    with connect(house.url, name="test") as conn:
        conn.execute(statement.encode())


def claimed(house: House) -> UUID:
    [call_id] = house.claim(house.campaign([PHONE]), 1)
    return call_id


def test_the_key_is_created_at_first_use_and_then_stays(house: House) -> None:
    number_key = house.installation_key.of_number(PHONE)
    assert house.topics(INSTALLATION_ID) == ["key_created"]
    assert fresh(house).of_number(PHONE) == number_key
    assert house.topics(INSTALLATION_ID) == ["key_created"]
    assert len(bytes.fromhex(number_key)) == 32


def test_another_key_gives_another_digest(house: House) -> None:
    number_key = house.installation_key.of_number(PHONE)
    do(house, "delete from key_vault")
    do(house, f"delete from autolynx_events where originator_id = '{INSTALLATION_ID}'")
    assert fresh(house).of_number(PHONE) != number_key


def test_processes_that_start_at_once_agree_on_one_key(house: House) -> None:
    start = Barrier(4)

    def number_key(key: InstallationKey) -> str:
        start.wait()
        return key.of_number(PHONE)

    with ThreadPoolExecutor(4) as threads:
        keys = list(threads.map(number_key, [fresh(house) for _ in range(4)]))
    assert len(set(keys)) == 1
    assert house.topics(INSTALLATION_ID) == ["key_created"]


def test_a_key_that_another_process_creates_between_two_reads_is_used(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is stored after the row was looked for and before the event was."""
    find, created = house.app.find, list[str]()

    def create_first(kind: Any, id_: UUID) -> Any:
        if not created:
            created.append("")
            created[0] = fresh(house).of_number(PHONE)
        return find(kind, id_)

    monkeypatch.setattr(house.app, "find", create_first)
    assert fresh(house).of_number(PHONE) == created[0]


FAULTS = {
    "missing": "delete from key_vault",
    "erased": "update key_vault set key = null, salt = null",
    "not the one": "update key_vault set key = 'another key'",
}


@pytest.mark.parametrize("how", FAULTS)
def test_without_the_right_key_no_number_is_keyed(house: House, how: str) -> None:
    house.installation_key.prepare()
    do(house, FAULTS[how])
    with pytest.raises(KeyUnusable, match="Restore the table key_vault"):
        fresh(house).of_number(PHONE)
    assert "key_vault" in (house.installation_key.fault() or "")


def test_a_key_without_its_event_is_not_used(house: House) -> None:
    house.installation_key.prepare()
    do(house, f"delete from autolynx_events where originator_id = '{INSTALLATION_ID}'")
    with pytest.raises(KeyUnusable, match="another event log"):
        fresh(house).of_number(PHONE)


@pytest.mark.parametrize("how", FAULTS)
def test_without_the_right_key_nobody_is_called(house: House, how: str) -> None:
    call_id = claimed(house)
    house.installation_key.prepare()
    do(house, f"{FAULTS[how]} where campaign_id = '{INSTALLATION_ID}'")
    assert replace(house).calls.request(call_id, dial_before=SOON) is None
    assert house.topics(call_id) == ["created"]


def test_nobody_is_called_once_the_log_names_another_key(house: House) -> None:
    """As after a restore underneath a running process, whose cached key is old."""
    call_id = claimed(house)
    house.installation_key.prepare()
    do(
        house,
        "update autolynx_events set state = convert_to(replace(convert_from(state,"
        " 'UTF8'), '\"key_digest\":\"', '\"key_digest\":\"0'), 'UTF8')"
        f" where originator_id = '{INSTALLATION_ID}'",
    )
    assert house.calls.request(call_id, dial_before=SOON) is None
    assert house.topics(call_id) == ["created"]


def test_the_ids_of_many_numbers_are_those_of_each(house: House) -> None:
    phones = [f"+1202555{n:04}" for n in range(50)]
    ids = house.installation_key.number_ids(phones)
    assert ids == b"".join(house.numbers.id_of(phone).bytes for phone in phones)
    assert house.installation_key.number_ids([]) == b""
