"""Costs, budgets and alerts in the API."""

from decimal import Decimal
from uuid import UUID

from domain.campaigns.campaign_events import SpendAlert
from domain.values import Role
from tests.interfaces.serving import ApiClient

SPEND = """{ spend {
  today dailyBudget campaigns { campaignId name spend budget }
  alerts { raisedAt campaignId message spend budget }
} }"""


def test_spending_is_shown_with_its_budgets_and_alerts(shared_api: ApiClient) -> None:
    campaign = shared_api.campaign(budget="20")
    shared_api.execute(
        """mutation { updateSettings(input: {dailyBudget: "100"}) { __typename } }"""
    )
    _alert(shared_api, campaign, spent="16")
    shared_api.caught_up()
    data = shared_api.execute(SPEND, Role.AUDITOR)["spend"]
    assert (data["today"], data["dailyBudget"]) == ("0", "100")
    assert data["campaigns"] == [
        {"campaignId": campaign, "name": "Spring", "spend": "0", "budget": "20"}
    ]
    [alert] = data["alerts"]
    assert alert["campaignId"] == campaign
    assert (alert["spend"], alert["budget"]) == ("16", "20")
    assert alert["message"] == (
        'Campaign "Spring" has spent 16.00 of its budget of 20.00 US dollars.'
    )


def _alert(shared_api: ApiClient, campaign_id: str, *, spent: str) -> None:
    shared_api.components.campaigns.raise_spend_alert(
        UUID(campaign_id),
        alert=SpendAlert.THRESHOLD,
        spend=Decimal(spent),
        budget=Decimal(20),
    )
