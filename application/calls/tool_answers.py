"""What an assistant gets as the result of its tools: sentences that it can act on."""

from dataclasses import dataclass

from domain.calls.callbacks import (
    LONGEST_AHEAD,
    CallbackTime,
    NotAgreed,
    Obstacle,
)


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The result of one tool call, named by the provider's id of the call."""

    tool_call_id: str
    result: str


OPTED_OUT = (
    "Recorded: this number will not be called again. Confirm this to the person, say"
    " goodbye and end the call."
)
NUMBER_UNKNOWN = (
    "Not recorded: the number of this call is unknown. Ask the person for the number,"
    " and say that the team will enter it."
)
UNKNOWN_TOOL = "This tool is not available. Continue the conversation without it."
NO_CALLBACK_HERE = (
    "A callback is not possible: this call belongs to no active campaign. Tell the"
    " person that nobody will call back."
)
NO_CALLBACK_SUPPRESSED = (
    "A callback is not possible: the person asked not to be called again."
)
TIME_UNREADABLE = (
    "The time could not be read. Ask for the day and the time, then send it as"
    " local_datetime in the form 2026-03-31T15:00."
)
REASONS = {
    Obstacle.NO_MORE: "the person was called back as often as is allowed",
    Obstacle.ZONE_UNKNOWN: (
        "the time zone is not known. Ask the person for it, then send its IANA name as"
        " time_zone, for example America/Chicago"
    ),
    Obstacle.ZONE_AMBIGUOUS: (
        "the number may belong to several time zones. Ask the person which one is"
        " meant, then send its name as time_zone"
    ),
    Obstacle.NO_SUCH_TIME: "the clocks skip that time on that day",
    Obstacle.PAST: "that time has passed",
    Obstacle.TOO_FAR: f"that day is more than {LONGEST_AHEAD.days} days ahead",
    Obstacle.AFTER_END: "calls are made only before that time",
    Obstacle.CLOSED: "calls are not allowed at that time",
    Obstacle.UNREADABLE: "the time could not be read",
    Obstacle.TOO_LATE: "the call was evaluated before",
}


def agreed_text(agreed: CallbackTime) -> str:
    """Return the confirmation, with the local time to repeat to the person."""
    return f"Confirmed: the person will be called back on {_spoken(agreed)}."


def not_agreed_text(answer: NotAgreed) -> str:
    """Return why the time is not possible, and the times that are."""
    text = f"Not possible: {REASONS[answer.obstacle]}."
    if not answer.possible:
        return text
    times = "; ".join(_spoken(time) for time in answer.possible)
    return f"{text} Possible times: {times}."


def _spoken(time: CallbackTime) -> str:
    local = time.local
    day = f"{local:%A}, {local.day} {local:%B %Y}"
    return f"{day} at {local:%H:%M} ({time.time_zone})"
