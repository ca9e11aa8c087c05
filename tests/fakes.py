"""A provider in memory, with scripted outcomes and a record of what was asked."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import uuid4

from application.ports import (
    Accepted,
    AssistantChanges,
    CallOrder,
    CallPhase,
    CallReport,
    ContactRefused,
    ListedAssistant,
    NeverLeft,
    Origin,
    Outcome,
    PhoneNumber,
    Provider,
    ProviderAssistant,
    ProviderCall,
    ProviderRefused,
    ProviderTexts,
    ProviderUnavailable,
    Unknown,
)
from application.process.monotonic_clock import monotonic_now
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from provider.vapi import ACTOR
from provider.vapi.assistants.assistant_fields import assistant_fields, with_fields
from provider.vapi.assistants.assistants import (
    LONGEST_NAME,
    digest_of,
    longest_call_seconds,
    settable_config,
    warnings_of,
)
from provider.vapi.assistants.templates import call_texts, template_variables
from provider.vapi.assistants.tools import TOOLS
from provider.vapi.messages.reading import PHASES
from provider.vapi.messages.tool_calls import tool_response
from provider.vapi.texts import TEXTS


@dataclass(frozen=True)
class Lost:
    """The provider acts, but its answer is lost."""

    text: str = "the answer was lost"


type Scripted = Outcome | Lost | Callable[[CallOrder], Outcome]


@dataclass
class FakeProvider(Provider):
    """Answers each order by the next of `script`, or accepts it once that is empty.

    An entry that is a function is called with the order; what it raises is raised, as
    by a crash. `Accepted` entries keep their id and time. Calls stay queued until
    `say` or `end`. While `down`, nothing is answered. Ids in `hidden` do not show;
    those in `unlisted` are missing from the list but are answered by id. Assistants are
    not kept for the reason in `refuses`. To list the calls of a line in `lines_down`
    (None: those of all lines) raises its exception.
    """

    script: deque[Scripted] = field(default_factory=deque)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    assistants: dict[str, ProviderAssistant] = field(default_factory=dict)
    lines: list[PhoneNumber] = field(default_factory=list)
    down: bool = False
    lines_down: dict[str | None, Exception] = field(default_factory=dict)
    refuses: str | None = None
    recordings: dict[str, str] = field(default_factory=dict)
    orders: list[CallOrder] = field(default_factory=list)
    hang_ups: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    actor: str = ACTOR
    longest_assistant_name: int = LONGEST_NAME
    texts: ProviderTexts = TEXTS
    shown: dict[str, tuple[str, ProviderCall]] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock, repr=False)

    def answers(self, *script: Scripted) -> None:
        self.script.extend(script)

    # --- The port -----------------------------------------------------------------

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        if monotonic_now() >= send_before:
            return NeverLeft("it was too late to send the request")
        with self._lock:
            self.orders.append(order)
            scripted = self.script.popleft() if self.script else None
        if self.down:
            return Unknown("the provider is down")
        # Outside the lock: a script may wait for another thread.
        outcome = scripted(order) if callable(scripted) else scripted
        if outcome is None:
            outcome = self._judged(order)
        return self._acted(order, outcome)

    def call(self, provider_call_id: str) -> ProviderCall | None:
        self._answer()
        found = self.shown.get(provider_call_id)
        return found[1] if found and provider_call_id not in self.hidden else None

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        self._answer()
        if phone_number_id in self.lines_down:
            raise self.lines_down[phone_number_id]
        with self._lock:
            shown = list(self.shown.values())
        return sorted(
            (
                call
                for line, call in shown
                if phone_number_id in (None, line)
                and call.created_at >= since
                and call.provider_call_id not in self.hidden | self.unlisted
            ),
            key=lambda call: call.created_at,
            reverse=True,
        )

    def hang_up(self, provider_call_id: str) -> None:
        self._answer()
        self.hang_ups.append(provider_call_id)
        found = self.shown.get(provider_call_id)
        if found and not found[1].ended:
            self.end(provider_call_id, CallReport(ended_reason="manually-canceled"))

    def assistant(self, provider_assistant_id: str) -> ProviderAssistant | None:
        self._answer()
        return self.assistants.get(provider_assistant_id)

    def listed_assistants(self) -> list[ListedAssistant]:
        self._answer()
        return [ListedAssistant(one.id, one.name) for one in self.assistants.values()]

    def create_assistant(self, name: str, config: dict[str, Any]) -> ProviderAssistant:
        self._answer()
        return self._kept(ProviderAssistant(str(uuid4()), name, config))

    def update_assistant(
        self,
        provider_assistant_id: str,
        name: str | None,
        config: dict[str, Any],
        fields: AssistantChanges | None = None,
    ) -> ProviderAssistant | None:
        known = self.assistant(provider_assistant_id)
        if known is None:
            return None
        config = with_fields({**known.config, **config}, fields or {})
        return self._kept(replace(known, name=name or known.name, config=config))

    def add_tools(self, provider_assistant_id: str) -> ProviderAssistant | None:
        known = self.assistant(provider_assistant_id)
        return known and self._kept(replace(known, tools=tuple(sorted(TOOLS))))

    def _kept(self, assistant: ProviderAssistant) -> ProviderAssistant:
        if len(assistant.name) > self.longest_assistant_name:
            raise ProviderRefused("400: the name is too long")
        if self.refuses is not None:
            raise ProviderRefused(self.refuses)
        digest = digest_of(assistant.config, assistant.tools)
        assistant = replace(assistant, digest=digest)
        self.assistants[assistant.id] = assistant
        return assistant

    tool_response = staticmethod(tool_response)
    assistant_fields = staticmethod(assistant_fields)
    with_fields = staticmethod(with_fields)
    settable_config = staticmethod(settable_config)
    longest_call_seconds = staticmethod(longest_call_seconds)
    template_variables = staticmethod(template_variables)
    preview = staticmethod(call_texts)
    assistant_warnings = staticmethod(warnings_of)

    def recording_link(self, provider_call_id: str) -> str | None:
        self._answer()
        return self.recordings.get(provider_call_id)

    def phone_numbers(self) -> list[PhoneNumber]:
        self._answer()
        return list(self.lines)

    # --- What the test does at the provider -----------------------------------------

    def show(
        self, order: CallOrder, provider_call_id: str, at: datetime | None = None
    ) -> ProviderCall:
        """Let the provider have a call for this order, whatever was answered."""
        call = ProviderCall(
            provider_call_id=provider_call_id,
            status="queued",
            phase=CallPhase.QUEUED,
            created_at=at or self.now(),
            call_id=order.call_id,
            report=CallReport(),
            document={"id": provider_call_id},
            origin=Origin(order.campaign_id, order.contact_id, order.attempt),
        )
        with self._lock:
            self.shown[provider_call_id] = (order.phone_number_id, call)
        return call

    def say(self, provider_call_id: str, status: str) -> None:
        self._change(provider_call_id, status=status, phase=PHASES.get(status))

    def end(self, provider_call_id: str, report: CallReport) -> None:
        self.say(provider_call_id, "ended")
        self._change(provider_call_id, report=report)

    def _change(self, provider_call_id: str, **changes: Any) -> None:
        with self._lock:
            line, call = self.shown[provider_call_id]
            self.shown[provider_call_id] = (line, replace(call, **changes))

    def _judged(self, order: CallOrder) -> Outcome:
        if not order.phone.startswith("+"):
            return ContactRefused("400: customer.number must be in the E.164 format")
        return Accepted(provider_call_id=str(uuid4()), placed_at=self.now())

    def _acted(self, order: CallOrder, outcome: Outcome | Lost) -> Outcome:
        if isinstance(outcome, Accepted):
            self.show(order, outcome.provider_call_id, outcome.placed_at)
        if isinstance(outcome, Lost):
            self.show(order, str(uuid4()))
            return Unknown(outcome.text)
        return outcome

    def _answer(self) -> None:
        if self.down:
            raise ProviderUnavailable("the provider is down")


def accepting(outcomes: Iterable[Scripted] = (), **fields: Any) -> FakeProvider:
    """Make a provider that answers these first and accepts what comes then."""
    return FakeProvider(script=deque(outcomes), **fields)


def an_order(**changes: Any) -> CallOrder:
    """Make an order to call Dana, everything of which may be changed."""
    order = CallOrder(
        call_id=uuid4(),
        campaign_id=uuid4(),
        contact_id=uuid4(),
        attempt=1,
        request=1,
        phone="+12025550143",
        name="Dana Whitfield",
        variables={"plan": "gold"},
        provider_assistant_id=DEFAULT_ASSISTANT_ID,
        phone_number_id=DEFAULT_PHONE_NUMBER_ID,
    )
    return replace(order, **changes)
