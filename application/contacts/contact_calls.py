"""The known calls to a contact, for decisions about its next call."""

from dataclasses import replace
from datetime import datetime

from application.app import Streams
from domain.calls.call import Call
from domain.calls.callbacks import CallbackLimits
from domain.campaigns.campaign import Campaign
from domain.contacts.contact_history import (
    MOST_CALLBACKS,
    NO_HISTORY,
    ContactHistory,
)
from domain.planning.planning import history_after, history_of
from domain.values import call_id_of


def history_with(app: Streams, call: Call) -> ContactHistory:
    """Return the contact's history with this call, as it is known now.

    The history that a claim carries is outdated if a call before it counted as a fault
    and has proved since to have rung; such calls are loaded again. A claim without a
    history does not know the calls before it.
    """
    if call.attempt == 1 or (call.history is not None and not call.history.faults):
        return history_after(call)
    return history_of([*earlier_calls(app, call), call])


def history_before(app: Streams, call: Call) -> ContactHistory:
    """Return the contact's history without this call, as it is known now.

    Its `retried` includes the outcome because of which the call was planned.
    """
    claimed = call.history or NO_HISTORY
    if not claimed.faults:
        return claimed
    return replace(history_of(earlier_calls(app, call)), retried=claimed.retried)


class ContactHistories:
    """Histories of contacts with and without a call, for decisions about a claim."""

    def __init__(self, app: Streams) -> None:
        self._app = app

    def before(self, call: Call) -> ContactHistory:
        """Return the contact's history without this call, as it is known now."""
        return history_before(self._app, call)

    def including(self, call: Call) -> ContactHistory:
        """Return the contact's history with this call, as it is known now."""
        return history_with(self._app, call)


def earlier_calls(app: Streams, call: Call) -> list[Call]:
    """Load the contact's calls before this one, in their order."""
    return [
        app.load(Call, call_id_of(call.contact_id, attempt))
        for attempt in range(1, call.attempt)
    ]


def callback_limits(
    app: Streams,
    call: Call,
    campaign: Campaign,
    time_zones: tuple[str, ...],
    at: datetime,
) -> CallbackLimits:
    """Return what limits the callback for which a contact asks in this call.

    The campaign's end is the present one, however the contact asks, since it decides
    whether the callback can be made. `time_zones` are those to which the number may
    belong.
    """
    return CallbackLimits(
        now=at,
        time_zones=time_zones,
        ends_at=campaign.terms.ends_at,
        callbacks_left=MOST_CALLBACKS - history_with(app, call).callbacks,
    )
