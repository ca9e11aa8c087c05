import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports import CallPhase, CallReport, Origin
from provider.vapi.messages.reading import read_call, read_message
from provider.vapi.messages.reports import read_report
from tests.provider.test_redaction import JSON
from tests.recording_urls import HOSTILE

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference"
ABSENT = "the provider's example payloads are not beside the repository"
OUR_CALL = UUID("0f7c1c7e-6a0a-4d0e-9a53-2c5e6c1f7b10")
CALL_ID = "0199f2c4-8d5e-7a31-9b42-6c7d8e9f0a1b"
SAID_AT = datetime(2026, 9, 14, 15, 2, 11, 230_000, tzinfo=UTC)
LIKELY_KEYS = st.sampled_from(
    [
        "message",
        "type",
        "status",
        "call",
        "id",
        "name",
        "timestamp",
        "createdAt",
        "endedReason",
        "artifact",
        "messages",
        "transcript",
        "recording",
        "mono",
        "recordingUrl",
        "cost",
        "durationMs",
        "startedAt",
        "endedAt",
        "assistantOverrides",
        "metadata",
        "autolynx_call_id",
        "attempt",
    ]
)
LIKELY_VALUES = st.sampled_from(
    ["status-update", "end-of-call-report", "ended", "ringing", str(OUR_CALL)]
)
DOCUMENTS = st.recursive(
    JSON | LIKELY_VALUES,
    lambda inner: st.dictionaries(LIKELY_KEYS, inner, max_size=6),
    max_leaves=30,
).filter(lambda value: isinstance(value, dict))


def files(folder: str) -> list[Any]:
    found = sorted((REFERENCE / folder).glob("*.json"))
    absent = pytest.param(None, marks=pytest.mark.skip(reason=ABSENT))
    return [pytest.param(path, id=path.stem) for path in found] or [absent]


def message(kind: str, **own: Any) -> dict[str, Any]:
    return {"message": {"type": kind, "call": {"id": CALL_ID}, **own}}


@pytest.mark.parametrize("path", files("vapi_samples") + files("vapi_recorded"))
def test_reading_a_stored_example_again_gives_the_same(path: Path) -> None:
    body = orjson.loads(path.read_bytes())
    if not isinstance(body.get("message"), dict):
        call = read_call(body)
        assert (call is not None) == ("id" in body)
        assert call is None or read_call(call.document) == call
        return
    heard = read_message(body)
    assert heard.type == body["message"]["type"]
    assert heard.provider_call_id == body["message"]["call"]["id"]
    assert heard.sent_at is not None
    assert read_message(heard.document) == heard


@pytest.mark.parametrize("path", files("vapi_recorded"))
def test_no_recorded_secret_is_kept(path: Path) -> None:
    body = orjson.loads(path.read_bytes())
    kept = json.dumps(read_message(body).document)
    for word in ("REDACTED", "controlUrl", "listenUrl", "secret", "AuthToken"):
        assert word not in kept


@pytest.mark.parametrize(
    "path", [p for p in files("vapi_samples") if "status_update" in str(p.id)]
)
def test_the_samples_contain_our_call_id(path: Path) -> None:
    body = orjson.loads(path.read_bytes())
    assert read_message(body).call_id == UUID(body["message"]["call"]["name"])


@pytest.mark.parametrize(
    "path", [p for p in files("vapi_samples") if p.id == "end_of_call_report"]
)
def test_all_fields_of_a_report_are_read(path: Path) -> None:
    body = orjson.loads(path.read_bytes())
    report = read_message(body).report
    assert report is not None
    assert report.ended_reason == "customer-ended-call"
    assert report.cost == Decimal("0.0616")
    assert report.duration_seconds == 45
    assert report.recording_url
    assert report.recording_url.endswith("-mono.wav")
    spoken = body["message"]["artifact"]["messages"]
    assert report.transcript == [m for m in spoken if m["role"] != "system"]
    assert report.has_artifact


@given(DOCUMENTS)
def test_reading_raises_for_no_content(body: dict[str, Any]) -> None:
    heard = read_message(body)
    assert read_message(orjson.loads(orjson.dumps(heard.document))) == heard
    call = read_call(body)
    assert call is None or read_call(call.document) == call


def test_the_status_is_read_from_the_update_not_from_the_old_copy() -> None:
    body = message("status-update", status="ringing", endedReason="x")
    body["message"]["call"]["status"] = "queued"
    heard = read_message(body)
    assert (heard.phase, heard.ended_reason) == (CallPhase.RINGING, None)


def test_an_ended_status_has_its_reason() -> None:
    body = message("status-update", status="ended", endedReason="voicemail")
    assert read_message(body).ended_reason == "voicemail"


def test_messages_of_other_types_have_no_status() -> None:
    assert read_message(message("speech-update", status="started")).phase is None


@pytest.mark.parametrize(
    "timestamp", [1789398131230, 1789398131230.0, "2026-09-14T15:02:11.230Z"]
)
def test_times_are_milliseconds_or_texts(timestamp: Any) -> None:
    body = message("hang", timestamp=timestamp)
    assert read_message(body).sent_at == SAID_AT


@pytest.mark.parametrize("timestamp", [0, -1, 1e300, True, "soon", None, [], 4e12 * 9])
def test_an_invalid_time_is_none(timestamp: Any) -> None:
    assert read_message(message("hang", timestamp=timestamp)).sent_at is None


