"""As many campaigns as a busy installation has after years."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from application.app import AutoLynx
from domain.campaigns.campaign import Campaign
from domain.values import DialMode


def create_campaigns(
    app: AutoLynx, count: int, *, newest_at: datetime, name: str = "Campaign"
) -> list[UUID]:
    """Create campaigns a second apart, every tenth of them canceled; newest first."""
    campaigns = [
        _campaign(f"{name} {number:04}", newest_at - timedelta(seconds=number))
        for number in range(count)
    ]
    for campaign in campaigns[9::10]:
        campaign.cancel(hang_up=False, at=newest_at, by="test")
    app.append(*campaigns)
    return [campaign.id for campaign in campaigns]


def _campaign(name: str, at: datetime) -> Campaign:
    return Campaign.create(
        campaign_id=uuid4(),
        name=name,
        assistant_id=uuid4(),
        provider_assistant_id="assistant",
        phone_number_id="line",
        cap=5,
        mode=DialMode.CONTINUOUS,
        line_quiet_gating=False,
        budget=None,
        longest_call_seconds=600,
        at=at,
        by="test",
    )
