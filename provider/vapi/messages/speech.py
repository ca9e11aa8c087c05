"""Who spoke on the callee's side of a call, as its transcript shows.

Voicemail greetings, menus and call screeners are transcribed like a person's words. The
patterns match the phrases that they use, in English and in the menus of US companies in
Spanish; whatever matches none of them counts as a person.
"""

import re
from enum import Enum, auto
from typing import Any


class Speech(Enum):
    """What a transcript contains of the callee's side."""

    NOBODY = auto()
    PERSON = auto()
    VOICEMAIL = auto()
    SCREENER = auto()
    """A menu, an attendant or a call screener."""


CALLEE_ROLES = frozenset({"user", "customer"})
CALLEE_LINE = re.compile(r"^\s*(?:User|Customer)\s*:(.*)$", re.MULTILINE)
"""How a line of the text form begins that the callee spoke."""

WORD = re.compile(r"\w")

VOICEMAIL = re.compile(
    r"(after|at|wait for) (the|a) (tone|beep)"
    r"|leave (me |us )?(a|your)( \w+){0,4} (message|name and number)\b(?!.*\?)"
    r"|(can'?t|cannot|unable to|not available to) (come to the phone|take your call"
    r"|answer (the phone|your call))"
    r"|forwarded to( an)?( automated)?( voice ?mail| voice messag)"
    r"|reached the (voice ?mail|mailbox)|mailbox is (full|not set up)"
    r"|voice ?mail (box )?(of|for|is full)"
    r"|finished recording|to (send|review) your message",
    re.IGNORECASE,
)
SCREENER = re.compile(
    r"\bpress (\d|one|two|three|four|five|six|seven|eight|nine|zero|star|pound)\b"
    r"|(oprima|marque|presione) (el )?(\d|uno|dos)|para espa[nñ]ol"
    r"|(state|say|record) your name|screening (service|assistant)|call assist"
    r"|reason for (your call|calling)\b(?!.*\?)"
    r"|if this person is available|person you'?re calling"
    r"|please (stay on the line|hold while)|your call is (very )?important"
    r"|(this|your) call (may|will) be (recorded|monitored)"
    r"|following options|menu options|main menu|dial by name|party'?s extension"
    r"|(make|choose) (a|your) selection|(agents|representatives|operators) are (busy"
    r"|currently)",
    re.IGNORECASE,
)
FILLER = re.compile(
    r"^\W*(thank you|thanks|good ?bye|bye|one moment( please)?|please hold|beep"
    r"|hello|sorry)\W*$",
    re.IGNORECASE,
)
"""Words that machines say as well: after a machine's phrase they prove no person."""


def speech_in(transcript: Any) -> Speech | None:
    """Return who spoke, from a list of spoken messages or from the text form.

    None means that there is no transcript. The last words that say anything decide: if
    a machine spoke first and somebody else afterwards, a person took over.
    """
    if not transcript:
        return None
    spoken = [text for text in _callee_texts(transcript) if WORD.search(text)]
    for text in reversed(spoken):
        machine = _machine(text)
        if machine is not None:
            return machine
        if not FILLER.match(text):
            return Speech.PERSON
    return Speech.PERSON if spoken else Speech.NOBODY


def _machine(text: str) -> Speech | None:
    if VOICEMAIL.search(text):
        return Speech.VOICEMAIL
    return Speech.SCREENER if SCREENER.search(text) else None


def _callee_texts(transcript: Any) -> list[str]:
    if isinstance(transcript, str):
        return CALLEE_LINE.findall(transcript)
    texts = [
        item.get("message") or item.get("content")
        for item in transcript
        if isinstance(item, dict) and item.get("role") in CALLEE_ROLES
    ]
    return [text for text in texts if isinstance(text, str)]
