"""Calls in virtual time that end in every way a retry policy knows of.

What a call is about, and its true outcome, are drawn by seed from the contact's place
in the list and the attempt, so that neither depends on the order of the calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from provider.simulator.people.scenes import ToolUse
from provider.simulator.tools import tool_calls
from tests.faults.virtual_call import REPORT, Document, VirtualCall

ZONE = ZoneInfo("America/New_York")
"""The time zone of the numbers of `tests.wiring.phones`."""

LONGEST_UNTIL_CALLBACK = timedelta(hours=8)


class Course(StrEnum):
    """What happens in a call that is not refused.

    Each has one true outcome, see `TRUE_OUTCOMES`. GOAL: the structured outputs say so.
    """

    BUSY = "busy"
    NO_ANSWER = "no answer"
    VOICEMAIL = "voicemail"
    SILENT = "silent"
    TALK = "talk"
    GOAL = "goal"
    OPT_OUT = "opt-out"
    CALLBACK = "callback"


COURSES: Mapping[Course, float] = {
    Course.BUSY: 24,
    Course.NO_ANSWER: 24,
    Course.VOICEMAIL: 14,
    Course.SILENT: 8,
    Course.TALK: 8,
    Course.GOAL: 6,
    Course.OPT_OUT: 7,
    Course.CALLBACK: 9,
}
"""Weights with which each course occurs."""

UNANSWERED = frozenset({Course.BUSY, Course.NO_ANSWER})

TRUE_OUTCOMES: Mapping[Course, str] = {
    Course.BUSY: "BUSY",
    Course.NO_ANSWER: "NO_ANSWER",
    Course.VOICEMAIL: "VOICEMAIL",
    Course.SILENT: "SILENT",
    **dict.fromkeys(
        (Course.TALK, Course.GOAL, Course.OPT_OUT, Course.CALLBACK), "HUMAN"
    ),
}

REASONS: Mapping[Course, str] = {
    Course.BUSY: "customer-busy",
    Course.NO_ANSWER: "customer-did-not-answer",
    Course.VOICEMAIL: "voicemail",
    Course.SILENT: "silence-timed-out",
    **dict.fromkeys(
        (Course.TALK, Course.GOAL, Course.OPT_OUT, Course.CALLBACK),
        "assistant-ended-call",
    ),
}

WORDS: Mapping[Course, str] = {
    Course.TALK: "I will think about it, but not today.",
    Course.GOAL: "Yes please, that suits me very well.",
    Course.OPT_OUT: "Please take me off your list and do not call again.",
    Course.CALLBACK: "I am driving, please call me later.",
}


@dataclass(frozen=True)
class CourseRates:
    """How calls are drawn.

    `weights` are those of the courses by attempt; the last ones hold for all further
    attempts. `contradicted` is the share of the calls with two reports whose first one
    states another course, `tools` the share of the opt-outs and callbacks that use a
    tool (the others are in the structured outputs only).
    """

    weights: Sequence[Mapping[Course, float]] = (COURSES,)
    contradicted: float = 0.3
    tools: float = 0.8

    def of_attempt(self, attempt: int) -> Mapping[Course, float]:
        return self.weights[min(attempt, len(self.weights)) - 1]


def always(*courses: Course) -> CourseRates:
    """Return rates with one course for each attempt; the last one repeats."""
    return CourseRates([{course: 1} for course in courses], contradicted=0, tools=1)


@dataclass
class TalkingCall(VirtualCall):
    """A call with a course; `told` is the course that its first report states.

    `callback_at` is when the callee wants to be called; `tool_at` when the assistant
    calls its tool, None if it uses none.
    """

    course: Course = Course.TALK
    told: Course = Course.TALK
    callback_at: datetime | None = None
    tool_at: datetime | None = None

    @property
    def outcome(self) -> str:
        return TRUE_OUTCOMES[self.course]

    def result(self) -> Document:
        return self._result(self.course)

    def _result(self, course: Course) -> Document:
        complete = super().result()
        if self.refusal is not None or self.reason == "manually-canceled":
            return complete
        complete["endedReason"] = REASONS[course]
        if "startedAt" not in complete:
            return complete
        lines = [{"role": "bot", "message": f"This was {self.id}."}]
        if course in WORDS:
            lines.append({"role": "user", "message": WORDS[course]})
        names = {"bot": "AI", "user": "User"}
        complete["artifact"] |= {
            "messages": lines,
            "transcript": "".join(
                f"{names[line['role']]}: {line['message']}\n" for line in lines
            ),
            "structuredOutputs": self._outputs(course),
        }
        return complete

    def _outputs(self, course: Course) -> Document:
        values = {
            "goal_reached": course is Course.GOAL,
            "opted_out": course is Course.OPT_OUT,
            "callback_at": self.local_callback if course is Course.CALLBACK else None,
        }
        return {
            f"id of {name}": {"name": name, "result": value}
            for name, value in values.items()
        }

    @property
    def local_callback(self) -> str | None:
        """The time as a wall clock at the callee shows it."""
        if self.callback_at is None:
            return None
        return self.callback_at.astimezone(ZONE).replace(tzinfo=None).isoformat()

    def messages(self) -> list[tuple[datetime, Document]]:
        messages = super().messages()
        if self.tool_at is not None and self.tool_at < self.ended_at:
            messages.append((self.tool_at, self._tool_message(self.tool_at)))
        return sorted(messages, key=lambda message: message[0])

    def _reports(self) -> list[tuple[datetime, Document]]:
        reports = super()._reports()
        if self.told is self.course or len(reports) == 1:
            return reports
        at, _ = reports[0]
        wrong = self.reporting.last_report(self._result(self.told))
        return [(at, self._report(wrong)), *reports[1:]]

    def _tool_message(self, at: datetime) -> Document:
        content = tool_calls(self._tool_use(), f"tool-{self.id}")
        stamp = at.timestamp() * 1000
        return {"message": {**content, "timestamp": stamp, "call": self.head()}}

    def _tool_use(self) -> ToolUse:
        if self.course is Course.OPT_OUT:
            return ToolUse("record_opt_out", {"quote": WORDS[Course.OPT_OUT]})
        arguments = {"local_datetime": self.local_callback, "when_text": "later"}
        return ToolUse("schedule_callback", arguments)


def is_report(body: Document) -> bool:
    return bool(body["message"]["type"] == REPORT)


def with_course(call: VirtualCall, rates: CourseRates, seed: str) -> VirtualCall:
    """Draw what happens in a call that is not refused; `seed` is its contact's."""
    if call.refusal is not None:
        return call
    random = Random(f"{seed} {call.order.attempt}")
    weights = rates.of_attempt(call.order.attempt)
    course = _drawn(random, weights)
    told = course
    if call.reporting.first != "none" and random.random() < rates.contradicted:
        told = _drawn(random, weights)
        told = told if (told in UNANSWERED) == (course in UNANSWERED) else course
    values: dict[str, Any] = {
        each.name: getattr(call, each.name) for each in fields(VirtualCall)
    }
    values |= _times(call, course, random)
    values["reason"] = REASONS[course]
    made = TalkingCall(**values, course=course, told=told)
    _draw_request(made, rates, random)
    return made


