"""The payload examples of docs/webhooks.md are what is really sent.

`WRITE_EXAMPLES=1 pytest tests/docs/test_webhook_examples.py` writes them to the page.
"""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.campaigns.campaign_events import SpendAlert
from domain.campaigns.campaign_terms import CallingTerms
from domain.outcomes import Disposition
from domain.values import PauseCause
from domain.webhook_endpoint import MessageType
from tests.webhooks import add_endpoint, bodies, finish_call
from tests.wiring import BY, NOON, Services, open_services

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
EXAMPLE = re.compile(r"(### `([a-z_.]+)`\n.*?```json\n)(.*?)(\n```)", re.DOTALL)
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TERMS = CallingTerms(callback_output="callback_at", ends_at=NOON + timedelta(days=9))


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    with open_services(database) as services:
        yield services


def analysed(**outputs: str) -> dict[str, Any]:
    """Return the fields of a report with a recording and these structured outputs."""
    named = {name: {"name": name, "result": value} for name, value in outputs.items()}
    return {
        "artifact": {
            "recordingUrl": "https://storage.example.com/1.wav",
            "messages": [{"role": "user", "message": "Call me tomorrow, please."}],
            "structuredOutputs": named,
        },
        "analysis": {"summary": "They want the new contract."},
    }


def sent_by(services: Services) -> dict[str, str]:
    """Let everything happen of which there are messages; return one of each type."""
    add_endpoint(services)
    campaign = services.campaign(3, budget=Decimal(5), terms=TERMS)
    finish_call(services, campaign, **analysed(interest="high"))
    finish_call(services, campaign, **analysed(callback_at="2026-03-03T15:00"))
    opted_out = finish_call(services, campaign)
    contact_id = services.load_call(opted_out).contact_id
    services.contacts.set_disposition(
        contact_id, Disposition.OPTED_OUT, note=None, by=BY
    )
    services.campaigns.raise_spend_alert(
        campaign, alert=SpendAlert.THRESHOLD, spend=Decimal("4.10"), budget=Decimal(5)
    )
    services.settle()
    found = bodies(services)
    services.campaigns.pause(
        campaign, by=BY, cause=PauseCause.PERSON, reason="We ran out of stock."
    )
    found += bodies(services)[len(found) :]
    services.campaigns.cancel(campaign, hang_up=False, by=BY)
    broken, done = services.campaign(1), services.campaign(1)
    services.campaigns.fail(broken, reason="The assistant was deleted.")
    finish_call(services, done)
    services.campaigns.complete(done, version=services.load_campaign(done).version)
    found += bodies(services)[len(found) :]
    examples: dict[str, str] = {}
    for body in found:
        examples.setdefault(orjson.loads(body)["type"], body)
    return examples


def shown(examples: dict[str, str]) -> dict[str, str]:
    """Format the examples; ids are numbered in the order of their appearance."""
    numbers: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], str(UUID(int=len(numbers) + 1)))

    return {
        type_: ID.sub(
            numbered,
            orjson.dumps(
                orjson.loads(examples[type_]), option=orjson.OPT_INDENT_2
            ).decode(),
        )
        for type_ in MessageType
    }


def test_each_example_is_the_message_that_is_really_sent(services: Services) -> None:
    examples = shown(sent_by(services))
    if os.environ.get("WRITE_EXAMPLES"):
        text = EXAMPLE.sub(lambda m: m[1] + examples[m[2]] + m[4], PAGE.read_text())
        PAGE.write_text(text)
    found = {type_: body for _, type_, body, _ in EXAMPLE.findall(PAGE.read_text())}
    assert found == examples
