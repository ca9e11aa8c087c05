"""What GraphQL resolvers use: services, queries, and threads to run them in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Concatenate
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from strawberry.dataloader import DataLoader

from interfaces.auth.access_feed import AccessFeed
from interfaces.auth.rates import GUESSES_A_MINUTE, RateLimit
from interfaces.auth.viewer import Credentials, Viewer
from interfaces.graphql.health_check import HealthCheck
from interfaces.graphql.lines import Lines
from interfaces.graphql.merged_reads import MergedReads
from interfaces.graphql.push.broadcaster import Broadcaster
from interfaces.graphql.push.contact_updates import ContactUpdates
from projections.calls import call_log
from projections.calls.call_log import CallRow
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignProgress
from projections.composition import Components
from projections.contacts import contact_results
from projections.contacts.contact_results import ContactResult
from storage.database import Conn, Retry, RetryPolicy

READ_YOUR_WRITES_SECONDS = 2.0
MOST_IDS = 500
"""Rows that requests of several tasks read with one statement."""


@dataclass(frozen=True)
class Threads:
    """Limits on threads, so that slow commands do not take those of quick queries."""

    readers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    commands: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    slow: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(4))
    forecasts: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))


@dataclass(frozen=True)
class Backend:
    """Built once at start-up, inside the running event loop."""

    services: Components
    lines: Lines
    broadcaster: Broadcaster
    viewer_of: Callable[[Credentials], Viewer | None]
    recheck_seconds: float
    access: AccessFeed
    health_check: HealthCheck
    development: bool
    own_url: str
    guesses: RateLimit = field(default_factory=lambda: RateLimit(GUESSES_A_MINUTE))
    threads: Threads = field(default_factory=Threads)
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)

    @cached_property
    def progress(self) -> DataLoader[UUID, CampaignProgress | None]:
        """Loads without a cache: requests of the same moment share one statement."""
        return DataLoader(load_fn=self._progress, cache=False)

    async def _progress(self, ids: list[UUID]) -> list[CampaignProgress | None]:
        rows = await self.read(campaign_board.progress_of, set(ids))
        found = {row.campaign_id: row for row in rows}
        return [found.get(id_) for id_ in ids]

    @cached_property
    def contact_updates(self) -> ContactUpdates:
        """Contacts that changed, read once for all subscriptions."""
        return ContactUpdates(self.read)

    @cached_property
    def calls(self) -> MergedReads[UUID, CallRow]:
        """Calls by id; requests that arrive during a statement share the next."""
        return self._merged(call_log.of_ids)

    @cached_property
    def calls_of_contacts(self) -> MergedReads[UUID, list[CallRow]]:
        """The calls to each contact, oldest first, by the contact's id."""
        return self._merged(call_log.of_contacts)

    @cached_property
    def results_of_contacts(self) -> MergedReads[UUID, ContactResult]:
        """Results of contacts by the contact's id."""
        return self._merged(contact_results.of_contacts)

    def _merged[V](
        self, query: Callable[[Conn, list[UUID]], Mapping[UUID, V]]
    ) -> MergedReads[UUID, V]:
        async def read(ids: list[UUID]) -> Mapping[UUID, V]:
            return await self.read(query, ids)

        return MergedReads(read, MOST_IDS)

    async def read[**P, R](
        self,
        query: Callable[Concatenate[Conn, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Query the read model in a thread; retry while the server is restarting."""

        def work(connection: Conn, _: Retry) -> R:
            return query(connection, *args, **kwargs)

        run = partial(self.retry_policy.run, self.services.reading, work)
        return await to_thread.run_sync(run, limiter=self.threads.readers)

    async def run_reader[**P, R](
        self, query: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call a function that only reads, in a thread."""
        run = partial(query, *args, **kwargs)
        return await to_thread.run_sync(run, limiter=self.threads.readers)

    async def run_command[**P, R](
        self, command: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call a command in a thread."""
        run = partial(command, *args, **kwargs)
        return await to_thread.run_sync(run, limiter=self.threads.commands)

    async def run_slow[**P, R](
        self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call a function that may be slow, in a thread: imports, provider requests."""
        run = partial(work, *args, **kwargs)
        return await to_thread.run_sync(run, limiter=self.threads.slow)

    async def run_forecast[**P, R](
        self,
        query: Callable[Concatenate[Conn, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Simulate in a thread, one forecast at a time: each uses a core for a second.

        The others wait without a thread or a connection.
        """

        def work(connection: Conn, _: Retry) -> R:
            return query(connection, *args, **kwargs)

        run = partial(self.retry_policy.run, self.services.reading, work)
        return await to_thread.run_sync(run, limiter=self.threads.forecasts)

    async def is_visible(self, position: int | None) -> bool:
        """Wait up to 2 s until the read model includes `position`; return if it does.

        None means that the command changed nothing. Somebody else may have made the
        same change a moment ago, so this waits for the end of the log.
        """
        return await self.run_reader(self._is_visible, position)

    def _is_visible(self, position: int | None) -> bool:
        if position is None:
            return self.services.wait_for_read_model(READ_YOUR_WRITES_SECONDS)
        read_model = self.services.read_model
        return read_model.wait_for(position, READ_YOUR_WRITES_SECONDS)
