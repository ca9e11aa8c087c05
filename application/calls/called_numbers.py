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
from domain.planning.counted_calls import (
    is_confirmed_end,
    since_request,
    stops_counting,
)

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
    its new events, None if it has none.
    """
    if call.number_key is None or not stops_counting(call, events):
        return number
    if number is None:
        number = newest_number(app, number_id_of(call.number_key), at)
    number.release(call.id, at=at, by=SCHEDULER)
    return number if number.pending_events else None


def release_confirmed(
    app: AutoLynx, call_id: UUID, provider_call_id: str, at: datetime
) -> None:
    """Stop counting a call that was refused before it rang, as a webhook had reported.

    The webhook arrived before the provider's answer to the request, which gives the
    same id. Does nothing if the end does not prove that no phone rang.
    """

    def command() -> None:
        call = app.load(Call, call_id)
        proof = since_request(list(app.events.get(call_id)))
        if call.number_key is None or not is_confirmed_end(call, provider_call_id):
            return
        if stops_counting(call, proof, confirmed=True):
            number = newest_number(app, number_id_of(call.number_key), at)
            number.release(call_id, at=at, by=SCHEDULER)
            app.append(number, expect={call_id: call.version})

    decide(command)


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
