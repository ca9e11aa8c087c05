"""Leaves and digests of vault rows are stable, and rows hide what is personal."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest

from application.vault import (
    ContactRow,
    KeyRow,
    MessageRow,
    RejectRow,
    TextRow,
    VaultRow,
    canonical,
    digest,
)

ONE, TWO, THREE = (UUID(int=n) for n in (1, 2, 3))
SALT = bytes(range(32))
CONTACT = ContactRow(
    ONE, TWO, THREE, "Ann", "Ann & Co", "+12025550123", {"plan": "gold"}, salt=SALT
)
MESSAGE = MessageRow(ONE, TWO, None, {"type": "hang"}, "https://r", ["hi"], salt=SALT)
WORDS = TextRow(ONE, TWO, "no credit", salt=SALT)
KEY = KeyRow(ONE, b"k" * 32, salt=SALT)
REJECT = RejectRow(ONE, 7, "INVALID_PHONE", "not a number", ("Bob", "12"), salt=SALT)


def test_leaves_and_digests_never_change() -> None:
    """Events contain them: after a change, each stored digest would seem wrong."""
    rows: list[VaultRow] = [CONTACT, MESSAGE, WORDS, KEY, REJECT]
    assert [row.leaf.hex()[:16] for row in rows] == [
        "b9989e0d808857f6",
        "3e1e3521f1fef07e",
        "245bc14a1833fa87",
        "6c99b74de0fdb925",
        "e63356429a2c2308",
    ]
    assert (
        digest(rows)
        == "d6b53a6e02f154007cd1d7cc8a29f1c8ae230ec631a9ccadd753436cbfa73a0d"
    )


def test_a_row_without_extension_has_the_leaf_of_release_1() -> None:
    fields = ("name", "business_name", "phone", "variables")
    personal = canonical({name: getattr(CONTACT, name) for name in fields})
    assert CONTACT.leaf == sha256(SALT + personal).digest()


def test_equal_rows_with_other_salts_have_other_leaves() -> None:
    assert replace(CONTACT, salt=SALT[::-1]).leaf != CONTACT.leaf


@pytest.mark.parametrize(
    ("row", "changed"),
    [
        (CONTACT, replace(CONTACT, name="Eve")),
        (CONTACT, replace(CONTACT, business_name="")),
        (CONTACT, replace(CONTACT, phone="+12025550124")),
        (CONTACT, replace(CONTACT, variables={})),
        (CONTACT, replace(CONTACT, extension="5")),
        (replace(CONTACT, extension="5"), replace(CONTACT, extension="6")),
        (MESSAGE, replace(MESSAGE, document={})),
        (MESSAGE, replace(MESSAGE, recording_url=None)),
        (MESSAGE, replace(MESSAGE, transcript=["ho"])),
        (MESSAGE, replace(MESSAGE, structured_outputs={"goal": True})),
        (MESSAGE, replace(MESSAGE, summary="Agreed.")),
        (MESSAGE, replace(MESSAGE, success_evaluation="true")),
        (WORDS, replace(WORDS, words="")),
        (KEY, replace(KEY, key=b"")),
        (REJECT, replace(REJECT, reason="DUPLICATE_IN_FILE")),
        (REJECT, replace(REJECT, message="")),
        (REJECT, replace(REJECT, cells=("Bob",))),
    ],
)
def test_a_leaf_changes_with_every_personal_field(
    row: VaultRow, changed: VaultRow
) -> None:
    assert changed.leaf != row.leaf


def test_a_leaf_does_not_depend_on_the_order_of_keys() -> None:
    there, back = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert (
        replace(CONTACT, variables=there).leaf == replace(CONTACT, variables=back).leaf
    )


def test_a_digest_depends_on_the_order_of_rows() -> None:
    assert digest([CONTACT, WORDS]) != digest([WORDS, CONTACT])


def test_characters_that_postgres_cannot_store_are_replaced() -> None:
    assert replace(WORDS, words="a\0b\ud800c").words == "a\ufffdb\ufffdc"
    document = {"\0k": ["\udfff", 1, None, {"x": "\0"}]}
    expected = {"\ufffdk": ["\ufffd", 1, None, {"x": "\ufffd"}]}
    assert replace(MESSAGE, document=document).document == expected
    assert replace(REJECT, cells=("\0", "b")).cells == ("\ufffd", "b")


def test_the_repr_of_a_row_shows_nothing_personal() -> None:
    shown = " ".join(map(repr, [CONTACT, MESSAGE, WORDS, KEY, REJECT]))
    for personal in ("Ann", "+1202", "gold", "hang", "credit", "kkk", "Bob", "salt"):
        assert personal not in shown
    assert str(ONE) in shown
