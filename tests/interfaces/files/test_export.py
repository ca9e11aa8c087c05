"""The export: one row per contact, in the order of the uploaded file."""

import csv
import json
from io import StringIO
from uuid import UUID

import pytest

from domain.calls.recording_url import RecordingUrls
from domain.values import Role
from projections.exports import results
from tests.interfaces.files.exporting import TRANSCRIPT, call_to, report, start
from tests.interfaces.serving import ApiClient
from tests.recording_urls import HOSTILE

HEADER = [
    "name",
    "business_name",
    "phone",
    "status",
    "ended_reason",
    "cost",
    "recording_url",
    "transcript_json",
]


def exported(api: ApiClient, campaign_id: str) -> list[list[str]]:
    answer = api.get(f"/campaigns/{campaign_id}/export.csv", Role.AUDITOR)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(StringIO(answer.text)))


def test_the_export_has_a_row_for_each_contact_with_its_latest_call(
    api: ApiClient,
) -> None:
    id_ = api.campaign()
    start(api, id_)
    report(api, call_to(api, id_, contact=1))
    header, ada, bob = exported(api, id_)
    assert header == HEADER
    assert ada == ["Ada", "Engines", "+12025550101", "PENDING", "", "", "", ""]
    assert bob[:5] == ["Bob", "", "+12025550102", "ENDED", "customer-ended-call"]
    assert bob[5:7] == ["0.1234", "https://recordings.example/1.wav"]
    assert json.loads(bob[7]) == TRANSCRIPT


@pytest.mark.parametrize(
    "hostile",
    ["javascript:alert(1)", "http://10.0.0.5/a.wav", "https://[64:ff9b::a9fe:a9fe]/a"],
)
def test_a_later_good_recording_url_replaces_a_hostile_one_that_is_not_shown(
    api: ApiClient, hostile: str
) -> None:
    id_ = api.campaign()
    start(api, id_)
    provider_call_id = call_to(api, id_, contact=0)
    report(api, provider_call_id, hostile)
    assert shown_recordings(api, id_) == (None, "")
    good = "https://recordings.example/2.wav"
    report(api, provider_call_id, good)
    assert shown_recordings(api, id_) == (good, good)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_recording_url_stored_by_release_1_is_not_shown(
    shared_api: ApiClient, called: tuple[str, str], url: str
) -> None:
    id_, good = called
    assert shown_recordings(shared_api, id_) == (good, good)
    with shared_api.pool.connection() as connection:
        stored = "update message_vault set recording_url = %s where recording_url = %s"
        connection.execute(stored, (url, good))
    try:
        assert shown_recordings(shared_api, id_) == (None, "")
    finally:
        with shared_api.pool.connection() as connection:
            connection.execute(stored, (good, url))


@pytest.fixture(scope="module")
def called(shared_api: ApiClient) -> tuple[str, str]:
    """Report a call to the first contact; return the campaign and the recording."""
    id_ = shared_api.campaign()
    start(shared_api, id_)
    good = f"https://recordings.example/{id_}.wav"
    report(shared_api, call_to(shared_api, id_, contact=0), good)
    return id_, good


def shown_recordings(api: ApiClient, campaign_id: str) -> tuple[str | None, str]:
    """Return the first contact's recording URL in GraphQL and in the export."""
    query = """query($id: ID!) { campaign(id: $id) {
        contacts(first: 1) { nodes { calls { recordingUrl } } } } }"""
    campaign = api.execute(query, id=campaign_id)["campaign"]
    (call,) = campaign["contacts"]["nodes"][0]["calls"]
    return call["recordingUrl"], exported(api, campaign_id)[1][6]


def test_formulas_are_quoted_and_phone_numbers_stay_unchanged(
    shared_api: ApiClient,
) -> None:
    people = ["=1+1,@me,+12025550101", "+1+1,-1,+12025550102"]
    id_ = shared_api.campaign("name,business_name,phone\n" + "\n".join(people))
    _, one, another = exported(shared_api, id_)
    assert one[:3] == ["'=1+1", "'@me", "+12025550101"]
    assert another[:3] == ["'+1+1", "'-1", "+12025550102"]


def test_an_exported_extension_is_read_back_by_an_upload(shared_api: ApiClient) -> None:
    id_ = shared_api.campaign("name,business_name,phone\nAda,,(202) 555-0140 x0101\n")
    _, ada = exported(shared_api, id_)
    assert ada[2] == "+12025550140 ext. 0101"
    again = shared_api.campaign(f"name,business_name,phone\nAda,,{ada[2]}\n")
    for campaign_id in (id_, again):
        query = """query($id: ID!) { campaign(id: $id) {
            contacts(first: 9) { nodes { phone extension } } } }"""
        found = shared_api.execute(query, id=campaign_id)["campaign"]["contacts"][
            "nodes"
        ]
        assert found == [{"phone": "+12025550140", "extension": "0101"}]


def test_many_contacts_keep_the_order_of_the_file(shared_api: ApiClient) -> None:
    people = [f"P{n},,+1202555{n:04}" for n in range(100, 140)]
    id_ = shared_api.campaign("name,business_name,phone\n" + "\n".join(people))
    names = [row[0] for row in exported(shared_api, id_)[1:]]
    assert names == [f"P{n}" for n in range(100, 140)]


def test_an_export_shows_one_snapshot_however_slowly_it_is_read(
    shared_api: ApiClient,
) -> None:
    id_ = UUID(shared_api.campaign())
    with shared_api.read_pool.connection() as connection:
        rows = results.csv_of(connection, id_, RecordingUrls(), piece_bytes=1)
        first = next(rows)
        start(shared_api, str(id_))
        cancel = "mutation($id: ID!) { cancelCampaign(id: $id) { __typename } }"
        shared_api.execute(cancel, id=str(id_))
        shared_api.caught_up()
        then = b"".join(rows)
    assert first.startswith(b"name,")
    assert then.count(b"PENDING") == 2
    assert "CANCELED" in str(exported(shared_api, str(id_)))


def test_the_exported_file_is_named_after_the_campaign(shared_api: ApiClient) -> None:
    id_ = shared_api.campaign(name="Grüße / 1")
    header = shared_api.get(f"/campaigns/{id_}/export.csv").headers[
        "content-disposition"
    ]
    assert header == (
        'attachment; filename="Gr--e---1.csv"; '
        "filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%2F%201.csv"
    )


@pytest.mark.parametrize("id_", ["nonsense", str(UUID(int=1))])
def test_an_unknown_campaign_is_not_found(shared_api: ApiClient, id_: str) -> None:
    answer = shared_api.get(f"/campaigns/{id_}/export.csv")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_exports_are_for_members_only(shared_api: ApiClient) -> None:
    answer = shared_api.get(f"/campaigns/{UUID(int=1)}/export.csv", role=None)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHENTICATED"
