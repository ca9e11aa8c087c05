"""Columns and filters of the CSV export, and exported files that are uploaded again."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from application.contacts.erasure import ErasureService
from application.contacts.files.spreadsheet_text import unprotected
from projections.exports.cells import harmless
from storage.vault.erasure import ErasureStore
from tests.interfaces.files.exporting import call_to, report, start
from tests.interfaces.files.test_export import HEADER
from tests.interfaces.serving import ApiClient

ADDED = [
    *("outcome", "disposition", "withheld", "attempts", "note", "contact_id"),
    *("call_id", "provider_call_id", "extension", "place", "time_zone"),
    *("first_called_at", "answered_at", "ended_at", "ring_seconds"),
    *("duration_seconds", "summary", "arm"),
]
FILE = (
    "Full Name;Company;Phone Number;Plan;Time Zone;status\n"
    "Ada;Engines;(212) 555-0101 x7;=gold;America/Chicago;old\n"
    "Bob;;+44 20 7946 0102;'-1;;\n"
    "Cy;;+13125550103;;;\n"
)
STARTED, ENDED = "2026-03-02T12:00:05.000Z", "2026-03-02T12:01:10.000Z"


def rows(api: ApiClient, campaign_id: str, query: str = "") -> list[dict[str, str]]:
    answer = api.get(f"/campaigns/{campaign_id}/export.csv{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text, newline="")))


def refusal(api: ApiClient, campaign_id: str, query: str) -> str:
    answer = api.get(f"/campaigns/{campaign_id}/export.csv{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "INVALID"
    return str(answer.json()["error"]["message"])


@pytest.fixture(scope="module")
def called(shared_api: ApiClient) -> str:
    """Call the first contact and report the call; return the campaign."""
    id_ = shared_api.campaign(FILE)
    start(shared_api, id_)
    provider_call_id = call_to(shared_api, id_, contact=0)
    report(
        shared_api,
        provider_call_id,
        outputs={"Interested?": True, "score": -5, "why": "=because"},
        analysis={"summary": "-Ada is interested."},
        startedAt=STARTED,
        endedAt=ENDED,
        durationSeconds=65,
    )
    contact = shared_api.execute(CONTACTS, id=id_)["campaign"]["contacts"]["nodes"][0]
    shared_api.execute(
        """mutation($id: ID!) { setDisposition(contactId: $id,
            disposition: GOAL_REACHED, note: "@Ada wants a call") { __typename } }""",
        id=contact["id"],
    )
    shared_api.caught_up()
    return id_


CONTACTS = """query($id: ID!) { campaign(id: $id) { contacts(first: 9) { nodes {
    id outcome disposition note calls { id providerCallId ringSeconds } } } } }"""


def test_all_columns_are_ours_then_those_of_the_file_then_outputs(
    shared_api: ApiClient, called: str
) -> None:
    ada, bob, _ = rows(shared_api, called, "?columns=all")
    own = ["phone_as_given", "Plan", "Time Zone", "status_2"]
    outputs = ["output.Interested?", "output.score", "output.why"]
    assert list(ada) == [*HEADER, *ADDED, *own, *outputs]
    assert [ada[name] for name in own] == [
        "(212) 555-0101 x7",
        "'=gold",
        "America/Chicago",
        "old",
    ]
    assert [ada[name] for name in outputs] == ["true", "-5", "'=because"]
    assert bob["phone_as_given"] == "'+44 20 7946 0102"
    assert bob["Plan"] == "'-1"


def test_graphql_names_all_columns_that_an_export_may_contain(
    shared_api: ApiClient, called: str
) -> None:
    query = "query($id: ID!) { campaign(id: $id) { exportColumns } }"
    named = shared_api.execute(query, id=called)["campaign"]["exportColumns"]
    assert named == list(rows(shared_api, called, "?columns=all")[0])


def test_contacts_are_exported_by_the_time_of_their_latest_call(
    shared_api: ApiClient, called: str
) -> None:
    [first] = rows(shared_api, called, "?columns=first_called_at,name&outcome=SILENT")
    placed = datetime.fromisoformat(first["first_called_at"])

    def names(**limits: datetime) -> list[str]:
        query = urlencode({name: at.isoformat() for name, at in limits.items()})
        return [row["name"] for row in rows(shared_api, called, f"?{query}")]

    minute = timedelta(minutes=1)
    assert names(since=placed - minute, until=placed + minute) == ["Ada"]
    assert names(since=placed + minute) == []
    assert names(until=placed - minute) == []
    assert names(until=placed + minute) == ["Ada"]


def test_a_time_without_an_offset_is_refused(
    shared_api: ApiClient, called: str
) -> None:
    path = f"/campaigns/{called}/export.csv?since=2026-03-02T12:00:00"
    answer = shared_api.get(path)
    assert answer.status_code in {400, 422}
    assert "since" in answer.json()["error"]["message"]


def test_all_columns_of_a_called_contact_equal_what_graphql_returns(
    shared_api: ApiClient, called: str
) -> None:
    ada, bob, _ = rows(shared_api, called, "?columns=all")
    (shown, *_) = shared_api.execute(CONTACTS, id=called)["campaign"]["contacts"][
        "nodes"
    ]
    (call,) = shown["calls"]
    assert ada["contact_id"] == shown["id"]
    assert ada["outcome"] == shown["outcome"] == "SILENT"
    assert ada["disposition"] == shown["disposition"] == "GOAL_REACHED"
    assert ada["note"] == f"'{shown['note']}"
    assert ada["call_id"] == call["id"]
    assert ada["provider_call_id"] == call["providerCallId"]
    assert ada["ring_seconds"] == str(call["ringSeconds"] or "")
    assert ada["summary"] == "'-Ada is interested."
    assert (ada["extension"], ada["attempts"]) == ("7", "1")
    assert datetime.fromisoformat(ada["first_called_at"]).tzinfo is not None
    assert ada["answered_at"] == "2026-03-02T12:00:05Z"
    assert ada["ended_at"] == "2026-03-02T12:01:10Z"
    assert ada["duration_seconds"] == "65"
    assert (bob["attempts"], bob["outcome"], bob["call_id"]) == ("0", "", "")


def test_places_follow_from_the_number_and_the_cells_of_the_file(
    shared_api: ApiClient, called: str
) -> None:
    found = rows(shared_api, called, "?columns=place,time_zone")
    assert [(row["place"], row["time_zone"]) for row in found] == [
        ("US US-NY", ""),  # The cell says Chicago, the number New York: two zones.
        ("GB", "Europe/London"),
        ("US-IL", "America/Chicago"),
    ]


def test_contacts_of_imports_before_there_were_groups_have_the_same_places(
    shared_api: ApiClient, called: str
) -> None:
    query = "?columns=place,time_zone"
    expected = rows(shared_api, called, query)
    with shared_api.pool.connection() as connection:
        grouped = connection.execute(
            "with found as (select contact_id, group_id from read.contact_log where"
            " campaign_id = %s) update read.contact_log k set group_id = 0 from found"
            " where k.contact_id = found.contact_id returning found.*",
            (called,),
        ).fetchall()
    assert len(grouped) == 3
    assert all(group_id for _, group_id in grouped)
    try:
        assert rows(shared_api, called, query) == expected
    finally:
        with shared_api.pool.connection() as connection:
            connection.cursor().executemany(
                "update read.contact_log set group_id = %s where contact_id = %s",
                [(group_id, contact_id) for contact_id, group_id in grouped],
            )


def test_columns_are_chosen_and_ordered_by_name(
    shared_api: ApiClient, called: str
) -> None:
    chosen = '?columns=phone,"output.why",Plan,name'.replace('"', "%22")
    ada = rows(shared_api, called, chosen)[0]
    assert list(ada.items()) == [
        ("phone", "+12125550101 ext. 7"),
        ("output.why", "'=because"),
        ("Plan", "'=gold"),
        ("name", "Ada"),
    ]


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("?columns=name,nmae", 'no column "nmae". The columns are: name, '),
        ("?columns=", "needs names"),
        ("?columns=name,,phone", "needs names"),
        ("?columns=name,name", 'names "name" twice'),
        ("?outcome=SILENT,NOBODY", '"NOBODY" is no outcome. Each is one of: HUMAN, '),
        ("?disposition=x", '"x" is no disposition'),
        ("?status=x", '"x" is no status'),
    ],
)
def test_an_unknown_column_or_value_is_refused_with_the_known_ones(
    shared_api: ApiClient, called: str, query: str, part: str
) -> None:
    assert part in refusal(shared_api, called, query)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?outcome=SILENT", ["Ada"]),
        ("?outcome=busy&outcome=silent", ["Ada"]),
        ("?outcome=BUSY", []),
        ("?disposition=GOAL_REACHED", ["Ada"]),
        ("?status=PENDING", ["Bob", "Cy"]),
        ("?status=PENDING,ENDED&outcome=SILENT", ["Ada"]),
    ],
)
def test_filters_select_contacts(
    shared_api: ApiClient, called: str, query: str, names: list[str]
) -> None:
    assert [row["name"] for row in rows(shared_api, called, query)] == names


def test_a_byte_order_mark_is_written_only_on_request(
    shared_api: ApiClient, called: str
) -> None:
    path = f"/campaigns/{called}/export.csv"
    marked = shared_api.get(f"{path}?bom=1").content
    assert marked == b"\xef\xbb\xbf" + shared_api.get(path).content


def test_recordings_are_links_of_this_installation_on_request(
    shared_api: ApiClient, called: str
) -> None:
    ada, bob, _ = rows(
        shared_api, called, "?columns=recording_url,call_id&recordings=link"
    )
    path = f"/calls/{ada['call_id']}/recording"
    assert ada["recording_url"] == f"http://127.0.0.1:8000{path}"
    assert bob["recording_url"] == ""


def test_an_exported_file_is_read_back_by_an_upload(
    shared_api: ApiClient, called: str
) -> None:
    exported = shared_api.get(f"/campaigns/{called}/export.csv?columns=all&bom=1").text
    again = shared_api.campaign(exported)
    query = """query($id: ID!) { campaign(id: $id) { contacts(first: 9) { nodes {
        name businessName phone extension variables } } } }"""
    before = shared_api.execute(query, id=called)["campaign"]["contacts"]["nodes"]
    after = shared_api.execute(query, id=again)["campaign"]["contacts"]["nodes"]
    assert len(before) == 3
    for old, new in zip(before, after, strict=True):
        kept = new["variables"]
        own = {**old["variables"], "status_2": old["variables"]["status"]}
        del own["status"]
        assert {name: kept[name] for name in own} == own
        assert "transcript_json" not in kept
        assert {**new, "variables": None} == {**old, "variables": None}


def test_an_export_of_a_file_without_names_is_read_back_by_an_upload(
    shared_api: ApiClient,
) -> None:
    id_ = shared_api.campaign("Phone,Plan\n+12125550101,gold\n")
    again = shared_api.campaign(shared_api.get(f"/campaigns/{id_}/export.csv").text)
    query = """query($id: ID!) { campaign(id: $id) { contacts(first: 9) { nodes {
        name phone } } } }"""
    found = shared_api.execute(query, id=again)["campaign"]["contacts"]["nodes"]
    assert found == [{"name": "", "phone": "+12125550101"}]


def test_an_erased_contact_shows_nothing_personal(api: ApiClient) -> None:
    id_ = api.campaign(FILE)
    start(api, id_)
    provider_call_id = call_to(api, id_, contact=0)
    report(api, provider_call_id, outputs={"why": "Ada"}, analysis={"summary": "Ada"})
    store = ErasureStore(api.pool)
    ErasureService(api.app, api.context, store).erase("+12125550101", by="test")
    api.caught_up()
    ada = rows(api, id_, "?columns=all&recordings=link")[0]
    shown = {name for name, cell in ada.items() if cell}
    assert shown <= {
        *("status", "ended_reason", "cost", "outcome", "disposition", "attempts"),
        *("contact_id", "call_id", "provider_call_id", "first_called_at"),
        *("answered_at", "ended_at", "ring_seconds", "duration_seconds"),
    }


def test_column_names_of_a_file_are_quoted_wherever_they_stand(
    shared_api: ApiClient,
) -> None:
    names = ['a"b', "100%s", "x'y", "=cmd", "a,b", "n" * 80, "n" * 79 + "m", "{0}"]
    header, cells = StringIO(), StringIO()
    csv.writer(header).writerow(["name", "phone", *names])
    csv.writer(cells).writerow(["Ada", "+12025550101", *range(len(names))])
    id_ = shared_api.campaign(header.getvalue() + cells.getvalue())
    (ada,) = rows(shared_api, id_, "?columns=all")
    written = [f"'{name}" if name == "=cmd" else name for name in names]
    assert [ada[name] for name in written] == [str(n) for n in range(len(names))]


@given(cells=st.lists(st.text("'=+-@\t\ra1 ", max_size=6), min_size=1, max_size=5))
@example(cells=["=1", "'=1", "''=1", "'", "-", "+12025550101", "'+12025550101"])
def test_every_exported_cell_is_read_back_unchanged(
    shared_api: ApiClient, cells: list[str]
) -> None:
    with shared_api.read_pool.connection() as connection:
        query = f"select {harmless('cell')} from unnest(%s::text[]) cell"
        found = [row[0] or "" for row in connection.execute(query.encode(), (cells,))]
    assert [unprotected(cell) for cell in found] == cells
    assert not any(cell.startswith(("=", "-", "@", "\t", "\r")) for cell in found)


def test_exports_of_several_files_have_the_columns_of_all(
    shared_api: ApiClient,
) -> None:
    id_ = shared_api.campaign("name,phone,Plan\nAda,+12025550101,gold\n")
    more = shared_api.upload("name,phone,Size\nBob,+12025550102,9\n")
    added: Any = shared_api.execute(
        """mutation($id: ID!, $upload: ID!) { importContacts(campaignId: $id,
            uploadId: $upload) { __typename } }""",
        id=id_,
        upload=more,
    )
    assert added["importContacts"]["__typename"] != "UserError"
    shared_api.caught_up()
    ada, bob = rows(shared_api, id_, "?columns=name,Plan,Size")
    assert list(ada.values()) == ["Ada", "gold", ""]
    assert list(bob.values()) == ["Bob", "", "9"]
