"""Persisted operations, which are sent by the digest of their text."""

from typing import Any

import pytest

from interfaces.graphql.documents import UNKNOWN, Documents

DOCUMENTS = Documents({"sha256:1": "{ me { email } }"})


@pytest.mark.parametrize("named", ["sha256:2", None, 7, ["sha256:1"]])
def test_an_unknown_document_id_is_replaced_by_a_text_that_is_refused(
    named: object,
) -> None:
    assert DOCUMENTS.with_text({"documentId": named}) == {"query": UNKNOWN}


def test_a_request_body_gets_the_text_and_keeps_its_variables() -> None:
    body = {"documentId": "sha256:1", "query": "{ other }", "variables": {"a": 1}}
    filled = {"query": "{ me { email } }", "variables": {"a": 1}}
    assert DOCUMENTS.with_text(body) == filled


def test_a_subscribe_message_gets_the_text_in_its_payload() -> None:
    frame = {"type": "subscribe", "id": "1", "payload": {"documentId": "sha256:1"}}
    assert DOCUMENTS.with_text(frame)["payload"] == {"query": "{ me { email } }"}


@pytest.mark.parametrize(
    "message",
    [{"query": "{ a }"}, {"type": "ping"}, {"type": "subscribe"}, [], None, "text", 1],
)
def test_all_other_messages_stay_unchanged(message: Any) -> None:
    assert DOCUMENTS.with_text(message) == message


def test_a_persisted_text_is_recognised() -> None:
    assert "{ me { email } }" in DOCUMENTS
    assert "{ me { email role } }" not in DOCUMENTS
