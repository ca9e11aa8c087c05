"""A campaign's view without contacts and calls, for forecasts, tests and benchmarks."""

from datetime import datetime
from uuid import UUID

from domain.dial_view import CampaignView
from domain.values import ZERO, CampaignState, DialMode


def blank_view(id_: UUID, created_at: datetime) -> CampaignView:
    """Return a running campaign of one slot; replace the values that matter.

    The view itself has no defaults, so that a snapshot cannot forget a value.
    """
    return CampaignView(
        id=id_,
        name="",
        state=CampaignState.RUNNING,
        pause_cause=None,
        version=1,
        cap=1,
        mode=DialMode.CONTINUOUS,
        line_quiet_gating=False,
        phone_number_id="",
        provider_assistant_id="",
        budget=None,
        spend=ZERO,
        costs_reported=0,
        longest_call_seconds=7200,
        created_at=created_at,
        queued_at=None,
        contacts=0,
        pending=0,
        active=0,
        ghosts=0,
        unreported=0,
        deferred=0,
        next_due_at=None,
        batch=None,
        batch_contacts=0,
    )
