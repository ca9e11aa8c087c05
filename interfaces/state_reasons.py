"""Why a campaign is PAUSED or FAILED, for pauses whose event has no text of its own."""

from domain.values import PauseCause

DUPLICATE = (
    "A second call was reported at the provider for one of this campaign's calls, so"
    " somebody may have been called twice."
)


def state_reason(cause: PauseCause | None, text: str | None) -> str | None:
    """Return the stored text, or else a sentence for a pause after a duplicate call.

    `cause` is None unless the campaign is PAUSED. The result is None for a pause by a
    person who gave no reason.
    """
    if text is None and cause is PauseCause.DUPLICATE_DETECTED:
        return DUPLICATE
    return text
