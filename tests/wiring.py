"""Everything on one fresh database, wired as the composition roots do it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import Thread
from typing import Any
from uuid import UUID

from application.calls.claims import ClaimResult
from application.contacts.imports import ImportService, NewCampaign
from application.ports import Provider, ProviderAssistant, ReadModel
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.dial_view import Candidate, PlannedCall, Snapshot
from domain.gate.permit import Granted, Permit
from domain.settings import ENVIRONMENT, RulesMode, SettingsValues
from domain.values import DialMode
from projections.calls import call_log
from projections.calls.call_log import CallRow
from projections.campaigns import campaign_board
from projections.campaigns.campaign_board import OpenLines
from projections.campaigns.campaign_row import CampaignRow
from projections.composition import Components
from projections.connections import open_feed, open_log, open_pools
from projections.dial_snapshot import snapshot
from projections.engine.runner import Projector
from projections.engine.schema import create_read_model
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from provider.vapi.messages.reading import read_message
from storage.database import connect
from storage.migrate import migrate
from tests.child_process import join
from tests.fakes import FakeProvider
from tests.reused_databases import ReusedDatabase
from tests.staged_uploads import StagedUploads
from tests.stepped_read_model import SteppedReadModel

BY = "ann@example.com"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
UNRESTRICTED = replace(SettingsValues(), frequency_caps=()).with_rules(
    RulesMode.OFF, reason=None, by=ENVIRONMENT
)
"""First settings of tests that are not about calling rules and frequency caps."""


@dataclass
class Clock:
    """A clock that only the test advances."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **units: float) -> datetime:
        self.time += timedelta(**units)
        return self.time


def real_time() -> datetime:
    return datetime.now(UTC)


def phones(count: int, first: int = 0) -> list[str]:
    return [f"+1202555{number:04d}" for number in range(first, first + count)]


@dataclass(frozen=True, kw_only=True, repr=False)
class Services(Components):
    """The services over one database, with a provider in memory by default."""

    url: str
    provider: Any
    read_model: Any
    staged: StagedUploads = field(default_factory=StagedUploads)

    def __repr__(self) -> str:
        return f"Services(url={self.url!r})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Hypothesis refuses the long text of all fields."""
        printer.text(repr(self))

    @cached_property
    def imports(self) -> ImportService:
        return self.imports_from(self.staged)

    # --- Commands of members ----------------------------------------------------------

    def new_campaign(self, upload_id: UUID, **wanted: Any) -> NewCampaign:
        """Ask for a campaign; fields of NewCampaign may be changed."""
        assistant, _ = self.assistants.import_assistant(
            DEFAULT_ASSISTANT_ID, name=None, by=BY
        )
        new = NewCampaign(
            name="Spring",
            upload_id=upload_id,
            assistant_id=assistant,
            phone_number_id=DEFAULT_PHONE_NUMBER_ID,
            cap=3,
            mode=DialMode.CONTINUOUS,
            line_quiet_gating=False,
            budget=None,
        )
        return replace(new, **wanted)

    def campaign(
        self, people: int | Sequence[str] = 3, *, start: bool = True, **wanted: Any
    ) -> UUID:
        """Create a campaign with these people and, unless told else, start it."""
        numbers = phones(people) if isinstance(people, int) else people
        new = self.new_campaign(self.staged.stage(numbers), **wanted)
        made = self.imports.create_campaign(new, default_cap=8, by=BY)
        if start:
            self.campaigns.start(made.campaign_id, by=BY)
        self.settle()
        return made.campaign_id

    def set(self, **values: Any) -> None:
        """Change some of the settings."""
        self.settings.change(replace(self.settings.values(), **values), by=BY)
        self.settle()

    # --- Queries ----------------------------------------------------------------------

    def settle(self) -> None:
        """Let the read model show all that is stored."""
        position = self.app.recorder.max_notification_id() or 0
        assert self.read_model.wait_for(position, 10.0), "the read model lags"

    def snapshot(self, most: int = 100) -> Snapshot:
        self.settle()
        return self.read_snapshot(self.now(), most)

    def read_snapshot(self, now: datetime, most: int) -> Snapshot:
        with self.reading.connection() as conn:
            return snapshot(conn, now, most, self.group_gates.decide)

    def open_lines(self) -> OpenLines:
        self.settle()
        with self.reading.connection() as conn:
            return campaign_board.open_lines(conn)

    def board(self, campaign_id: UUID) -> CampaignRow:
        self.settle()
        with self.reading.connection() as conn:
            row = campaign_board.get(conn, campaign_id)
        assert row is not None
        return row

    def call_rows(self, campaign_id: UUID) -> list[CallRow]:
        """Read the calls of a campaign's contacts, as the call log shows them."""
        self.settle()
        query = "select call_id from call_log where campaign_id = %s order by queued_at"
        with self.reading.connection() as conn:
            ids = [row[0] for row in conn.execute(query, (campaign_id,))]
            rows = call_log.of_ids(conn, ids)
        return [rows[id_] for id_ in ids]

    def candidates(self, campaign_id: UUID) -> tuple[Candidate, ...]:
        views = {view.id: view for view in self.snapshot().campaigns}
        return views[campaign_id].candidates

    def load_call(self, call_id: UUID) -> Call:
        return self.app.load(Call, call_id)

    def load_campaign(self, campaign_id: UUID) -> Campaign:
        return self.app.load(Campaign, campaign_id)

    def topics(self, stream_id: UUID) -> list[str]:
        """Name the facts of a stream, without its kind: `requested`, `placed`."""
        stored = self.app.recorder.select_events(stream_id)
        return [event.topic.partition(".")[2] for event in stored]

    # --- Commands of the scheduler ----------------------------------------------------

    def claim(self, campaign_id: UUID, count: int = 1) -> list[UUID]:
        """Claim the next contacts of a campaign, whatever the gate says of them."""
        self.settle()
        with self.reading.connection() as conn:
            seen = snapshot(conn, self.now(), 100, everybody_may_be_called)
        views = {view.id: view for view in seen.campaigns}
        groups = {one.group_id: one.group for one in views[campaign_id].groups}
        found = views[campaign_id].candidates[:count]
        campaign = self.load_campaign(campaign_id)
        version, needed = campaign.terms_version, campaign.terms.need_reports
        chosen = [
            replace(
                as_chosen(campaign_id, one, version if needed or one.plan else None),
                group=groups[one.group_id],
            )
            for one in found
        ]
        claimed = self.claims.claim(chosen, seen=seen.claims_seen)
        assert len(claimed.calls) == count, claimed
        self.settle()
        return list(claimed.calls)

    def claim_again(self, call_id: UUID) -> ClaimResult:
        """Claim a deferred call's contact once more."""
        call, seen = self.load_call(call_id), self.snapshot().claims_seen
        chosen = PlannedCall(
            call.campaign_id, call.contact_id, call.attempt, requeued=True
        )
        claimed = self.claims.claim([chosen], seen=seen)
        self.settle()
        return claimed


