"""Whether a contact may ask for a callback during a call."""

from collections.abc import Callable
from enum import Enum

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.numbers.number import Number
from domain.outcomes import OPT_OUTS


class CallbackBar(Enum):
    """Why no callback can be agreed at any time."""

    CAMPAIGN_OVER = "CAMPAIGN_OVER"
    OPTED_OUT = "OPTED_OUT"


def callback_bar(
    call: Call, campaign: Campaign, number: Callable[[], Number | None]
) -> CallbackBar | None:
    """Return why no callback can be agreed in this call, None if one can.

    `number` returns the number that is called, None if it is not known.
    """
    if campaign.over:
        return CallbackBar.CAMPAIGN_OVER
    if call.disposition in OPT_OUTS:
        return CallbackBar.OPTED_OUT
    called = number()
    is_suppressed = called is not None and called.is_suppressed
    return CallbackBar.OPTED_OUT if is_suppressed else None
