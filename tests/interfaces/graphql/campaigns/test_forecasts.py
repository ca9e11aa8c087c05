"""Forecasts of drafts and campaigns, and their calibration."""

import re
from typing import Any
from uuid import UUID

import pytest

from application.campaigns.forecasts import ForecastService
from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.log import Occasion, Score
from domain.forecast.quantities import Quantity
from domain.values import Role
from tests.interfaces.graphql.caller import FORECAST
from tests.interfaces.serving import ApiClient
from tests.wiring import NOON

OF_DRAFT = f"""query($draft: CreateCampaignInput!) {{
  forecast(draft: $draft) {FORECAST} }}"""
OF_CAMPAIGN = f"""query($id: ID!) {{ forecast(campaignId: $id) {FORECAST}
  campaign(id: $id) {{ forecast {FORECAST} forecasts {FORECAST} }} }}"""
CALIBRATION = """{ calibration { quantity occasion campaigns coverage crps naiveCrps }
}"""
SUPPRESS = """mutation($phone: String!) { suppressNumber(phone: $phone) {
  ... on Suppression { id } } }"""
SET = """mutation($input: SettingsInput!) { updateSettings(input: $input) {
  ... on Settings { callingRules } ... on UserError { message } } }"""
CSV = "name,business_name,phone,time_zone\n" + "".join(
    f"Ada {n},,+120255501{n:02d},America/New_York\n" for n in range(60)
)
QUANTITIES = ("calls", "answered", "human", "goals", "spend")


@pytest.fixture(autouse=True)
def without_rules(shared_api: ApiClient) -> None:
    """Switch the calling rules off, so that the time of day does not matter."""
    off = {"callingRules": "OFF", "callingRulesReason": "a test"}
    shared_api.execute(SET, input=off)
    shared_api.caught_up()


def draft(upload: str, **fields: Any) -> dict[str, Any]:
    own = {"name": "", "uploadId": upload, "phoneNumberId": "line", "cap": 5}
    return {**own, "assistantId": "2f8f1d5e-8c3b-4c57-9d53-2f2b5c9a7d10", **fields}


def of_draft(shared_api: ApiClient, **fields: Any) -> Any:
    asked = draft(shared_api.upload(CSV), **fields)
    return shared_api.execute(OF_DRAFT, Role.OPERATOR, draft=asked)["forecast"]


def test_a_draft_is_forecast_before_anything_is_created(shared_api: ApiClient) -> None:
    shared_api.execute(SUPPRESS, phone="+12025550111")
    shared_api.caught_up()
    made = of_draft(shared_api)
    assert made["calls"] == {"p10": 59, "p50": 59, "p90": 59}
    assert made["never"] == [{"reason": "SUPPRESSED", "contacts": 1}]
    assert (made["attemptsSeen"], made["coverage"]) == (0, None)
    for name in QUANTITIES:
        assert made[name]["p10"] <= made[name]["p50"] <= made[name]["p90"]
    assert made["madeAt"] < made["finishesAt"]["p10"] <= made["finishesAt"]["p90"]
    assert sum(hour["calls"] for hour in made["hours"]) == pytest.approx(59, abs=10)


def test_a_retry_policy_makes_more_calls(shared_api: ApiClient) -> None:
    rule = {"outcomes": ["NO_ANSWER"], "attempts": 2, "gapsMinutes": [60]}
    policy = {"attempts": 3, "rules": [rule]}
    made = of_draft(shared_api, retryPolicy=policy)
    assert made["calls"]["p50"] > 60


def test_a_draft_with_impossible_terms_is_refused(shared_api: ApiClient) -> None:
    upload = shared_api.upload(CSV)
    for wrong, words in (
        ({"uploadId": None}, "needs an uploadId"),
        ({"uploadId": "none"}, "no such upload"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "end must be in the future"),
        ({"cap": 0}, "must be from 1"),
    ):
        answer = shared_api.ask(OF_DRAFT, Role.OPERATOR, draft=draft(upload, **wrong))
        assert answer.code == "BAD_REQUEST"
        assert words in answer.errors[0]["message"]


def test_auditors_do_not_forecast_drafts(shared_api: ApiClient) -> None:
    asked = draft(shared_api.upload(CSV))
    assert shared_api.ask(OF_DRAFT, Role.AUDITOR, draft=asked).code == "FORBIDDEN"


def test_a_campaign_is_forecast_in_both_places(shared_api: ApiClient) -> None:
    campaign = shared_api.campaign(CSV)
    shared_api.caught_up()
    shown = shared_api.execute(OF_CAMPAIGN, Role.AUDITOR, id=campaign)
    assert shown["campaign"]["forecasts"] == []
    for made in (shown["forecast"], shown["campaign"]["forecast"]):
        assert made["calls"]["p50"] == 60


def test_nothing_is_calibrated_without_finished_campaigns(
    shared_api: ApiClient,
) -> None:
    found = shared_api.execute(CALIBRATION, Role.AUDITOR)["calibration"]
    assert len(found) == 12
    assert {(one["campaigns"], one["coverage"]) for one in found} == {(0, None)}


def test_coverage_is_shown_from_twenty_scored_campaigns_on(api: ApiClient) -> None:
    """Of twenty campaigns, sixteen spent as much as forecast; CRPS 1, naive 4."""
    forecasts = ForecastService(api.app, api.context)

    def finished(number: int) -> None:
        score = Score(
            occasion=Occasion.LAUNCH,
            quantity=Quantity.SPEND,
            made_at=NOON,
            result=10.0,
            is_covered=number % 5 > 0,
            miss=1.0,
            crps=1.0,
            naive_crps=4.0,
        )
        forecasts.score(UUID(int=number + 1), (score,), CampaignCounts())

    def shown() -> dict[str, Any]:
        api.caught_up()
        rows = api.execute(CALIBRATION, Role.AUDITOR)["calibration"]
        return next(
            one
            for one in rows
            if (one["quantity"], one["occasion"]) == ("SPEND", "LAUNCH")
        )

    for number in range(19):
        finished(number)
    row = shown()
    assert (row["campaigns"], row["coverage"], row["crps"]) == (19, None, None)
    finished(19)
    row = shown()
    assert (row["campaigns"], row["coverage"]) == (20, pytest.approx(0.8))
    assert (row["crps"], row["naiveCrps"]) == (1.0, 4.0)


def test_wider_hours_and_another_retry_policy_are_advised(
    shared_api: ApiClient,
) -> None:
    days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
    windows = [{"days": days, "from": "10:00", "to": "10:10"}]
    made = of_draft(shared_api, cap=1, callingHours={"windows": windows})
    [hours] = [one for one in made["advice"] if one.startswith("all hours that")]
    assert re.search(r": finished .* earlier", hours)
    [policy] = [one for one in made["advice"] if one.startswith("retry policy ")]
    assert policy.endswith("more human answers.")
    assert not any("all hours" in one for one in of_draft(shared_api)["advice"])
