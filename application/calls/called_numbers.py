"""Counts the calls to each number in the number's stream, for the frequency caps."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.app import AutoLynx, Streams, decide
from application.event_context import SCHEDULER
from application.installation_key import InstallationKey, KeyUnusable
from application.ports import ContactLookup
from domain.calls.call import Call
from domain.numbers.number import Number, number_id_of
from domain.planning.call_consequences import proves_nothing_rang

NEWEST_EVENTS = 64
"""Events of a number that are read first; more than a window of a cap usually has."""


def newest_number(app: Streams, number_id: UUID, at: datetime) -> Number:
    """Return a number as its newest events show it; blank if it has none."""
    found = app.find_all((), {number_id: NEWEST_EVENTS})[number_id]
    if isinstance(found, Number):
        return found
    return Number.unrecorded(number_id, at)


def release_number(
    app: Streams,
    call: Call,
    events: Sequence[object],
    number: Number | None,
    at: datetime,
) -> Number | None:
    """Stop counting a call whose new events prove that no phone rang.

    `number` is the called number if it has been read already. Returns the number with
    its new events, None if it has none. A call with a request whose outcome was never
    known counts for ever: that request may have rung the phone. So does one whose
    provider id only a webhook has named, because that may be forged, until the provider
    gives the same id (`release_confirmed`).
    """
    unproven = call.unknowns or call.bound_by_message
    if call.number_key is None or unproven or not proves_nothing_rang(events):
        return number
    if number is None:
        number = newest_number(app, number_id_of(call.number_key), at)
    number.release(call.id, at=at, by=SCHEDULER)
    return number if number.pending_events else None


def is_confirmed_end(call: Call, provider_call_id: str) -> bool:
    """Whether the provider confirms the id in a webhook that ended the call early."""
    same = call.provider_call_id == provider_call_id
    return same and call.bound_by_message and call.ended


def release_confirmed(
    app: AutoLynx, call_id: UUID, provider_call_id: str, at: datetime
) -> None:
    """Stop counting a call that was refused before it rang, as a webhook had said.

    The webhook arrived before the provider's answer to the request, which gives the
    same id. Does nothing if the end does not prove that no phone rang.
    """

    def command() -> None:
        call = app.load(Call, call_id)
        proof = _since_request(list(app.events.get(call_id)))
        confirmed = is_confirmed_end(call, provider_call_id) and not call.unknowns
        if call.number_key is None or not confirmed or not proves_nothing_rang(proof):
            return
        number = newest_number(app, number_id_of(call.number_key), at)
        number.release(call_id, at=at, by=SCHEDULER)
        app.append(number, expect={call_id: call.version})

    decide(command)


def _since_request(events: Sequence[object]) -> Sequence[object]:
    """Return the events after the latest request."""
    requests = [n for n, one in enumerate(events) if isinstance(one, Call.Requested)]
    return events[requests[-1] :] if requests else events


class AdoptedNumbers:
    """Counts calls that the provider has and the log lacked."""

    def __init__(
        self, app: Streams, key: InstallationKey, contact_lookup: ContactLookup
    ) -> None:
        self._app, self._key, self._contact_lookup = app, key, contact_lookup

    def count(self, call_id: UUID, contact_id: UUID, at: datetime) -> Number | None:
        """Return the number with the counted call; None once the contact is erased.

        None as well if the installation's key cannot be used: then nobody is called.
        """
        person = self._contact_lookup.contact(contact_id)
        if person is None:
            return None
        try:
            number_key = self._key.of_number(person.phone)
        except KeyUnusable:
            return None
        number = newest_number(self._app, number_id_of(number_key), at)
        number.request(call_id, at=at, by=SCHEDULER)
        return number
