"""Why contacts wait and why a campaign has to pause, in sentences for operators."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.calls.refusals import MOST_REFUSED_CONTACTS
from domain.dial_view import CampaignView, GroupView, Snapshot
from domain.dispatching.plan_types import Conditions, Pause, Verdict, Waiting
from domain.dispatching.shares import Demand, Remaining
from domain.gate.permit import Wait
from domain.planning.retries import CALLBACK_LATE
from domain.states import MAY_DIAL
from domain.values import CampaignState, PauseCause, WaitingCode

PAUSED = {
    PauseCause.PERSON: "The campaign is paused: resume it to continue.",
    PauseCause.BUDGET: "The budget is spent: raise it, then resume the campaign.",
    PauseCause.ACCOUNT: (
        "The provider refused the account: correct that there, then resume."
    ),
    PauseCause.PROVIDER_REFUSALS: (
        "The provider refused several calls in a row: find out why, then resume."
    ),
    PauseCause.DUPLICATE_DETECTED: (
        "A second call for the same contact was found: check it, then resume."
    ),
}

DUPLICATE = (
    "A call was found twice at the provider: an admin has to check it and allow"
    " requests again."
)

SUSPECTED = (
    "A webhook names a second call for one of this campaign's calls:"
    " waiting until the provider confirms or denies it."
)

LINE_BUSY = (
    "A call is live on the line, or the provider does not show the line:"
    " waiting until the line is quiet."
)

RETRY_LATER = "The provider could not take the call: it is tried again later."

RETRY = "A retry is planned for later."

CALLBACK = "The contact asked to be called back at a later time."

LATE_CALLBACK = (
    f"The callback is more than {CALLBACK_LATE // timedelta(minutes=1)} minutes late:"
    " it is made as soon as a call is possible, within a day of its time."
)

NOT_STARTED = "The campaign's start time has not come yet."

HAS_ENDED = "The campaign's end has come: its contacts are withheld in a moment."

CLOSED = {
    WaitingCode.OUTSIDE_HOURS: (
        "Calls are not allowed at the contacts' places at this time."
    ),
    WaitingCode.NO_RULES: (
        "The rule book has no calling rules for the contacts' countries: an admin may"
        " waive the calling hours."
    ),
    WaitingCode.RULES_UNAVAILABLE: (
        "The calling rules cannot be read, or the contacts' places are still being"
        " determined."
    ),
    WaitingCode.SCHEDULED: NOT_STARTED,
    WaitingCode.FREQUENCY_CAP: "The numbers were called as often as is allowed.",
    WaitingCode.LIST_STALE: (
        "A suppression list that covers the numbers has expired: renew it."
    ),
}
"""Why the gate does not allow calls, by code."""

TO_BE_WITHHELD = "These contacts may never be called: they are withheld in a moment."

NUMBER_BUSY = "A call to the same number is under way."

LACKING = {
    WaitingCode.GLOBAL_CAP_FULL: "All calls that the global cap allows are live.",
    WaitingCode.DAILY_BUDGET_SPENT: (
        "The daily budget is spent: dialling continues after midnight UTC."
    ),
    WaitingCode.PROVIDER_BUSY: "The provider asked to slow down on this line.",
    WaitingCode.RATE_LIMITED: (
        "Calls are started at the configured pace: more follow within seconds."
    ),
}


# --- Barriers: why a campaign may not call anybody ----------------------------------


def barrier(
    view: CampaignView, snapshot: Snapshot, conditions: Conditions
) -> Waiting | None:
    """Return why the campaign may not call anybody, however much room it has."""
    cause = _cause_of_pause(view)
    if cause is not None:
        return Waiting(WaitingCode.PAUSED, PAUSED[cause])
    duplicate = _duplicate(view, snapshot)
    if duplicate is not None:
        return Waiting(WaitingCode.DUPLICATE_DETECTED, duplicate)
    down = _provider_down(view, conditions)
    if down is not None:
        return Waiting(WaitingCode.PROVIDER_DOWN, down)
    if conditions.claiming_blocked is not None:
        return conditions.claiming_blocked
    if _waits_for_quiet_line(view, conditions):
        return Waiting(WaitingCode.LINE_BUSY, LINE_BUSY)
    return _outside_schedule(view, conditions)


def _outside_schedule(view: CampaignView, conditions: Conditions) -> Waiting | None:
    """Return why the campaign's own start or end does not allow calls now."""
    if view.waits_for_start(conditions.now):
        return Waiting(WaitingCode.SCHEDULED, NOT_STARTED, until=view.starts_at)
    if view.has_ended(conditions.now):
        return Waiting(WaitingCode.SCHEDULED, HAS_ENDED)
    return None


