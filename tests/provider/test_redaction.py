import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.vapi.redaction import DEEPEST, redact, redact_text

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["https://u:p@h/x?X-Amz-Signature=1#f?token=2", "//@//a@b?key="]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=8)
            | st.sampled_from(
                [
                    *("assistant", "recordingUrl", "variables", "variableValues"),
                    *("messages", "endedMessage"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
HIDDEN = "hidden-value"


@given(JSON)
def test_redacting_twice_changes_nothing(document: Any) -> None:
    once = redact(document)
    assert redact(once) == once


@given(JSON)
def test_a_redacted_document_can_be_stored_as_json(document: Any) -> None:
    once = redact(document)
    assert orjson.loads(orjson.dumps(once)) == once


def test_secrets_are_removed_at_any_depth_and_in_any_spelling() -> None:
    document = {
        "message": {
            "phoneNumber": {
                "twilioAuthToken": HIDDEN,
                "serverUrlSecret": HIDDEN,
                "credentialId": HIDDEN,
            },
            "call": {
                "monitor": {"controlUrl": HIDDEN, "listenUrl": HIDDEN},
                "squad": [{"tools": [{"server": {"SECRET": HIDDEN}}]}],
                "assistantOverrides": {
                    "server": {
                        "headers": {"X-Vapi-Secret": HIDDEN, "x-plain": HIDDEN},
                        "api_key": HIDDEN,
                        "API-Key": HIDDEN,
                    }
                },
            },
            "artifact": {"presignedMonoUrl": HIDDEN, "presignedUrlsExpiresAt": HIDDEN},
            "auth": {"user": HIDDEN},
            "password": HIDDEN,
            "Authorization": HIDDEN,
        }
    }
    assert HIDDEN not in json.dumps(redact(document))


def test_signatures_and_passwords_are_removed_from_links() -> None:
    plain = "https://storage.example.com/a-mono.wav?part=1"
    document = {
        "recordingUrl": "https://storage.example.com/a.wav?X-Amz-Signature=abc",
        "logUrl": "https://user:pass@storage.example.com/log",
        "stereoRecordingUrl": plain,
    }
    assert redact(document) == {
        "recordingUrl": "https://storage.example.com/a.wav",
        "logUrl": "https://storage.example.com/log",
        "stereoRecordingUrl": plain,
    }


def test_numbers_of_tokens_are_kept() -> None:
    costs = {"costBreakdown": {"llmPromptTokens": 412, "ttsCharacters": 113}}
    assert redact(costs) == costs
    assert redact({"tokens": ["abc"]}) == {}


def test_only_id_and_name_of_an_assistant_are_kept() -> None:
    assistant = {"id": "a", "name": "Reminder", "model": {"messages": ["long"]}}
    assert redact({"assistant": assistant}) == {
        "assistant": {"id": "a", "name": "Reminder"}
    }


def test_an_old_key_is_removed_only_beside_the_current_one() -> None:
    both = {"messages": [1], "messagesOpenAIFormatted": [2], "variables": {"a": 1}}
    assert redact(both) == {"messages": [1], "variables": {"a": 1}}
    alone = {"messages": [], "messagesOpenAIFormatted": [2]}
    assert redact(alone) == alone


def test_values_nested_too_deeply_are_removed() -> None:
    deep: Any = "bottom"
    for _ in range(900):
        deep = [deep]
    written = orjson.dumps(redact({"deep": deep}))
    assert written.count(b"[") == DEEPEST - 1


def test_values_that_cannot_be_stored_are_replaced() -> None:
    odd = {"a": "x\0y", "b": "cut \ud83d", "c": float("nan"), "d": 10**400, "e": 2**70}
    assert redact(odd) == {
        "a": "x\ufffdy",
        "b": "cut \ufffd",
        "c": None,
        "d": None,
        "e": float(2**70),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20003: Authenticate", "20003: Authenticate"),
        ("Bearer abcdefgh.ijkl is wrong", "[redacted] is wrong"),
        ("api_key=abc, password: x", "[redacted] [redacted]"),
        ("token: Bearer abcdefgh.ijkl", "[redacted]"),
        ("Account AC00000000000000000000000000000001", "Account [redacted]"),
        ("sk-live_12345678 expired", "[redacted] expired"),
        ("+1 (202) 555-0171 is unverified", "...71 is unverified"),
        ("see https://u:p@x.test/a?token=1", "see https://x.test/a"),
        ("since 2026-03-02, code 21219", "since 2026-03-02, code 21219"),
        ("two\nlines\0", "two lines\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_secrets_and_phone_numbers_are_removed_from_an_explanation(
    text: str, expected: str
) -> None:
    assert redact_text(text) == expected
    assert redact_text(expected) == expected


def test_only_secrets_are_removed_from_an_explanation_in_a_document() -> None:
    document = {"endedMessage": "+12025550171: token=abc", "note": "token=abc"}
    expected = {"endedMessage": "+12025550171: [redacted]", "note": "token=abc"}
    assert redact(document) == redact(expected) == expected


@given(st.text(st.sampled_from("token=: bearer+1234567890 [redacted]")))
def test_redacting_an_explanation_twice_changes_nothing(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once
