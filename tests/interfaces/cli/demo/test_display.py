from io import StringIO
from typing import Any

from rich.console import Console

from interfaces.cli.demo.display import display
from interfaces.cli.demo.reckoning import PARTS

PROGRESS: dict[str, Any] = dict.fromkeys(PARTS, 0) | {
    "state": "RUNNING",
    "contacts": 20,
    "active": 3,
    "spend": "1.25",
    "pending": 17,
    "ringing": 3,
}


def done(contacts: int, **more: Any) -> dict[str, Any]:
    return PROGRESS | {"pending": 17 - contacts, "ended": contacts} | more


def test_redirected_output_has_a_line_for_each_state_and_each_tenth() -> None:
    out = StringIO()
    with display(Console(file=out), cap=5) as shown:
        for contacts in range(5):
            shown.progress(done(contacts))
        shown.progress(done(4, state="PAUSED"))
    assert [line.split(",")[0] for line in out.getvalue().splitlines()] == [
        "RUNNING    0/20 done",
        "RUNNING    2/20 done",
        "RUNNING    4/20 done",
        "PAUSED     4/20 done",
    ]


def test_a_terminal_shows_each_contact_once() -> None:
    out = StringIO()
    contact = {"name": "Ada Abbott", "phone": "+12015550100", "call": None}
    with display(Console(file=out, force_terminal=True, width=100), cap=5) as shown:
        shown.contact(contact | {"status": "RINGING"})
        ended = {"status": "ENDED", "call": {"endedReason": "customer-busy"}}
        shown.contact(contact | ended)
        shown.progress(done(10))
    last = out.getvalue().split("Campaign")[-1]
    assert "active 3 of 5" in last
    assert "customer-busy" in last
    assert last.count("Ada Abbott") == 1
