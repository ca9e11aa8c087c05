"""The command line's composition root: services over the database, no API needed."""

import getpass
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Concatenate
from uuid import uuid4

from application.app import AutoLynx
from application.assistants import AssistantService
from application.calls.call_service import CallService
from application.campaigns import CampaignService
from application.configuration import Configuration, FirstSettings
from application.contacts.imports import ImportService
from application.event_context import EventContext
from application.members import MemberService
from application.settings import SettingsService
from domain.errors import Refused
from domain.recording_url import RecordingUrls
from interfaces.cli.database import database
from projections.engine.runner import catch_up
from projections.engine.schema import open_read_pool, outdated_words
from projections.lookups import Lookups
from projections.tables import position_of
from provider.vapi.client import VapiProvider, vapi_settings
from provider.vapi.reading import read_message
from storage.access.api_tokens import TokenStore
from storage.access.sessions import Keys, SignInLinks
from storage.database import Conn, Pool, connect, open_pool
from storage.log.recorder import EventStoreFactory
from storage.process.decisions import Operations
from storage.vault.tables import Vault
from storage.vault.uploads import UploadStore


def utc_now() -> datetime:
    return datetime.now(UTC)


def actor() -> str:
    """Name who types, as the log keeps it."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"cli:{os.geteuid()}"


class OwnReadModel:
    """Brings the read model up to date itself: a projector may run or not."""

    def __init__(self, url: str, read_pool: Pool) -> None:
        self._url, self._read_pool = url, read_pool

    def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ARG002 - it does the work that others would wait for
        if self._position() < position:
            with connect(self._url, name="cli projector") as connection:
                catch_up(connection)
        return self._position() >= position

    def _position(self) -> int:
        with self._read_pool.connection() as connection:
            return position_of(connection)


@dataclass(frozen=True)
class Workbench:
    """All that commands use; services are made when a command asks for them."""

    configuration: Configuration
    app: AutoLynx
    pool: Pool
    read_pool: Pool
    read_model: OwnReadModel
    context: EventContext

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.pool)

    @cached_property
    def lookups(self) -> Lookups:
        return Lookups(self.read_pool, self.vault)

    @cached_property
    def uploads(self) -> UploadStore:
        return UploadStore(self.pool)

    @cached_property
    def tokens(self) -> TokenStore:
        return TokenStore(self.pool)

    @cached_property
    def sign_in_links(self) -> SignInLinks:
        return SignInLinks(self.pool)

    @cached_property
    def operations(self) -> Operations:
        return Operations(self.pool)

    @cached_property
    def provider(self) -> VapiProvider:
        return VapiProvider(vapi_settings(self.configuration))

    @cached_property
    def assistants(self) -> AssistantService:
        return AssistantService(
            app=self.app,
            context=self.context,
            provider=self.provider,
            use=self.lookups,
            read_model=self.read_model,
        )

    @cached_property
    def members(self) -> MemberService:
        return MemberService(
            app=self.app,
            context=self.context,
            keys=Keys(self.pool),
            admins=self._admins,
        )

    def _admins(self) -> list[str]:
        self.include_all()
        return self.lookups.admins()

    @cached_property
    def settings(self) -> SettingsService:
        first = FirstSettings().values()
        return SettingsService(
            app=self.app,
            context=self.context,
            first=first,
            any_address=self.configuration.alert_any_address,
        )

    @cached_property
    def imports(self) -> ImportService:
        return ImportService(
            app=self.app,
            context=self.context,
            uploads=self.uploads,
            vault=self.vault,
            contact_lookup=self.lookups,
            read_model=self.read_model,
        )

    @cached_property
    def recording_urls(self) -> RecordingUrls:
        return RecordingUrls(self.configuration.vapi_base_url)

    @cached_property
    def calls(self) -> CallService:
        return CallService(
            app=self.app,
            context=self.context,
            vault=self.vault,
            contact_lookup=self.lookups,
            call_lookup=self.lookups,
            read_message=partial(read_message, recordings=self.recording_urls),
        )

    @cached_property
    def campaigns(self) -> CampaignService:
        return CampaignService(
            app=self.app,
            context=self.context,
            calls=self.calls,
            call_lookup=self.lookups,
        )

    def read[**P, R](
        self,
        query: Callable[Concatenate[Conn, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Ask the read model, which first includes all that is stored."""
        self.include_all()
        with self.read_pool.connection() as connection:
            return query(connection, *args, **kwargs)

    def include_all(self) -> None:
        """Let the read model show all that is stored."""
        self.read_model.wait_for(self.app.recorder.max_notification_id() or 0, 60.0)


@contextmanager
def workbench(configuration: Configuration) -> Iterator[Workbench]:
    with ExitStack() as stack:
        url = stack.enter_context(database(configuration))
        _refuse_outdated(url)
        pool = stack.enter_context(open_pool(url, name="cli"))
        read_pool = stack.enter_context(open_read_pool(url, name="cli reads"))
        context = EventContext(
            now=utc_now, new_id=uuid4, random_bytes=secrets.token_bytes
        )
        read_model = OwnReadModel(url, read_pool)
        app = AutoLynx(EventStoreFactory(pool))
        stack.callback(app.close)
        yield Workbench(configuration, app, pool, read_pool, read_model, context)


def _refuse_outdated(url: str) -> None:
    with connect(url, name="cli") as connection:
        said = outdated_words(connection)
    if said is not None:
        raise Refused(f"The read tables were {said}.")
