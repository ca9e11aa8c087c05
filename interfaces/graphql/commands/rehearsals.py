"""Rehearsals of campaigns: simulated calls in virtual time."""

import asyncio
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
    RehearsedAssistant,
    order_to_json,
)

LONGEST_LINE = 1 << 20


@strawberry.type
class RehearsedOutcome:
    """Finished calls of one outcome."""

    outcome: CallOutcome
    calls: int


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

    @classmethod
    def of(cls, figures: dict[str, Any], export: str) -> Self:
        """Build it from the figures of the process."""
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
            export=export,
        )


@strawberry.type
class Rehearsal:
    """The progress of a rehearsal; the last one has the result."""

    state: CampaignState
    contacts: int
    ended: int
    spend: Decimal
    result: RehearsalResult | None

    @classmethod
    def of(cls, report: dict[str, Any], result: RehearsalResult | None) -> Self:
        """Build it from a report of the process."""
        return cls(
            state=CampaignState(report["state"]),
            contacts=report["contacts"],
            ended=report["ended"],
            spend=Decimal(report["spend"]),
            result=result,
        )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@strawberry.type
class Rehearsals:
    """Subscriptions that run rehearsals."""

    @subscription(
        OPERATORS,
        "Rehearses the campaign that createCampaign would create: nobody is called, and"
        " nothing is stored. One at a time; it ends with the subscription. seed:"
        " another one gives other outcomes of the calls.",
    )
    async def rehearsal(
        self,
        info: Info,
        input: CreateCampaignInput,  # noqa: A002 - the contract's name of such inputs
        seed: Annotated[
            int, strawberry.argument(description="Another one: other outcomes.")
        ] = 1,
    ) -> AsyncGenerator[Rehearsal, None]:
        """Yield the progress, and finally the result."""
        context = info.context
        with TemporaryDirectory() as folder:
            export = Path(folder) / "export.csv"
            order = await context.backend.run_slow(_order, context, input, seed, export)
            async for report in _reports(order):
                if "progress" in report:
                    yield Rehearsal.of(report["progress"], None)
                else:
                    text = await context.backend.run_slow(export.read_text)
                    result = RehearsalResult.of(report["done"], text)
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
    context: Context, asked: CreateCampaignInput, seed: int, export: Path
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
        export=str(export),
    )


def _assistant(known: Assistant, share: int) -> RehearsedAssistant:
    config = orjson.dumps(known.config).decode()
    return RehearsedAssistant(known.provider_assistant_id, known.name, config, share)
