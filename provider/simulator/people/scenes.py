"""Scenes of answered calls: who answers, the conversation, the tool that is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

type Line = tuple[str, str]
"""One turn of a conversation: the role, `bot` or `user`, and the text."""

AGREED = "Yes please, that suits me."
DECLINED = "No, not this week, sorry."


class Scene(StrEnum):
    """Course of a call that is picked up and not ended by a fault.

    AGREES, DECLINES: a conversation with the person. DROPS: the person hangs up within
    seconds, without a word. SILENT: nobody speaks. MACHINE: an answering machine that
    the provider does not recognise. SCREENER: a call screener asks who is calling.
    MENU: an automated attendant. CALLBACK: the person asks to be called later.
    OPT_OUT: the person asks not to be called again. WRONG_PERSON: somebody else.
    """

    AGREES = "agrees"
    DECLINES = "declines"
    DROPS = "drops"
    SILENT = "silent"
    MACHINE = "machine"
    SCREENER = "screener"
    MENU = "menu"
    CALLBACK = "callback"
    OPT_OUT = "opt_out"
    WRONG_PERSON = "wrong_person"


SCENES: Mapping[Scene, float] = {Scene.AGREES: 0.7, Scene.DECLINES: 0.3}
"""Default weights: the kinds of conversation with a person."""

VARIED_SCENES: Mapping[Scene, float] = {
    Scene.AGREES: 40,
    Scene.DECLINES: 24,
    Scene.DROPS: 6,
    Scene.SILENT: 4,
    Scene.MACHINE: 6,
    Scene.SCREENER: 4,
    Scene.MENU: 4,
    Scene.CALLBACK: 6,
    Scene.OPT_OUT: 4,
    Scene.WRONG_PERSON: 2,
}
"""Weights with which every scene occurs."""

LONGEST_SECONDS: Mapping[Scene, float] = {Scene.DROPS: 3.0, Scene.SILENT: 15.0}
"""Real seconds after which a short scene is over."""


@dataclass(frozen=True)
class ToolUse:
    """A tool that the assistant calls in a scene, with its arguments."""

    name: str
    arguments: dict[str, Any]


def tool_use(scene: Scene, callback_at: datetime) -> ToolUse | None:
    """Return the tool call of a scene; `callback_at` is the callee's local time."""
    match scene:
        case Scene.OPT_OUT:
            return ToolUse("record_opt_out", {"quote": OPT_OUT_WORDS})
        case Scene.CALLBACK:
            return ToolUse(
                "schedule_callback",
                {
                    "local_datetime": _local(callback_at),
                    "when_text": _asked_time(callback_at),
                },
            )
        case _:
            return None


def structured_outputs(scene: Scene | None, callback_at: datetime) -> dict[str, Any]:
    """Return the structured outputs of the analysis of a call, by name."""
    return {
        "goal_reached": scene is Scene.AGREES,
        "opted_out": scene is Scene.OPT_OUT,
        "wrong_person": scene is Scene.WRONG_PERSON,
        "interest": {Scene.AGREES: "high", Scene.DECLINES: "none"}.get(scene)
        if scene
        else None,
        "callback_at": _local(callback_at) if scene is Scene.CALLBACK else None,
    }


OPT_OUT_WORDS = "Please take me off your list and do not call again."


@dataclass(frozen=True)
class Person:
    """Whom the assistant wants to reach; `callback_at` is when they like to talk."""

    name: str
    callback_at: datetime


def spoken(scene: Scene, person: Person, answer: str | None) -> list[Line]:
    """Return the lines after the assistant's first message.

    `answer` is the result of the scene's tool call, which the assistant repeats.
    """
    name, when = person.name, _asked_time(person.callback_at)
    lines: dict[Scene, list[Line]] = {
        Scene.AGREES: _between_people(name, AGREED),
        Scene.DECLINES: _between_people(name, DECLINED),
        Scene.DROPS: [],
        Scene.SILENT: [("bot", f"{name}, are you still there?")],
        Scene.MACHINE: machine(name),
        Scene.SCREENER: _SCREENER,
        Scene.MENU: _MENU,
        Scene.CALLBACK: [
            ("user", f"I am driving. Call me {when}, please."),
            ("bot", answer or "I will note that. Goodbye."),
        ],
        Scene.OPT_OUT: [("user", OPT_OUT_WORDS), ("bot", answer or "Sorry. Goodbye.")],
        Scene.WRONG_PERSON: [
            ("user", f"There is no {name} here, you have the wrong number."),
            ("bot", "I am sorry for the mistake. Goodbye."),
        ],
    }
    return lines[scene]


def machine(name: str) -> list[Line]:
    """Return the greeting of an answering machine and the message that is left."""
    return [
        ("user", f"You have reached {name}. Please leave a message after the tone."),
        ("bot", f"We will call again, {name}. Goodbye."),
    ]


_SCREENER: list[Line] = [
    ("user", "Please record your name and reason for calling. I'll see who is there."),
    ("bot", "This is the clinic, about an appointment."),
    ("user", "Thanks. Please stay on the line."),
]
_MENU: list[Line] = [
    ("user", "Thank you for calling. Press 1 for sales. Press 2 for service."),
    ("bot", "I would like to speak to the person in charge of appointments."),
    ("user", "Sorry, that is not a valid option. Press 1 for sales."),
]


def _between_people(name: str, decision: str) -> list[Line]:
    return [
        ("user", f"Yes, this is {name}."),
        ("bot", f"Thank you, {name}. Shall I keep it for you?"),
        ("user", decision),
        ("bot", "Understood. Have a good day."),
        ("user", "Thanks. Bye."),
    ]


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None, microsecond=0).isoformat()


def _asked_time(at: datetime) -> str:
    return f"on {at:%A} at {at:%H:%M}"
