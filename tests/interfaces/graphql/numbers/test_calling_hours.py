"""Calling hours, consent and the calling rules over the API."""

from typing import Any

from domain.values import Role
from tests.interfaces.serving import ApiClient

TERMS = """{ purpose requireConsent callingHours { rules waivedBy reason
  windows { days from to } blackoutDates lastStartMinutes } }"""
SHOWN = f"query($id: ID!) {{ campaign(id: $id) {TERMS} }}"
ERROR = "... on UserError { code message fields { path message } }"
UPDATE = f"""mutation($id: ID!, $input: UpdateCampaignInput!) {{
  updateCampaign(id: $id, input: $input) {{ ... on Campaign {TERMS} {ERROR} }} }}"""
SETTINGS = """{ callingRules rulesWaivedBy rulesReason
  frequencyCaps { attempts hours } }"""
SET = f"""mutation($input: SettingsInput!) {{
  updateSettings(input: $input) {{ ... on Settings {SETTINGS} {ERROR} }} }}"""
OWN: dict[str, Any] = {
    "rules": "LAW",
    "reason": None,
    "windows": [{"days": ["MON", "FRI"], "from": "09:30", "to": "24:00"}],
    "blackoutDates": ["2026-12-24"],
    "lastStartMinutes": 10,
}
ANY = {"rules": "ANY", "reason": "they asked for it"}


def update(
    shared_api: ApiClient, role: Role, campaign: str, hours: dict[str, Any]
) -> Any:
    change = {"callingHours": hours}
    answer = shared_api.execute(UPDATE, role, id=campaign, input=change)
    return answer["updateCampaign"]


def test_purpose_hours_and_consent_of_a_new_campaign_are_shown(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign(
        purpose="SURVEY", callingHours=OWN, requireConsent=True
    )
    shared_api.caught_up()
    assert shared_api.execute(SHOWN, id=campaign)["campaign"] == {
        "purpose": "SURVEY",
        "requireConsent": True,
        "callingHours": OWN | {"waivedBy": None},
    }


def test_a_campaign_is_telemarketing_within_the_lawful_hours_by_default(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign()
    shared_api.caught_up()
    shown = shared_api.execute(SHOWN, id=campaign)["campaign"]
    assert (shown["purpose"], shown["requireConsent"]) == ("TELEMARKETING", False)
    assert shown["callingHours"]["rules"] == "LAW"
    assert shown["callingHours"]["lastStartMinutes"] == 5


def test_an_admin_waives_the_hours_with_a_reason(shared_api: ApiClient) -> None:
    campaign = shared_api.campaign()
    hours = update(shared_api, Role.ADMIN, campaign, ANY)["callingHours"]
    assert (hours["rules"], hours["reason"]) == ("ANY", "they asked for it")
    assert "@" in hours["waivedBy"]


def test_only_admins_waive_the_hours(shared_api: ApiClient) -> None:
    campaign = shared_api.campaign()
    change = {"callingHours": ANY}
    answer = shared_api.ask(UPDATE, Role.OPERATOR, id=campaign, input=change)
    assert answer.code == "FORBIDDEN"


def test_a_waiver_needs_a_reason(shared_api: ApiClient) -> None:
    campaign = shared_api.campaign()
    refused = update(shared_api, Role.ADMIN, campaign, {"rules": "ANY", "reason": " "})
    assert refused["code"] == "INVALID"
    assert [one["path"] for one in refused["fields"]] == [["callingHours"]]


def test_an_operator_may_end_a_waiver(shared_api: ApiClient) -> None:
    campaign = shared_api.campaign()
    update(shared_api, Role.ADMIN, campaign, ANY)
    hours = update(shared_api, Role.OPERATOR, campaign, {"rules": "LAW"})[
        "callingHours"
    ]
    assert (hours["rules"], hours["waivedBy"], hours["reason"]) == ("LAW", None, None)


def test_the_calling_rules_are_switched_off_with_a_reason_only(
    shared_api: ApiClient,
) -> None:
    enforced = shared_api.execute(SET, input={"callingRules": "ENFORCED"})[
        "updateSettings"
    ]
    assert enforced["callingRules"] == "ENFORCED"
    refused = shared_api.execute(SET, input={"callingRules": "OFF"})["updateSettings"]
    assert [one["path"] for one in refused["fields"]] == [["callingRulesReason"]]
    off = {"callingRules": "OFF", "callingRulesReason": "a trial"}
    shown = shared_api.execute(SET, input=off)["updateSettings"]
    assert (shown["callingRules"], shown["rulesReason"]) == ("OFF", "a trial")
    assert "@" in shown["rulesWaivedBy"]


def test_frequency_caps_are_set(shared_api: ApiClient) -> None:
    caps = [{"attempts": 3, "hours": 24}, {"attempts": 7, "hours": 168}]
    shown = shared_api.execute(SET, input={"frequencyCaps": caps})["updateSettings"]
    assert shown["frequencyCaps"] == caps
    wrong = [{"attempts": 0, "hours": 24}]
    refused = shared_api.execute(SET, input={"frequencyCaps": wrong})["updateSettings"]
    assert [one["path"] for one in refused["fields"]] == [["frequencyCaps"]]
