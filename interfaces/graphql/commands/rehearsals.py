"""Rehearsals of campaigns: simulated calls in virtual time."""

import asyncio
import csv
from collections.abc import AsyncGenerator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Self

import orjson
import strawberry

from domain.assistant import Assistant
from domain.errors import Invalid, NotFound
from interfaces.graphql.commands.imports import CreateCampaignInput, new_campaign
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import OPERATORS, subscription
from interfaces.graphql.types.enums import CallOutcome, CampaignState
from interfaces.graphql.types.paging import as_uuid
from interfaces.rehearsals import COMMAND
from storage.database import url_of
from storage.process.rehearsal_order import (
    RehearsalOrder,
    RehearsalScenario,
    RehearsedAssistant,
    order_to_json,
)

LONGEST_LINE = 1 << 20
EXPORT, CONTACTS, EVENTS = "export.csv", "contacts.csv", "events.jsonl"
"""Files that the process writes."""


@strawberry.type
class RehearsedOutcome:
    """Finished calls of one outcome."""

    outcome: CallOutcome
    calls: int


strawberry.enum(
    RehearsalScenario, description="How simulated people and the provider behave."
)


@strawberry.type
class RehearsedContact:
    """A contact at the end of a rehearsal."""

    name: str
    phone: str
    status: str
    outcome: str | None
    attempts: int


@strawberry.type
class RehearsalResult:
    """What a rehearsed campaign came to; all times are virtual."""

    started_at: datetime | None
    completed_at: datetime | None
    calls: int
    answered: int
    human: int
    goals: int
    withheld: int
    outcomes: list[RehearsedOutcome]
    waits: list[str] = strawberry.field(
        description="Why contacts still wait, if the campaign did not finish."
    )
    seconds: float = strawberry.field(description="Real duration of the rehearsal.")
    export: str = strawberry.field(description="The campaign's export, as CSV.")
    contacts: list[RehearsedContact]
    events: str = strawberry.field(
        description="The event log without its payloads, one JSON object in each line."
    )

    @classmethod
    def of(cls, figures: dict[str, Any], folder: Path) -> Self:
        """Build it from the figures and the files of the process."""
        return cls(
            started_at=_time(figures["startedAt"]),
            completed_at=_time(figures["completedAt"]),
            calls=figures["calls"],
            answered=figures["answered"],
            human=figures["human"],
            goals=figures["goals"],
            withheld=figures["withheld"],
            outcomes=[
                RehearsedOutcome(outcome=CallOutcome(name), calls=calls)
                for name, calls in figures["outcomes"].items()
            ],
            waits=figures["waits"],
            seconds=figures["seconds"],
            export=(folder / EXPORT).read_text(),
            contacts=_contacts(folder / CONTACTS),
            events=(folder / EVENTS).read_text(),
        )


@strawberry.type
class Rehearsal:
    """The progress of a rehearsal; the last one has the result."""

    at: datetime
    state: CampaignState
    contacts: int
    pending: int
    active: int
    ended: int
    spend: Decimal
    result: RehearsalResult | None

    @classmethod
    def of(cls, report: dict[str, Any], result: RehearsalResult | None) -> Self:
        """Build it from a report of the process."""
        return cls(
            at=datetime.fromisoformat(report["at"]),
            state=CampaignState(report["state"]),
            contacts=report["contacts"],
            pending=report["pending"],
            active=report["active"],
            ended=report["ended"],
            spend=Decimal(report["spend"]),
            result=result,
        )


def _contacts(path: Path) -> list[RehearsedContact]:
    with path.open(newline="") as file:
        return [
            RehearsedContact(
                name=row["name"],
                phone=row["phone"],
                status=row["status"],
                outcome=row["outcome"] or None,
                attempts=int(row["attempts"] or 0),
            )
            for row in csv.DictReader(file)
        ]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@strawberry.type
class Rehearsals:
    """Subscriptions that run rehearsals."""

    @subscription(
        OPERATORS,
        "Rehearses the campaign that createCampaign would create: nobody is called, and"
        " nothing is stored. One at a time; it ends with the subscription. seed:"
        " another one gives other outcomes of the calls. scenario: how people and the"
        " provider behave.",
    )
    async def rehearsal(
        self,
        info: Info,
        input: CreateCampaignInput,  # noqa: A002 - the contract's name of such inputs
        seed: Annotated[
            int, strawberry.argument(description="Another one: other outcomes.")
        ] = 1,
        scenario: Annotated[
            RehearsalScenario,
            strawberry.argument(description="How people and the provider behave."),
        ] = RehearsalScenario.NORMAL,
    ) -> AsyncGenerator[Rehearsal, None]:
        """Yield the progress, and finally the result."""
        context = info.context
        with TemporaryDirectory() as name:
            folder = Path(name)
            order = await context.backend.run_slow(
                _order, context, input, folder, seed, scenario
            )
            async for report in _reports(order):
                if "progress" in report:
                    yield Rehearsal.of(report["progress"], None)
                else:
                    result = await context.backend.run_slow(
                        RehearsalResult.of, report["done"], folder
                    )
                    yield Rehearsal.of(report["done"], result)


async def _reports(order: RehearsalOrder) -> AsyncGenerator[dict[str, Any], None]:
    """Run the process, which ends when this generator is closed.

    Raises BAD_REQUEST with the reason of a refusal.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=pipe, stdout=pipe, limit=LONGEST_LINE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    done = False
    try:
        process.stdin.write(order_to_json(order))
        await process.stdin.drain()
        async for line in process.stdout:
            report = orjson.loads(line)
            if "refused" in report:
                raise bad_request(str(report["refused"]))
            done = "done" in report
            yield report
    finally:
        process.stdin.close()  # It drops its database, then ends.
        await asyncio.shield(process.wait())
    if not done:
        raise bad_request("The rehearsal ended without a result: see the log.")


def _order(
    context: Context,
    asked: CreateCampaignInput,
    folder: Path,
    seed: int,
    scenario: RehearsalScenario,
) -> RehearsalOrder:
    """Build the order. Raises Invalid or NotFound as `createCampaign` does."""
    services, now = context.backend.services, context.backend.services.context.now()
    if asked.upload_id is None:
        raise Invalid("Choose a file.", upload_id="is none")
    upload_id = as_uuid("upload", asked.upload_id)
    if services.uploads.get(upload_id, now) is None:
        raise NotFound("upload (they are kept for a day)", upload_id)
    new = new_campaign(asked, upload_id, None, context.viewer)
    shares = [(new.assistant_id, 0), *new.comparison[1:]]
    return RehearsalOrder(
        url=url_of(services.writing),
        name=new.name,
        assistants=tuple(
            _assistant(services.app.load(Assistant, id_), share)
            for id_, share in shares
        ),
        phone_number_id=new.phone_number_id,
        begins_at=now,
        settings=services.settings.values(),
        cap=new.cap,
        mode=new.mode,
        line_quiet_gating=new.line_quiet_gating,
        budget=new.budget,
        terms=new.terms,
        upload_id=upload_id,
        seed=seed,
        scenario=scenario,
        export=str(folder / EXPORT),
        contacts=str(folder / CONTACTS),
        events=str(folder / EVENTS),
        payloads=False,
    )


def _assistant(known: Assistant, share: int) -> RehearsedAssistant:
    config = orjson.dumps(known.config).decode()
    return RehearsedAssistant(known.provider_assistant_id, known.name, config, share)
