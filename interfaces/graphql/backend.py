"""What resolvers reach: services, readers and threads to call them in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Concatenate
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from strawberry.dataloader import DataLoader

from application.app import AutoLynx
from application.assistants import AssistantService
from application.campaigns import CampaignService
from application.contacts.imports import ImportService
from application.members import MemberService
from application.ports import ReadModel
from application.settings import SettingsService
from application.vault import VaultReader
from domain.recording_url import RecordingUrls
from interfaces.auth.access_feed import AccessFeed
from interfaces.auth.rates import GUESSES_A_MINUTE, Rate
from interfaces.auth.viewer import Credentials, Viewer
from interfaces.graphql.health_check import Vitals
from interfaces.graphql.lines import Lines
from interfaces.graphql.push.broadcaster import Hub
from projections import campaign_board
from projections.campaign_board import CampaignProgress
from storage.database import Attempt, Conn, Patience, Pool
from storage.process.decisions import Operations
from storage.vault.uploads import UploadStore

READ_YOUR_WRITES_SECONDS = 2.0


@dataclass(frozen=True)
class Threads:
    """Bounds, so that long commands leave threads to short readers."""

    readers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    commands: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    slow: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(4))


@dataclass(frozen=True)
class Backend:
    """Built once by the composition root, inside its running loop."""

    app: AutoLynx
    imports: ImportService
    campaigns: CampaignService
    assistants: AssistantService
    members: MemberService
    settings: SettingsService
    uploads: UploadStore
    vault: VaultReader
    operations: Operations
    lines: Lines
    read_pool: Pool
    read_model: ReadModel
    hub: Hub
    viewer_of: Callable[[Credentials], Viewer | None]
    now: Callable[[], datetime]
    recheck_seconds: float
    access: AccessFeed
    vitals: Vitals
    development: bool
    recordings: RecordingUrls
    guesses: Rate = field(default_factory=lambda: Rate(GUESSES_A_MINUTE))
    threads: Threads = field(default_factory=Threads)
    patience: Patience = field(default_factory=Patience)

    @cached_property
    def progress(self) -> DataLoader[UUID, CampaignProgress | None]:
        """Nothing is kept: who asks in the same instant shares one statement."""
        return DataLoader(load_fn=self._progress, cache=False)

    async def _progress(self, ids: list[UUID]) -> list[CampaignProgress | None]:
        rows = await self.read(campaign_board.progress_of, set(ids))
        found = {row.campaign_id: row for row in rows}
        return [found.get(id_) for id_ in ids]

    async def read[**P, R](
        self,
        query: Callable[Concatenate[Conn, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Ask the read model, in a thread; again while the server comes back."""

        def work(connection: Conn, _: Attempt) -> R:
            return query(connection, *args, **kwargs)

        asked = partial(self.patience.run, self.read_pool, work)
        return await to_thread.run_sync(asked, limiter=self.threads.readers)

    async def look[**P, R](
        self, query: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask something else that reads, in a thread."""
        asked = partial(query, *args, **kwargs)
        return await to_thread.run_sync(asked, limiter=self.threads.readers)

    async def tell[**P, R](
        self, command: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a command in a thread."""
        told = partial(command, *args, **kwargs)
        return await to_thread.run_sync(told, limiter=self.threads.commands)

    async def take_time[**P, R](
        self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run what may take long in a thread: imports, and what asks the provider."""
        asked = partial(work, *args, **kwargs)
        return await to_thread.run_sync(asked, limiter=self.threads.slow)

    async def shows(self, position: int | None) -> bool:
        """Wait until the read model includes a position; say whether it does.

        None stands for a command that changed nothing now: what it asks for may be of
        an instant ago, by somebody else, so the log's end is waited for.
        """
        return await self.look(self._shows, position)

    def _shows(self, position: int | None) -> bool:
        if position is None:
            position = self.app.recorder.max_notification_id() or 0
        return self.read_model.wait_for(position, READ_YOUR_WRITES_SECONDS)
