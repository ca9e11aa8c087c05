"""SQL for sets of states and shown statuses, generated from `domain.states`.

Queries contain no names of states, so that each rule exists once, in the domain.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum

from domain.outcomes import Withheld
from domain.states import NOT_FINISHED, shown_status, stored_statuses
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


EXPIRED = "expired_at is not null"
"""SQL condition that a campaign has expired, by a column of `campaign_board`."""


def shown_status_sql(status: str, state: str, expired: str = EXPIRED) -> str:
    """Return the SQL expression of a contact's shown status.

    `status` and `state` are the columns of the stored status and the campaign's state,
    `expired` is the condition that the campaign has expired.
    """
    whens = []
    for stored in ContactStatus:
        for shown in ContactStatus:
            if shown is stored:
                continue
            cases = {
                (s, over)
                for s in CampaignState
                for over in (False, True)
                if shown_status(stored, s, expired=over) is shown
            }
            if cases:
                condition = _condition(cases, state, expired)
                whens.append(
                    f"when {status} = '{stored}' and {condition} then '{shown}'"
                )
    return _case(whens, otherwise=status)


def shown_counter_sql(shown: ContactStatus) -> str:
    """Return the SQL expression that counts the contacts shown with this status.

    It uses the columns of `campaign_board`, for one campaign.
    """
    cases_by_sum: dict[str, set[tuple[CampaignState, bool]]] = {}
    for state in CampaignState:
        for over in (False, True):
            counted = _sum(stored_statuses({shown}, state, expired=over))
            cases_by_sum.setdefault(counted, set()).add((state, over))
    usual = COUNTER[shown]
    whens = [
        f"when {_condition(cases, 'state', EXPIRED)} then {counted}"
        for counted, cases in cases_by_sum.items()
        if counted != usual
    ]
    return _case(whens, otherwise=usual)


def shown_counters_sql(form: str = "{} as {}") -> str:
    """Return the select list of all shown counters, under the columns' names."""
    return ", ".join(
        form.format(shown_counter_sql(shown), COUNTER[shown]) for shown in ContactStatus
    )


def is_finished_sql(status: str, planned_at: str) -> str:
    """Return the SQL condition that a contact is finished: no other call follows.

    `status` and `planned_at` are columns of `contact_log`.
    """
    return f"({status} not in {literals(NOT_FINISHED)} and {planned_at} is null)"


def in_period_sql(starts_at: str, ends_at: str, at: str) -> str:
    """Return the SQL condition that a campaign's start has come and its end has not.

    It is the rule of `domain.campaign_period`, with columns of `campaign_board`.
    """
    has_begun = f"({starts_at} is null or {starts_at} <= {at})"
    has_ended = f"({ends_at} is not null and {ends_at} <= {at})"
    return f"({has_begun} and not {has_ended})"


def withheld_sql(withheld: str, status: str, expired: str) -> str:
    """Return the SQL expression of why a contact was finished without a call.

    `withheld` and `status` are the stored columns, `expired` is whether the campaign
    has expired: no event is stored for the contacts that it finishes.
    """
    waits = f"{status} = '{ContactStatus.PENDING}'"
    expiry = f"case when {waits} and {expired} then '{Withheld.EXPIRED}' end"
    return f"coalesce({withheld}, {expiry})"


def _condition(cases: set[tuple[CampaignState, bool]], state: str, expired: str) -> str:
    """Return the SQL condition of these states, each with or without expiry."""
    conditions = []
    in_any = {s for s, over in cases if (s, not over) in cases}
    if in_any:
        conditions.append(f"{state} in {literals(in_any)}")
    for over, condition in ((False, f"not ({expired})"), (True, expired)):
        states = {s for s, o in cases if o is over} - in_any
        if states:
            conditions.append(f"({condition} and {state} in {literals(states)})")
    return f"({' or '.join(conditions)})"


def _sum(statuses: Collection[ContactStatus]) -> str:
    return " + ".join(COUNTER[status] for status in sorted(statuses)) or "0"


def _case(whens: list[str], *, otherwise: str) -> str:
    return f"case {' '.join(whens)} else {otherwise} end" if whens else otherwise