def _draw_request(call: TalkingCall, rates: CourseRates, random: Random) -> None:
    """Draw when the callee wants to be called, and when a tool records a request."""
    if call.course not in {Course.OPT_OUT, Course.CALLBACK}:
        return
    assert call.answered_at is not None
    if random.random() < rates.tools:
        length = call.ended_at - call.answered_at
        call.tool_at = call.answered_at + length * random.uniform(0.1, 0.9)
    if call.course is Course.CALLBACK:
        ahead = random.uniform(120, LONGEST_UNTIL_CALLBACK.total_seconds())
        at = call.ended_at + timedelta(seconds=ahead)
        call.callback_at = at.replace(second=0, microsecond=0)


def _times(call: VirtualCall, course: Course, random: Random) -> dict[str, Any]:
    """Return the times and the cost that fit the course."""
    ringing = call.ringing_at
    assert ringing is not None
    if course in UNANSWERED:
        return {"answered_at": None, "cost": 0.0}
    answered = call.answered_at or ringing + timedelta(seconds=random.uniform(0.1, 2))
    length = max((call.ended_at - answered).total_seconds(), 11.0)
    ended = answered + timedelta(seconds=length)
    later = ended - call.ended_at
    return {
        "answered_at": answered,
        "ended_at": ended,
        "first_reported_at": call.first_reported_at + later,
        "reported_at": call.reported_at + later,
        "cost": call.cost or round(random.uniform(0.01, 0.4), 4),
    }


def _drawn(random: Random, weights: Mapping[Course, float]) -> Course:
    [course] = random.choices(list(weights), list(weights.values()))
    return course