def test_our_id_is_read_from_the_metadata_or_else_the_name() -> None:
    other = uuid4()
    body = message("hang")
    body["message"]["call"]["name"] = str(other)
    assert read_message(body).call_id == other
    metadata = {"autolynx_call_id": str(OUR_CALL)}
    body["message"]["call"]["assistantOverrides"] = {"metadata": metadata}
    assert read_message(body).call_id == OUR_CALL


def test_a_name_that_is_not_an_id_is_ignored() -> None:
    body = message("hang")
    body["message"]["call"]["name"] = "Spring sale"
    assert read_message(body).call_id is None


def test_the_origin_of_a_call_is_read_from_its_metadata() -> None:
    campaign, contact = uuid4(), uuid4()
    metadata = {
        "autolynx_campaign_id": str(campaign),
        "autolynx_contact_id": str(contact),
        "attempt": 2,
    }
    call = read_call(
        {
            "id": CALL_ID,
            "createdAt": "2026-09-14T15:02:11.230Z",
            "assistantOverrides": {"metadata": metadata},
        }
    )
    assert call is not None
    assert call.origin == Origin(campaign, contact, attempt=2)


def test_a_repeated_message_has_the_same_key_despite_new_signatures() -> None:
    artifact = {"presignedMonoUrl": "https://h/a?X-Amz-Signature=1"}
    first = message("end-of-call-report", artifact=artifact, timestamp=1789398131230)
    again = message("end-of-call-report", timestamp=1789398131999)
    assert read_message(first).key == read_message(again).key
    ringing = message("status-update", status="ringing", timestamp=1789398131230)
    assert read_message(ringing).key != read_message(first).key


@pytest.mark.parametrize("kind", ["status-update", "end-of-call-report"])
def test_a_message_about_another_provider_call_is_not_a_repetition(kind: str) -> None:
    first, other = message(kind, status="ringing"), message(kind, status="ringing")
    other["message"]["call"]["id"] = "another"
    assert read_message(first).key != read_message(other).key


def test_messages_of_other_types_differ_by_their_content() -> None:
    assistant = message("speech-update", role="assistant", timestamp=1789398131230)
    user = message("speech-update", role="user", timestamp=1789398131230)
    assert read_message(assistant).key != read_message(user).key
    assert read_message(user).key == read_message(json.loads(json.dumps(user))).key


@pytest.mark.parametrize("body", [{}, {"message": None}, {"message": {"type": 7}}])
def test_a_body_that_is_not_a_message_has_an_unknown_type(body: dict[str, Any]) -> None:
    assert read_message(body).type == "unknown"


@pytest.mark.parametrize(
    ("document", "seconds"),
    [
        ({"durationSeconds": 44.5}, 45),
        ({"durationMs": 44_499}, 44),
        (
            {
                "startedAt": "2026-09-14T15:02:20.350Z",
                "endedAt": "2026-09-14T15:03:04.905Z",
            },
            45,
        ),
        ({"endedAt": "2026-09-14T15:03:04.905Z"}, None),
        ({"durationSeconds": -3}, None),
    ],
)
def test_the_duration_is_read_in_every_form(
    document: dict[str, Any], seconds: int | None
) -> None:
    assert read_report(document).duration_seconds == seconds


@pytest.mark.parametrize(
    ("sent", "cost"),
    [
        (b"0.0616", Decimal("0.0616")),
        (b"0.1", Decimal("0.1")),
        (b"0", Decimal(0)),
        (b"-0.5", None),
        (b"true", None),
        (b'"0.1"', Decimal("0.1")),
        (b"1e300", None),
        (b"null", None),
    ],
)
def test_a_cost_keeps_its_exact_digits(sent: bytes, cost: Decimal | None) -> None:
    assert read_report(orjson.loads(b'{"cost":' + sent + b"}")).cost == cost


def test_the_cost_is_not_read_from_the_old_copy_of_the_call() -> None:
    body = message("end-of-call-report", cost=0.07)
    body["message"]["call"]["cost"] = 0
    assert read_message(body).report == CallReport(cost=Decimal("0.07"))


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_recording_url_counts_as_missing(url: str) -> None:
    report = read_report({"artifact": {"recordingUrl": url}})
    assert report.recording_url is None
    good = {"artifact": {"recordingUrl": url}, "recordingUrl": "https://h.example/1"}
    assert read_report(good).recording_url == "https://h.example/1"


def test_recordings_and_transcripts_are_found_at_every_depth() -> None:
    deep = {"artifact": {"recording": {"mono": {"combinedUrl": "https://h.example/1"}}}}
    both = {**deep, "recordingUrl": "https://h.example/2"}
    assert read_report(both).recording_url == "https://h.example/1"
    middle = {"artifact": {"recordingUrl": "https://h.example/middle"}}
    assert read_report(middle).recording_url == "https://h.example/middle"
    assert read_report({"recordingUrl": "https://h.example/top"}).recording_url
    said = [{"role": "bot", "message": "Hi"}]
    old = {"artifact": {"messages": []}, "messages": said, "transcript": "AI: Hi"}
    assert read_report(old).transcript == said
    assert read_report({"transcript": "AI: Hi"}).transcript == "AI: Hi"
    assert read_report({"artifact": {"messages": []}}).has_artifact is False


def test_a_document_without_id_or_time_is_not_a_call() -> None:
    assert read_call({"createdAt": "2026-09-14T15:02:11.230Z"}) is None
    assert read_call({"id": CALL_ID}) is None
