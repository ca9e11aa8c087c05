"""Operations that are sent by the digest of their text."""

from typing import Any

import pytest

from interfaces.graphql.documents import UNKNOWN, Documents

DOCUMENTS = Documents({"sha256:1": "{ me { email } }"})


@pytest.mark.parametrize("named", ["sha256:2", None, 7, ["sha256:1"]])
def test_what_is_not_known_becomes_a_text_that_is_refused(named: object) -> None:
    assert DOCUMENTS.with_text({"documentId": named}) == {"query": UNKNOWN}


def test_a_body_gets_the_text_and_keeps_its_variables() -> None:
    body = {"documentId": "sha256:1", "query": "{ other }", "variables": {"a": 1}}
    filled = {"query": "{ me { email } }", "variables": {"a": 1}}
    assert DOCUMENTS.with_text(body) == filled


def test_a_frame_of_the_socket_gets_it_in_its_payload() -> None:
    frame = {"type": "subscribe", "id": "1", "payload": {"documentId": "sha256:1"}}
    assert DOCUMENTS.with_text(frame)["payload"] == {"query": "{ me { email } }"}


@pytest.mark.parametrize(
    "message",
    [{"query": "{ a }"}, {"type": "ping"}, {"type": "subscribe"}, [], None, "text", 1],
)
def test_everything_else_stays_as_it_is(message: Any) -> None:
    assert DOCUMENTS.with_text(message) == message


def test_a_text_is_known_whoever_sends_it() -> None:
    assert "{ me { email } }" in DOCUMENTS
    assert "{ me { email role } }" not in DOCUMENTS
