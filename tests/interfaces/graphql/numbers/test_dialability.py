"""How many rows of an upload may be called, before anything is created."""

from typing import Any

import pytest

from domain.values import Role
from projections.dialability import DialabilityReader
from tests.interfaces.graphql.caller import DIALABILITY
from tests.interfaces.serving import ApiClient

OF_UPLOAD = f"""query($upload: ID!, $consent: Boolean, $hours: CallingHoursInput) {{
  dialability(uploadId: $upload, requireConsent: $consent, callingHours: $hours)
  {DIALABILITY} }}"""
OF_CAMPAIGN = f"""query($id: ID!) {{
  dialability(campaignId: $id) {DIALABILITY} campaign(id: $id) {{
  dialability {DIALABILITY} }} }}"""
SUPPRESS = """mutation($phone: String!) { suppressNumber(phone: $phone) {
  ... on Suppression { id } } }"""
SET = """mutation($input: SettingsInput!) { updateSettings(input: $input) {
  ... on Settings { callingRules } ... on UserError { message } } }"""
CSV = """name,business_name,phone,consent_at,time_zone
Ada,,+12025550111,2026-01-02,America/New_York
Bob,,+12025550112,,
Cleo,,+12025550113,,
"""


@pytest.fixture(autouse=True)
def without_rules(shared_api: ApiClient) -> None:
    """Switch the calling rules off, so that the time of day does not matter."""
    off = {"callingRules": "OFF", "callingRulesReason": "a test"}
    shared_api.execute(SET, input=off)
    shared_api.caught_up()


def of_upload(shared_api: ApiClient, upload: str, **given: Any) -> Any:
    return shared_api.execute(OF_UPLOAD, Role.OPERATOR, upload=upload, **given)[
        "dialability"
    ]


def test_the_rows_of_an_upload_are_counted_without_a_campaign(
    shared_api: ApiClient,
) -> None:
    shared_api.execute(SUPPRESS, phone="+12025550113")
    shared_api.caught_up()
    upload = shared_api.upload(CSV)
    found = of_upload(shared_api, upload)
    assert (found["contacts"], found["now"], found["later"]) == (3, 2, [])
    assert found["never"] == [{"reason": "SUPPRESSED", "contacts": 1}]
    assert [hour["contacts"] for hour in found["hours"]] == [2] * 72
    assert found["hours"][0]["from"] == found["at"]
    sources = {one["source"]: one["contacts"] for one in found["placeSources"]}
    assert sources == {"COLUMN": 1, "NUMBER": 2}
    with_consent = of_upload(shared_api, upload, consent=True)
    assert with_consent["now"] == 1
    assert with_consent["never"] == [
        {"reason": "NO_CONSENT", "contacts": 1},
        {"reason": "SUPPRESSED", "contacts": 1},
    ]


def test_the_hours_of_the_planned_campaign_count(shared_api: ApiClient) -> None:
    one_minute = {"days": ["MON"], "from": "03:00", "to": "03:01"}
    hours = {"windows": [one_minute], "lastStartMinutes": 5}
    found = of_upload(shared_api, shared_api.upload(CSV), hours=hours)
    assert found["now"] == 0
    assert {hour["contacts"] for hour in found["hours"]} == {0}


def test_a_campaign_is_counted_by_its_own_terms(shared_api: ApiClient) -> None:
    rows = (
        "name,business_name,phone,consent_at\n"
        "Ada,,+12025550121,2026-01-02\nBob,,+12025550122,\n"
    )
    campaign = shared_api.campaign(rows, requireConsent=True)
    shared_api.caught_up()
    shown = shared_api.execute(OF_CAMPAIGN, Role.AUDITOR, id=campaign)
    for found in (shown["dialability"], shown["campaign"]["dialability"]):
        assert (found["contacts"], found["now"]) == (2, 1)
        assert found["never"] == [{"reason": "NO_CONSENT", "contacts": 1}]


def test_the_campaigns_of_a_page_are_counted_together(
    shared_api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "name,business_name,phone\n"
    campaigns = [
        shared_api.campaign(header + "".join(f"Ada,,+1202555013{n}\n" for n in numbers))
        for numbers in (range(1), range(1, 4))
    ]
    shared_api.caught_up()
    counted: list[int] = []
    count = DialabilityReader.of_campaigns

    def counting(self: Any, conn: Any, terms: Any, now: Any) -> Any:
        counted.append(len(terms))
        return count(self, conn, terms, now)

    monkeypatch.setattr(DialabilityReader, "of_campaigns", counting)
    query = """{ campaigns { nodes { id dialability { contacts now } } } }"""
    nodes = shared_api.execute(query)["campaigns"]["nodes"]
    found = {node["id"]: node["dialability"]["now"] for node in nodes}
    assert [found[campaign] for campaign in campaigns] == [1, 3]
    assert counted == [len(nodes)]


def test_an_auditor_counts_no_upload(shared_api: ApiClient) -> None:
    upload = shared_api.upload(CSV)
    assert shared_api.ask(OF_UPLOAD, Role.AUDITOR, upload=upload).code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "either"),
        ('(uploadId: "{id}", campaignId: "{id}")', "either"),
        ('(uploadId: "{id}")', "no such upload"),
        ('(campaignId: "x")', "no such campaign"),
        ('(campaignId: "{id}", requireConsent: true)', "has its own"),
    ],
)
def test_a_wrong_choice_is_refused_with_what_to_do(
    shared_api: ApiClient, arguments: str, words: str
) -> None:
    id_ = "00000000-0000-0000-0000-000000000001"
    query = f"{{ dialability{arguments.replace('{id}', id_)} {{ now }} }}"
    answer = shared_api.ask(query)
    assert answer.code == "BAD_REQUEST"
    assert words in answer.errors[0]["message"]
