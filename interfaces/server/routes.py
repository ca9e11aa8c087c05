"""All routes of the API, built from the composed services."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from uuid import uuid4

from fastapi import APIRouter

from application.configuration import Configuration
from interfaces.auth.access_feed import AccessFeed
from interfaces.auth.oidc import oidc_routes
from interfaces.auth.rest import ADMINS, AUDITORS, MEMBERS, OPERATORS, email_with
from interfaces.auth.sign_in import BrowserSessions, sign_in_routes
from interfaces.auth.viewer import Authenticator
from interfaces.dashboard.documents import Document, read_documents, texts_by_id
from interfaces.dashboard.routes import dashboard_routes
from interfaces.dashboard.site import Site, build_site
from interfaces.files.evidence import evidence_routes
from interfaces.files.export import export_routes
from interfaces.files.imports import import_routes
from interfaces.files.recordings import recording_routes
from interfaces.files.suppression_lists import suppression_list_routes
from interfaces.files.uploads import upload_routes
from interfaces.graphql.backend import Backend
from interfaces.graphql.documents import Documents
from interfaces.graphql.health_check import HealthCheck
from interfaces.graphql.lines import Lines
from interfaces.graphql.provider_watch import ProviderWatch
from interfaces.graphql.push.broadcaster import Broadcaster
from interfaces.graphql.router import graphql_routes
from interfaces.monitoring.health import health_routes
from interfaces.monitoring.metrics import ApiMetrics, SystemCollector, metrics_routes
from interfaces.server.app import is_https, oidc_settings, origin_of
from interfaces.webhooks.authentication import authenticator
from projections.composition import Components
from storage.database import Pool


@dataclass(frozen=True)
class Subscriptions:
    """What open subscriptions are notified by.

    `recheck_seconds` is how often each of them checks that its member has access.
    """

    broadcaster: Broadcaster
    access: AccessFeed
    recheck_seconds: float


@dataclass(frozen=True)
class Routes:
    """Builds the routes and the objects that several of them share."""

    configuration: Configuration
    components: Components
    url: str
    exports: Pool
    subscriptions: Subscriptions
    metrics: ApiMetrics

    def all(self) -> Iterator[APIRouter]:
        """Yield the routers in the order of matching: most frequent requests first."""
        components = self.components
        oidc = oidc_settings(self.configuration)
        yield graphql_routes(self._backend, Documents(texts_by_id(self._documents)))
        yield sign_in_routes(self._sign_in, components.sign_in_links)
        if oidc is not None:
            yield oidc_routes(oidc, self._sign_in, components.identities)
        yield from self._files()
        yield from self._monitoring()
        yield dashboard_routes(self.site)

    @cached_property
    def site(self) -> Site:
        """The dashboard's files, which are compressed once."""
        return build_site(
            self._documents,
            self.components.provider.texts,
            media_sources=(origin_of(self.configuration.vapi_base_url), "https:"),
            oidc=oidc_settings(self.configuration) is not None,
        )

    @cached_property
    def _documents(self) -> tuple[Document, ...]:
        return read_documents()

    def _files(self) -> Iterator[APIRouter]:
        components = self.components
        operators = email_with(self._authenticator, OPERATORS)
        members = email_with(self._authenticator, MEMBERS)
        yield upload_routes(
            store=components.uploads,
            authorize=operators,
            now=components.now,
            new_id=uuid4,
            default_region=lambda: components.settings.values().default_region,
        )
        yield import_routes(
            vault=components.vault,
            reading=components.reading,
            uploads=components.uploads,
            authorize=operators,
            now=components.now,
        )
        yield suppression_list_routes(
            service=components.suppression_lists,
            authorize=email_with(self._authenticator, ADMINS),
            default_region=lambda: components.settings.values().default_region,
            today=lambda: components.now().astimezone(UTC).date(),
        )
        yield evidence_routes(
            database_url=self.url,
            pool=components.reading,
            authorize=email_with(self._authenticator, AUDITORS),
        )
        yield recording_routes(
            provider=components.provider, pool=components.reading, authorize=members
        )
        yield export_routes(
            pool=components.reading,
            exports=self.exports,
            authorize=members,
            recordings=components.recording_urls,
            own_url=self.configuration.own_url,
            rule_book=components.rule_book.current,
        )

    def _monitoring(self) -> Iterator[APIRouter]:
        components = self.components
        collector = SystemCollector(
            components.reading, components.now, components.first_settings
        )
        yield metrics_routes(self.metrics, collector)
        yield health_routes(pool=components.reading, url=self.url, now=components.now)

    @cached_property
    def _sign_in(self) -> BrowserSessions:
        return BrowserSessions(
            sessions=self.components.sessions,
            member=self.components.members.member,
            now=self.components.now,
            random_bytes=secrets.token_bytes,
            secure=is_https(self.configuration.own_url),
        )

    @cached_property
    def _authenticator(self) -> Authenticator:
        return Authenticator(
            tokens=self.components.tokens,
            sessions=self.components.sessions,
            member=self._sign_in.member,
            now=self.components.now,
            cookie=self._sign_in.cookie,
        )

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.components.provider, self.components.now)

    @cached_property
    def _health_check(self) -> HealthCheck:
        components, configuration = self.components, self.configuration
        return HealthCheck(
            pool=components.reading,
            process_records=components.process_records,
            provider=ProviderWatch(self._lines, components.now),
            provider_actor=components.provider.actor,
            webhooks=authenticator(configuration, components.now) is not None,
            own_url=configuration.own_url,
            url=self.url,
            key_fault=components.installation_key.fault,
            rules_problem=lambda: components.rule_book.problem,
            first_settings=components.first_settings,
            now=components.now,
        )

    @cached_property
    def _backend(self) -> Backend:
        return Backend(
            services=self.components,
            lines=self._lines,
            broadcaster=self.subscriptions.broadcaster,
            access=self.subscriptions.access,
            recheck_seconds=self.subscriptions.recheck_seconds,
            health_check=self._health_check,
            development=self.configuration.development,
            own_url=self.configuration.own_url,
            viewer_of=self._authenticator.viewer,
        )
