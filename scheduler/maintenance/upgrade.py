"""The work of a new leader after an upgrade, before its first claim."""

import logging
from threading import Event

from application.calls.earlier_calls import EarlierCalls
from application.installation_key import KeyUnusable
from projections.calls.earlier_requests import RequestsInReadModel
from projections.composition import Components
from storage.process.leadership import Term

WAIT_SECONDS = 1.0

log = logging.getLogger(__name__)


def earlier_calls(built: Components) -> EarlierCalls:
    """Build what counts the calls of earlier releases."""
    return EarlierCalls(
        built.app,
        built.context,
        key=built.installation_key,
        requests=RequestsInReadModel(built.reading),
        contact_lookup=built.lookups,
        rule_book=built.rule_book.current,
        settings=built.settings.values,
    )


def count_earlier_calls(built: Components, term: Term, stop: Event) -> bool:
    """Count the calls of earlier releases for the frequency caps, once.

    Waits until the read model includes them. Returns False if `stop` was set meanwhile:
    then nothing may be claimed. While the installation's key cannot be used nothing is
    counted, and nobody is called either.
    """
    earlier = earlier_calls(built)
    if earlier.are_counted():
        return True
    position = built.app.recorder.max_notification_id() or 0
    while not built.read_model.wait_for(position, WAIT_SECONDS):
        if stop.is_set():
            return False
        term.record_progress()
    try:
        earlier.count()
    except KeyUnusable as fault:
        log.error("earlier calls are not counted: %s", fault)  # noqa: TRY400 - the message says it all
    return True
