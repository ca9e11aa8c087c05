"""SQL for sets of states and shown statuses, generated from `domain.states`.

Queries contain no names of states, so that each rule exists once, in the domain.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum

from domain.states import shown_status, stored_statuses
from domain.values import CampaignState, ContactStatus

COUNTER = {
    ContactStatus.PENDING: "pending",
    ContactStatus.QUEUED: "queued",
    ContactStatus.RINGING: "ringing",
    ContactStatus.IN_PROGRESS: "in_progress",
    ContactStatus.ENDED: "ended",
    ContactStatus.FAILED: "failed",
    ContactStatus.CANCELED: "canceled",
    ContactStatus.TIMEOUT: "timed_out",
}
"""The column of `campaign_board` that counts the contacts with a stored status."""


def literals(states: Iterable[StrEnum]) -> str:
    """Return the states as a sorted SQL list: ('A', 'B')."""
    return f"({', '.join(repr(state.value) for state in sorted(states))})"


def shown_status_sql(status: str, state: str) -> str:
    """Return the SQL expression of a contact's shown status.

    `status` and `state` are the columns of the stored status and the campaign's state.
    """
    whens = []
    for stored in ContactStatus:
        for shown in ContactStatus:
            states = {s for s in CampaignState if shown_status(stored, s) is shown}
            if states and shown is not stored:
                condition = f"{status} = '{stored}' and {state} in {literals(states)}"
                whens.append(f"when {condition} then '{shown}'")
    return _case(whens, otherwise=status)


def shown_counter_sql(shown: ContactStatus) -> str:
    """Return the SQL expression that counts the contacts shown with this status.

    It uses the columns of `campaign_board`, for one campaign.
    """
    states_by_sum: dict[str, set[CampaignState]] = {}
    for state in CampaignState:
        counted = _sum(stored_statuses({shown}, state))
        states_by_sum.setdefault(counted, set()).add(state)
    usual = COUNTER[shown]
    whens = [
        f"when state in {literals(states)} then {counted}"
        for counted, states in states_by_sum.items()
        if counted != usual
    ]
    return _case(whens, otherwise=usual)


def shown_counters_sql(form: str = "{} as {}") -> str:
    """Return the select list of all shown counters, under the columns' names."""
    return ", ".join(
        form.format(shown_counter_sql(shown), COUNTER[shown]) for shown in ContactStatus
    )


def _sum(statuses: Collection[ContactStatus]) -> str:
    return " + ".join(COUNTER[status] for status in sorted(statuses)) or "0"


def _case(whens: list[str], *, otherwise: str) -> str:
    return f"case {' '.join(whens)} else {otherwise} end" if whens else otherwise
