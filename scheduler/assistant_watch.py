"""Pins or watches the assistants of the campaigns that call contacts."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.ports import (
    Provider,
    ProviderAssistant,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.dial_view import Snapshot
from domain.errors import Refused
from domain.states import MAY_DIAL
from projections.composition import Components

EVERY = timedelta(seconds=60)
"""How often the provider is asked for an assistant that is in use."""

PROVIDER_ERRORS = (ProviderUnavailable, ProviderRefused)

log = logging.getLogger(__name__)


class NoteAssistant(Protocol):
    """Records the state of a campaign's assistant."""

    def __call__(
        self,
        campaign_id: UUID,
        assistant_id: str,
        /,
        *,
        version: str | None,
        digest: str,
    ) -> object:
        """Pin the version; without one, record each later change."""


class AssistantWatch:
    """Reads the assistants of running campaigns: at the start, then every minute.

    A new leader reads them all again; the campaigns remember what was noted.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        assistants_of: Callable[[UUID], frozenset[str]],
        note: NoteAssistant,
        refresh: Callable[[ProviderAssistant], object],
        now: Callable[[], datetime],
    ) -> None:
        """Build it for one term.

        `assistants_of` returns the provider's ids of a campaign's assistants, which do
        not change while it runs. `refresh` updates the copy of an assistant in the
        directory.
        """
        self._provider, self._note, self._refresh = provider, note, refresh
        self._assistants_of, self._now = assistants_of, now
        self._running: dict[UUID, frozenset[str]] = {}
        self._asked: dict[str, datetime] = {}
        self._digests: dict[str, str] = {}
        self._noted: frozenset[UUID] = frozenset()
        self._failed_at: datetime | None = None

    def run(self, seen: Snapshot) -> None:
        """Ask the provider for the assistants that are due, and note their state.

        After a failure the provider is not asked for a minute. Until it answers,
        campaigns use the newest version.
        """
        if self._failed_at is not None and self._now() - self._failed_at < EVERY:
            return
        self._failed_at = None
        running = {view.id for view in seen.campaigns if view.state in MAY_DIAL}
        self._noted &= running
        self._running = {
            id_: self._running.get(id_) or self._assistants_of(id_) for id_ in running
        }
        users: defaultdict[str, list[UUID]] = defaultdict(list)
        for campaign_id, assistants in self._running.items():
            for assistant_id in assistants:
                users[assistant_id].append(campaign_id)
        self._ask(users)

    def _ask(self, users: Mapping[str, Collection[UUID]]) -> None:
        """Ask for the assistants that are due, given the campaigns of each."""
        due = {one: ids for one, ids in users.items() if self._is_due(one, ids)}
        for assistant_id, campaigns in due.items():
            self._asked[assistant_id] = self._now()
            try:
                found = self._provider.assistant(assistant_id)
            except PROVIDER_ERRORS as error:
                log.warning("assistants are not checked now: %s", error)
                self._failed_at = self._now()
                return
            if found is not None:
                self._update(found, campaigns)
        self._noted |= {id_ for ids in due.values() for id_ in ids}

    def _is_due(self, assistant_id: str, campaigns: Iterable[UUID]) -> bool:
        asked = self._asked.get(assistant_id)
        if asked is None or self._now() - asked >= EVERY:
            return True
        return not self._noted.issuperset(campaigns)

    def _update(self, found: ProviderAssistant, campaigns: Iterable[UUID]) -> None:
        known = self._digests.get(found.id)
        try:
            for campaign_id in campaigns:
                self._note(
                    campaign_id, found.id, version=found.version, digest=found.digest
                )
            if known not in (None, found.digest):
                self._refresh(found)
        except (IntegrityError, Refused) as error:
            log.info("the assistant %s is noted later: %s", found.id, error)
        else:
            self._digests[found.id] = found.digest


def watch_of(built: Components) -> AssistantWatch:
    """Build the watch of one term."""
    return AssistantWatch(
        built.provider,
        assistants_of=built.campaigns.assistants_of,
        note=built.campaigns.note_assistant,
        refresh=built.assistants.refresh,
        now=built.now,
    )
