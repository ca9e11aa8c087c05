"""Requests to the provider: each is decided by the gate and stored behind the fence."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.app import Streams
from application.calls.call_gate import CallGate
from application.calls.request_fence import (
    Fence,
    SendPermission,
    read_fence,
    send_permission,
)
from application.contacts.contact_calls import earlier_calls
from application.event_context import SCHEDULER, EventContext
from application.installation_key import InstallationKey, KeyUnusable
from application.places.resolver import zones_of
from application.ports import ContactLookup
from application.vault import ContactRow
from domain.calls.call import Call
from domain.calls.commands.dialing import RequestTerms
from domain.errors import MayNotBeRequested
from domain.gate.permit import Granted, Never, Wait
from domain.numbers.number import number_id_of
from domain.planning.requests import arm_of, may_be_requested, refuse_request
from domain.planning.voicemail import may_leave_voicemail

log = logging.getLogger(__name__)

FENCED = 8
"""Attempts to store a request while a stream that it rests on keeps changing."""


@dataclass(frozen=True, slots=True)
class CallRequests:
    """Stores requests, or why a call may not be requested (yet)."""

    app: Streams
    context: EventContext
    contact_lookup: ContactLookup
    installation_key: InstallationKey
    gate: CallGate

    def request(self, call_id: UUID, *, dial_before: datetime) -> SendPermission | None:
        """Store a request; return the permission to send it, None if it is refused.

        It is stored only if none of the streams that it rests on has changed since they
        were read: campaign, contact, number, settings, suppression lists, and the
        contact's earlier calls, which may have left a voicemail message. Nobody is
        called after a pause, a cancel, an erasure or an opt-out was confirmed. If the
        gate refuses, the call is deferred, or withdrawn and its contact withheld.
        """
        return self._fenced(call_id, dial_before, Call.request)

    def renew_request(
        self, call_id: UUID, *, dial_before: datetime
    ) -> SendPermission | None:
        """Store a further request after one that provably never left."""
        return self._fenced(call_id, dial_before, Call.renew_request)

    def _fenced(
        self, call_id: UUID, dial_before: datetime, ask: Callable[..., None]
    ) -> SendPermission | None:
        for _ in range(FENCED):
            try:
                return self._request(call_id, dial_before, ask)
            except MayNotBeRequested:
                return None
            except KeyUnusable as fault:
                log.error("call %s is not requested: %s", call_id, fault)  # noqa: TRY400 - the message says it all
                return None
            except IntegrityError:
                continue  # One of the streams changed: decide again.
        return None

    def _request(
        self, call_id: UUID, dial_before: datetime, ask: Callable[..., None]
    ) -> SendPermission | None:
        call, at = self.app.load(Call, call_id), self.context.now()
        callee = self.contact_lookup.callee(call.contact_id)
        if callee is None:
            return None
        number_key = self.installation_key.of_number(callee.person.phone)
        number_id = number_id_of(number_key)
        fence = read_fence(self.app, self.installation_key, call, number_id, at)
        if not may_be_requested(fence.campaign, fence.contact, at):
            return None
        decision = self.gate.decide(call, fence, callee, at=at, dial_before=dial_before)
        if not isinstance(decision, Granted):
            self._refuse_request(call, fence, decision, at)
            return None
        terms: RequestTerms = {"dial_before": dial_before, "permit": decision.permit}
        return self._store_request(
            call, fence, callee.person, number_key, terms=terms, ask=ask, at=at
        )

    def _store_request(
        self,
        call: Call,
        fence: Fence,
        person: ContactRow,
        number_key: str,
        *,
        terms: RequestTerms,
        ask: Callable[..., None],
        at: datetime,
    ) -> SendPermission:
        """Store an allowed request with the number's count of calls, in one append."""
        earlier = earlier_calls(self.app, call)
        caller = fence.campaign.caller
        arm = arm_of(call, earlier, fence.campaign, number_key)
        voicemail_allowed = may_leave_voicemail(call, earlier)
        terms |= {
            "number_key": number_key,
            "time_zones": zones_of(person.phone),
            "voicemail_allowed": voicemail_allowed,
            "phone_number_id": caller.phone_number_id,
            "longest_call_seconds": (arm or caller).longest_call_seconds,
            "arm": arm,
        }
        ask(call, at=at, by=SCHEDULER, **terms)
        versions = fence.versions | {one.id: one.version for one in earlier}
        fence.number.request(call.id, at=at, by=SCHEDULER)
        self.app.append(call, fence.number, expect=versions)
        permission = send_permission(call, fence.campaign, person, terms["dial_before"])
        order = replace(permission.order, voicemail_allowed=voicemail_allowed)
        return replace(permission, order=order)

    def _refuse_request(
        self, call: Call, fence: Fence, decision: Wait | Never, at: datetime
    ) -> None:
        """Store what a refusal of the gate means for the call, in one append."""
        versions, contact, number = fence.versions, fence.contact, fence.number
        refuse_request(call, contact, number, decision, at=at, by=SCHEDULER)
        if call.pending_events:
            self.app.append(call, contact, number, expect=versions)
