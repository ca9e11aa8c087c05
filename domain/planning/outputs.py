"""What the outputs in a report of a call mean: its disposition, and a callback."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.calls.call import Call
from domain.calls.callbacks import (
    CallbackLimits,
    CallbackTime,
    Obstacle,
    agree_to_output,
)
from domain.calls.dispositions import disposition_from, strongest
from domain.campaigns.campaign_terms import CallingTerms
from domain.outcomes import OPT_OUTS, Disposition, DispositionSource
from domain.planning.planning import is_settled_by

type Limits = Callable[[], CallbackLimits]
"""Returns what limits a callback; called only if a time has to be agreed."""


def apply_outputs(
    call: Call,
    outputs: Mapping[str, Any],
    analysis: Mapping[str, Any],
    terms: CallingTerms,
    message_id: UUID,
    limits: Limits,
    *,
    at: datetime,
    by: str,
) -> None:
    """Record the disposition and the callback that the outputs of a report mean.

    `outputs` are the structured outputs by name, `analysis` the whole analysis.
    `message_id` is the id of the stored report, which the call has recorded already.
    """
    if not terms.output_rules and terms.callback_output is None:
        return
    disposition = disposition_from(outputs, analysis, terms.output_rules)
    is_best = message_id == call.known.message_id
    if is_best and terms.callback_output is not None:
        wanted = outputs.get(terms.callback_output)
        if _request_callback(call, wanted, limits, at, by):
            disposition = strongest((disposition, Disposition.CALLBACK_REQUESTED))
    call.set_disposition_of_outputs(disposition, message_id=message_id, at=at, by=by)


def _request_callback(
    call: Call, wanted: object, limits: Limits, at: datetime, by: str
) -> bool:
    """Record that the output `wanted` asks for a callback, or why none follows.

    Returns whether the call has a callback from its outputs. None and "" ask for none,
    so a time in an earlier, poorer report no longer counts; a time that a tool agreed
    during the call remains.
    """
    source = DispositionSource.OUTPUT
    if not source.may_replace(call.callback_source):
        return False
    if wanted is None or wanted == "":
        call.withdraw_callback(source, at=at, by=by)
        return False
    is_decided = call.settled and not is_settled_by(call.pending_events)
    if is_decided and call.callback_at is not None:
        return True
    agreed: CallbackTime | Obstacle = Obstacle.TOO_LATE
    if not is_decided:
        agreed = agree_to_output(wanted, limits())
    if agreed is Obstacle.PAST and call.callback_at is not None:
        return True  # An earlier report named the time before it had passed.
    if isinstance(agreed, Obstacle):
        call.ignore_callback(agreed, source, at=at, by=by)
        call.withdraw_callback(source, at=at, by=by)
        return False
    zone, due = agreed.time_zone, agreed.due_at
    call.request_callback(due_at=due, time_zone=zone, source=source, at=at, by=by)
    return True


def opts_out_by_outputs(events: Sequence[object]) -> bool:
    """Return whether the outputs of a call are an opt-out, by these new events."""
    return any(
        isinstance(one, Call.DispositionSet)
        and one.source is DispositionSource.OUTPUT
        and one.disposition in OPT_OUTS
        for one in events
    )
