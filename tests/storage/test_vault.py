"""Vault rows are stored with their events and read by id, until they are erased."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from application.vault import (
    ContactRow,
    KeyRow,
    MessageRow,
    RejectRow,
    TextRow,
    VaultReader,
    VaultRow,
)
from storage.database import Pool, open_pool
from storage.log.append import BULK_ROWS
from storage.log.recorder import EventRecorder
from storage.vault.tables import Vault

SALT = bytes(range(32))
CONTACT = ContactRow(
    uuid4(),
    uuid4(),
    uuid4(),
    'Zoë "Z" \\ O\'Hara\n',
    "",
    "+12025550123",
    {"Plan B": "gold", "a": ""},
    "0101",
    salt=SALT,
)
# Numbers that jsonb would change.
DOCUMENT = {"z": 1e16, "a": -0.0, "n": None, "deep": [{"cost": 0.1, "n": 2**53 + 1}]}
ANALYSIS: dict[str, Any] = {
    "structured_outputs": {"goal": True, "note": "x\ny", "n": None},
    "summary": "Zoë agreed.",
    "success_evaluation": "true",
}
MESSAGE = MessageRow(
    uuid4(), uuid4(), uuid4(), DOCUMENT, "https://r", [], **ANALYSIS, salt=SALT
)
BARE = MessageRow(uuid4(), MESSAGE.subject_id, None, None, None, None, salt=SALT)
WORDS = TextRow(uuid4(), uuid4(), "no\ncredit", salt=SALT)
KEY = KeyRow(uuid4(), bytes(range(256)), salt=SALT)
REJECTS = [
    RejectRow(uuid4(), 2, "INVALID_PHONE", "what?", ("a", "", "ü"), salt=SALT),
]
REJECTS.append(replace(REJECTS[0], row=10, cells=()))
ROWS: list[VaultRow] = [CONTACT, MESSAGE, BARE, WORDS, KEY, *reversed(REJECTS)]

EMPTY = """
update contact_vault
    set name = null, business_name = null, phone = null, extension = null,
        variables = null, salt = null;
update message_vault
    set document = null, recording_url = null, transcript = null,
        structured_outputs = null, summary = null, success_evaluation = null,
        salt = null;
update words_vault set words = null, salt = null;
update key_vault set key = null, salt = null;
update reject_vault set reason = null, message = null, cells = null, salt = null;
"""


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, name="test") as pool:
        yield pool


@pytest.fixture(params=["JSON", "arrays", "COPY"])
def vault(pool: Pool, request: pytest.FixtureRequest) -> Vault:
    """A vault with ROWS, stored as JSON, by COPY, or with the messages as arrays.

    Messages are sent as arrays if an append has no other rows than messages and texts.
    """
    recorder = EventRecorder(pool)
    of_a_call: list[VaultRow] = [MESSAGE, WORDS, BARE]
    match request.param:
        case "JSON":
            recorder.insert_events(events(1), vault=ROWS)
        case "arrays":
            recorder.insert_events(events(1), vault=of_a_call)
            others = [row for row in ROWS if row not in of_a_call]
            recorder.insert_events(events(1), vault=others)
        case "COPY":
            recorder.insert_events(events(BULK_ROWS + 1), vault=ROWS)
    return Vault(pool)


def events(count: int) -> list[StoredEvent]:
    stream = uuid4()
    return [StoredEvent(stream, n + 1, "topic", b"{}") for n in range(count)]


def test_a_row_is_read_unchanged(vault: Vault) -> None:
    assert vault.contact(CONTACT.contact_id, CONTACT.list_id) == CONTACT
    assert vault.message(MESSAGE.id) == MESSAGE
    assert vault.message(BARE.id) == BARE
    assert vault.words(WORDS.id) == WORDS.words
    assert vault.campaign_key(KEY.campaign_id) == KEY.key
    assert vault.rejects(REJECTS[0].list_id) == REJECTS


def test_a_row_that_is_read_has_the_stored_leaf(pool: Pool, vault: Vault) -> None:
    message = vault.message(MESSAGE.id)
    contact = vault.contact(CONTACT.contact_id, CONTACT.list_id)
    assert message is not None
    assert contact is not None
    with pool.connection() as connection:
        leaves = connection.execute(
            "select leaf from message_vault where id = %s"
            " union all select leaf from contact_vault",
            (MESSAGE.id,),
        ).fetchall()
    assert [message.leaf, contact.leaf] == [bytes(leaf) for (leaf,) in leaves]


def test_variables_keep_the_order_of_the_columns(vault: Vault) -> None:
    contact = vault.contact(CONTACT.contact_id, CONTACT.list_id)
    assert contact is not None
    assert list(contact.variables) == ["Plan B", "a"]


def test_messages_are_found_by_their_subject(vault: Vault) -> None:
    found = vault.messages_of(MESSAGE.subject_id)
    assert found == sorted([MESSAGE, BARE], key=lambda message: message.id)
    assert vault.messages_of(uuid4()) == []


def test_several_texts_are_read_at_once(vault: Vault) -> None:
    assert vault.words_of([WORDS.id, uuid4()]) == {WORDS.id: WORDS.words}
    assert vault.words_of([]) == {}


def test_rejects_are_read_page_by_page(vault: Vault) -> None:
    list_id = REJECTS[0].list_id
    assert vault.rejects(list_id, limit=1) == REJECTS[:1]
    assert vault.rejects(list_id, after_row=2) == REJECTS[1:]


def test_missing_rows_are_none(pool: Pool) -> None:
    vault: VaultReader = Vault(pool)
    assert vault.campaign_key(uuid4()) is None
    assert vault.contact(uuid4(), uuid4()) is None
    assert vault.message(uuid4()) is None
    assert vault.words(uuid4()) is None
    assert vault.rejects(uuid4()) == []


def test_an_erased_row_is_treated_as_missing(pool: Pool, vault: Vault) -> None:
    with pool.connection() as connection:
        connection.execute(EMPTY.encode())

    assert vault.contact(CONTACT.contact_id, CONTACT.list_id) is None
    assert vault.message(MESSAGE.id) is None
    assert vault.messages_of(MESSAGE.subject_id) == []
    assert vault.words(WORDS.id) is None
    assert vault.campaign_key(KEY.campaign_id) is None
    assert vault.rejects(REJECTS[0].list_id) == []