def _cause_of_pause(view: CampaignView) -> PauseCause | None:
    """Return the cause, also if this very plan is going to pause the campaign."""
    if view.state is CampaignState.PAUSED:
        return view.pause_cause or PauseCause.PERSON
    if view.account_refusal is not None:
        return PauseCause.ACCOUNT
    return PauseCause.PROVIDER_REFUSALS if _has_many_start_failures(view) else None


def _has_many_start_failures(view: CampaignView) -> bool:
    return view.start_failures >= MOST_REFUSED_CONTACTS


def _duplicate(view: CampaignView, snapshot: Snapshot) -> str | None:
    """Return why a duplicate call bars the campaign, if one does.

    A duplicate that the provider shows bars every campaign, a suspicion only its own.
    """
    if snapshot.duplicates_open:
        return DUPLICATE
    if any(one.campaign_id == view.id for one in snapshot.suspected):
        return SUSPECTED
    return None


def _provider_down(view: CampaignView, conditions: Conditions) -> str | None:
    """Return why the provider cannot be asked at all, or not for this line."""
    if conditions.provider_down is not None:
        return f"The provider cannot be reached: {conditions.provider_down}"
    why = conditions.lines_down.get(view.phone_number_id)
    return None if why is None else f"The provider does not show this line: {why}"


def _waits_for_quiet_line(view: CampaignView, conditions: Conditions) -> bool:
    """Return whether line-quiet gating keeps the campaign from starting a fill.

    A fill starts on a quiet line only; once started, its own calls do not stop it.
    """
    return (
        view.line_quiet_gating
        and view.phone_number_id in conditions.busy_lines
        and view.id not in conditions.filling
    )


# --- Verdicts -----------------------------------------------------------------------


def verdict(demand: Demand, claims: int, left: Remaining) -> Verdict:
    """Account for all pending contacts: those claimed, and the reasons of the rest."""
    return Verdict(
        campaign_id=demand.id,
        room=demand.room,
        placed=claims,
        reasons=tuple(_reasons(demand, demand.view.pending - claims, claims, left)),
    )


def _reasons(
    demand: Demand, waiting: int, claims: int, left: Remaining
) -> list[Waiting]:
    if waiting <= 0:
        return []
    if demand.barrier is not None:
        return [replace(demand.barrier, contacts=waiting)]
    later = _later(demand.view, waiting, claims)
    due = waiting - sum(reason.contacts for reason in later)
    closed = _closed(demand.view, due)
    due -= sum(reason.contacts for reason in closed)
    return later + closed + _limits(demand, due, claims, left)


def _closed(view: CampaignView, waiting: int) -> list[Waiting]:
    """Return the reasons of groups that the gate does not allow to be called now."""
    reasons: dict[str, Waiting] = {}
    for group in view.groups:
        contacts = min(group.fresh + group.due, waiting)
        if group.is_open or contacts <= 0:
            continue
        waiting -= contacts
        one = _reason_of(group, contacts)
        known = reasons.get(one.message)
        if known is not None:
            ends = [end for end in (known.until, one.until) if end is not None]
            total = known.contacts + contacts
            one = replace(one, contacts=total, until=min(ends, default=None))
        reasons[one.message] = one
    return list(reasons.values())


def _reason_of(group: GroupView, contacts: int) -> Waiting:
    match group.decision:
        case Wait(code=code, until=until):
            return Waiting(code, CLOSED[code], contacts, until)
        case _:
            code = WaitingCode.RULES_UNAVAILABLE
            return Waiting(code, TO_BE_WITHHELD, contacts)


def _later(view: CampaignView, waiting: int, claims: int) -> list[Waiting]:
    """Return the reasons of contacts that are not due, and of callbacks that are late.

    Late callbacks are claimed first, so `claims` is subtracted from them.
    """
    late = max(view.late_callbacks - claims, 0)
    deferred = view.deferred - view.refused_by_gate
    reasons = []
    for code, message, contacts, until in (
        *_refused(view),
        *(
            (one.code, CLOSED[one.code], one.contacts, one.until)
            for one in view.deferred_by_gate
        ),
        (WaitingCode.RETRY_LATER, RETRY_LATER, deferred, view.next_due_at),
        (WaitingCode.RETRY_PLANNED, RETRY, view.retries_later, view.next_retry_at),
        (
            WaitingCode.CALLBACK_PLANNED,
            CALLBACK,
            view.callbacks_later,
            view.next_callback_at,
        ),
        (WaitingCode.CALLBACK_PLANNED, LATE_CALLBACK, late, None),
    ):
        counted = min(contacts, waiting)
        if counted > 0:
            reasons.append(Waiting(code, message, counted, until=until))
            waiting -= counted
    return reasons