def everybody_may_be_called(*_: object) -> Granted:
    """Return a permit for every group."""
    return Granted(Permit((), (), "", "", (), (), ()))


def as_chosen(
    campaign_id: UUID, candidate: Candidate, terms_version: int | None = None
) -> PlannedCall:
    return PlannedCall(
        campaign_id=campaign_id,
        contact_id=candidate.contact_id,
        attempt=candidate.attempt,
        requeued=candidate.call_id is not None,
        batch=candidate.batch,
        contact_version=candidate.contact_version,
        plan=candidate.plan,
        terms_version=terms_version,
    )


def fake_provider(now: Callable[[], datetime], **fields: Any) -> FakeProvider:
    """Make a provider in memory that has the assistant of `Services.new_campaign`."""
    assistant = ProviderAssistant(
        id=DEFAULT_ASSISTANT_ID, name="Riley", config={"maxDurationSeconds": 600}
    )
    return FakeProvider(now=now, assistants={assistant.id: assistant}, **fields)


@contextmanager
def open_services(
    url: str,
    *,
    now: Callable[[], datetime] | None = None,
    provider: Provider | None = None,
    projector: bool = False,
    first: SettingsValues | None = None,
) -> Iterator[Services]:
    """Build all services over a database, which gets its tables if it is empty.

    Without `now` a `Clock` stays at NOON; without `projector` the read model is updated
    when a test waits for it, else by a projector in a thread. Unless `first` enforces
    them, calls are restricted by no calling rules and no frequency caps.
    """
    _create_tables(url)
    with ExitStack() as opened:
        clock = now or Clock()
        if projector:
            _run_projector(url, opened)
        yield build_services(
            url,
            opened,
            now=clock,
            provider=provider or fake_provider(clock),
            read_model=opened.enter_context(open_feed(url))
            if projector
            else _stepped(url, opened),
            first=first or UNRESTRICTED,
        )


@contextmanager
def services_over(database: ReusedDatabase) -> Iterator[Services]:
    """Build all services as `open_services` does, over connections that are kept."""
    clock = Clock()
    with open_log(database.pools.writing) as log:
        yield Services(
            url=database.url,
            pools=database.pools,
            app=log,
            read_model=database.read_model,
            provider=fake_provider(clock),
            read_message=read_message,
            now=clock,
            first_settings=UNRESTRICTED,
        )


def _create_tables(url: str) -> None:
    """Create all tables, unless the database is a copy of one that has them."""
    with connect(url, name="test") as conn:
        found = conn.execute("select to_regclass('read.projection_position')")
        if found.fetchone() == (None,):
            migrate(url)
            create_read_model(conn)


def _run_projector(url: str, opened: ExitStack) -> None:
    projector = Projector(url)
    thread = Thread(target=projector.run, name="projector", daemon=True)
    thread.start()
    opened.callback(join, thread)
    opened.callback(projector.stop)


def _stepped(url: str, opened: ExitStack) -> SteppedReadModel:
    read_model = SteppedReadModel(url)
    opened.callback(read_model.close)
    return read_model


def build_services(
    url: str,
    opened: ExitStack,
    *,
    now: Callable[[], datetime],
    provider: Provider,
    read_model: ReadModel,
    first: SettingsValues,
) -> Services:
    """Build the services over a database that has its tables."""
    pools = opened.enter_context(open_pools(url, name="test", max_size=16))
    return Services(
        url=url,
        pools=pools,
        app=opened.enter_context(open_log(pools.writing)),
        read_model=read_model,
        provider=provider,
        read_message=read_message,
        now=now,
        first_settings=first,
    )