def _refused(
    view: CampaignView,
) -> list[tuple[WaitingCode, str, int, datetime | None]]:
    """Return code, message, contacts and first time of the refused candidates."""
    waits = [one.decision for one in view.refused if isinstance(one.decision, Wait)]
    never = len(view.refused) - len(waits)
    found: list[tuple[WaitingCode, str, int, datetime | None]] = [
        (WaitingCode.RULES_UNAVAILABLE, TO_BE_WITHHELD, never, None)
    ]
    for code in dict.fromkeys(one.code for one in waits):
        ends = [one.until for one in waits if one.code is code]
        known = [end for end in ends if end is not None]
        until = min(known, default=None)
        message = NUMBER_BUSY if code is WaitingCode.RETRY_LATER else CLOSED[code]
        found.append((code, message, len(ends), until))
    return found


def _limits(
    demand: Demand, waiting: int, claims: int, left: Remaining
) -> list[Waiting]:
    """Return what limited the claims, for the contacts that are due now."""
    if waiting <= 0:
        return []
    if demand.affordable is not None and claims >= demand.affordable:
        budget = demand.view.budget
        message = f"The budget of {budget} is spent or reserved by live calls."
        return [Waiting(WaitingCode.BUDGET_SPENT, message, waiting)]
    if claims >= demand.room:
        return _cap_full(demand, waiting)
    if claims >= len(demand.eligible) and demand.batch is not None:
        message = f"Batch {demand.batch} is under way: the next starts when it is over."
        return [Waiting(WaitingCode.BATCH_UNDER_WAY, message, waiting)]
    code = left.lacking_for(demand) or WaitingCode.RATE_LIMITED
    until = left.midnight if code is WaitingCode.DAILY_BUDGET_SPENT else None
    return [Waiting(code, LACKING[code], waiting, until=until)]


def _cap_full(demand: Demand, waiting: int) -> list[Waiting]:
    """Separate slots of live calls from slots of requests without a clear answer."""
    unknown = min(demand.unknown, waiting)
    message_unknown = (
        "A request got no clear answer: the provider is asked before anybody is called."
    )
    cap = demand.view.cap
    all_live = f"All {cap} calls that the cap allows are live"
    if cap == 1:
        all_live = "The only call that the cap allows is live"
    message_full = f"{all_live}."
    if ghosts := demand.view.ghosts:
        message_full = f"{all_live}, or may be: the end of {ghosts} was never reported."
    reasons = [
        Waiting(WaitingCode.OUTCOME_UNKNOWN, message_unknown, unknown),
        Waiting(WaitingCode.CAP_FULL, message_full, waiting - unknown),
    ]
    return [reason for reason in reasons if reason.contacts]


# --- Pauses -------------------------------------------------------------------------


def pause(demand: Demand) -> Pause | None:
    """Return why the campaign has to pause until a person acts, None if it need not."""
    view = demand.view
    if view.state in MAY_DIAL and view.account_refusal is not None:
        message = view.account_refusal or "Another campaign got the same refusal."
        return Pause(view.id, PauseCause.ACCOUNT, message, view.account_scope)
    if view.state in MAY_DIAL and view.pending > 0 and _has_many_start_failures(view):
        message = (
            f"{view.start_failures} contacts in a row were refused, the last with"
            f" {view.start_failure}."
        )
        return Pause(view.id, PauseCause.PROVIDER_REFUSALS, message)
    return _budget_pause(demand) if _is_budget_spent(demand) else None


def _is_budget_spent(demand: Demand) -> bool:
    """Return whether final costs alone, not reservations, prevent the next call."""
    view = demand.view
    return (
        view.state in MAY_DIAL
        and demand.affordable == 0
        and view.unreported == 0
        and view.pending > 0
    )


def _budget_pause(demand: Demand) -> Pause:
    view = demand.view
    message = (
        f"{view.spend} of the budget of {view.budget} US dollars are spent,"
        f" and one more call is expected to cost {demand.cost:.2f}."
    )
    return Pause(view.id, PauseCause.BUDGET, message)
